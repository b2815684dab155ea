import {
  clockFrom,
  limiterFrom,
  operatorsFrom,
  platformSessionsFrom,
  ratingsFrom,
  sessionCheckFrom,
  tokensFrom,
} from '../../shared/compose.ts'
import { serve } from '../../shared/transport/serve.ts'
import { ownScores } from '../query-scores/own-scores.ts'
import { submitScore } from './submit-score.ts'

export const main_handler = serve({
  functionName: 'submit-score',
  parts: {
    ratings: ratingsFrom,
    tokens: tokensFrom,
    sessions: sessionCheckFrom,
    operators: operatorsFrom,
    limiter: limiterFrom,
    platformSessions: platformSessionsFrom,
    clock: clockFrom,
  },
  // A custom domain routes by path alone, and /score can lead to one function only.
  endpoints: [submitScore, ownScores],
})
