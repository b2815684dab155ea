import { storeFrom, tokensFrom } from '../../shared/compose.ts'
import { serve } from '../../shared/transport/serve.ts'
import { accountScores } from './account-scores.ts'
import { form } from './form.ts'
import { ownScores } from './own-scores.ts'
import { summary } from './summary.ts'

export const main_handler = serve({
  functionName: 'query-scores',
  parts: { store: storeFrom, tokens: tokensFrom },
  endpoints: [ownScores, accountScores, summary, form],
})
