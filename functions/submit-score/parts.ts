/** What submit-score needs, and so which variables it is given; importing this starts nothing. */

import { everyFunction, isSharded, ownRatings, submissions } from '../../shared/wiring/compose.ts'

export const parts = { ...everyFunction, submissions, ownRatings, isSharded }
