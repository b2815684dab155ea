/** What query-scores answers; importing this starts nothing. */

import { accountScores } from './account-scores.ts'
import { form } from './form.ts'
import { ownScores } from './own-scores.ts'
import { summary } from './summary.ts'

export const endpoints = [ownScores, accountScores, summary, form]
