import * as v from 'valibot'
import { AccountNumber } from '../../shared/domain/form.ts'
import { readableBy } from '../../shared/domain/score.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { RatingStore } from '../../shared/ports.ts'
import { Page, pageFields, readPage } from './page.ts'

/** `POST /query`: those ratings of an account that the caller may read; the number stays out of URLs. */
export const accountScores = defineEndpoint<{ ratings: RatingStore }>()({
  route: 'POST /query',
  auth: 'required',
  input: v.strictObject({ acc_nbr: AccountNumber, ...pageFields }),
  formKinds: { acc_nbr: 'identifier', cursor: 'identifier', limit: 'integer' },
  output: Page,
  async handle({ input: { acc_nbr, ...page }, needs: { ratings }, caller, security }) {
    const scope = readableBy(caller, acc_nbr)
    if (caller.isOperator) security.note('operator-read', { acc_nbr })
    const read = (slice: Parameters<RatingStore['scoresOfAccount']>[2]) =>
      ratings.scoresOfAccount(acc_nbr, scope, slice)
    return { output: await readPage(page, read) }
  },
})
