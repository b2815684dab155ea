import { serve } from '../../shared/transport/serve.ts'
import { accountScores } from './account-scores.ts'
import { form } from './form.ts'
import { ownScores } from './own-scores.ts'
import { parts } from './parts.ts'
import { summary } from './summary.ts'

export const main_handler = serve({
  functionName: 'query-scores',
  parts,
  endpoints: [ownScores, accountScores, summary, form],
})
