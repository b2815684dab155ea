/** The form that functions are built with in tests, as scripts/build/rating-form.ts reads it. */
export const RATING_FORM = 'test/support/forms/five-stars.ts'

/** The form of the commands that pages tell people to type. */
export const SHIPPED_FORM = 'test/support/forms/as-shipped.ts'
