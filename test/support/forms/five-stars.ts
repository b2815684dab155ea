/** The form that tests are built with: the shipped one, but for a policy, so that one person can fill an account. */

import { ratingForm as asShipped } from './as-shipped.ts'

const { policy: _, ...form } = asShipped

/** Three grades of five stars and three texts. */
export const ratingForm = form
