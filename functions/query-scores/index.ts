import { serve } from '../../shared/transport/serve.ts'
import { authority, lookupFrom, ratingsFrom } from '../../shared/wiring/compose.ts'
import { accountScores } from './account-scores.ts'
import { form } from './form.ts'
import { ownScores } from './own-scores.ts'
import { summary } from './summary.ts'

export const main_handler = serve({
  functionName: 'query-scores',
  parts: { ...authority, ratings: ratingsFrom, lookup: lookupFrom },
  endpoints: [ownScores, accountScores, summary, form],
})
