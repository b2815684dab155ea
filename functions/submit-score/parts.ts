/** What submit-score needs, and so which variables it is given; importing this starts nothing. */

import { everyFunction, isSharded, submissions } from '../../shared/wiring/compose.ts'

export const parts = { ...everyFunction, ratings: submissions, isSharded }
