import { serve } from '../../shared/transport/serve.ts'
import { authority, clockFrom, ratingsFrom } from '../../shared/wiring/compose.ts'
import { ownScores } from '../query-scores/own-scores.ts'
import { submitScore } from './submit-score.ts'

export const main_handler = serve({
  functionName: 'submit-score',
  parts: { ...authority, ratings: ratingsFrom, clock: clockFrom },
  // A custom domain routes by path alone, and /score can lead to one function only.
  endpoints: [submitScore, ownScores],
})
