import {
  limiterFrom,
  lookupFrom,
  operatorsFrom,
  platformSessionsFrom,
  ratingsFrom,
  sessionCheckFrom,
  tokensFrom,
} from '../../shared/compose.ts'
import { serve } from '../../shared/transport/serve.ts'
import { accountScores } from './account-scores.ts'
import { form } from './form.ts'
import { ownScores } from './own-scores.ts'
import { summary } from './summary.ts'

export const main_handler = serve({
  functionName: 'query-scores',
  parts: {
    ratings: ratingsFrom,
    tokens: tokensFrom,
    sessions: sessionCheckFrom,
    operators: operatorsFrom,
    limiter: limiterFrom,
    platformSessions: platformSessionsFrom,
    lookup: lookupFrom,
  },
  endpoints: [ownScores, accountScores, summary, form],
})
