/** What query-scores needs, and so which variables it is given; importing this starts nothing. */

import { audit, everyFunction, numbers, ownRatings, ratings } from '../../shared/wiring/compose.ts'

export const parts = { ...everyFunction, ratings, ownRatings, numbers, audit }
