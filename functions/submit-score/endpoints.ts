/** What submit-score answers; importing this starts nothing. */

import { ownScores } from '../query-scores/own-scores.ts'
import { submitScore } from './submit-score.ts'

// A custom domain routes by path alone, and /score can lead to one function only.
export const endpoints = [submitScore, ownScores]
