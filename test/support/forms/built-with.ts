/** The form that functions are built with in tests, as scripts/build/rating-form.ts reads it. */
export const RATING_FORM = 'test/support/forms/five-stars.ts'
