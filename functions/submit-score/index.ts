import { serve } from '../../shared/transport/serve.ts'
import { ownScores } from '../query-scores/own-scores.ts'
import { parts } from './parts.ts'
import { submitScore } from './submit-score.ts'

export const main_handler = serve({
  functionName: 'submit-score',
  parts,
  // A custom domain routes by path alone, and /score can lead to one function only.
  endpoints: [submitScore, ownScores],
})
