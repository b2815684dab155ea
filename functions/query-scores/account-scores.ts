import * as v from 'valibot'
import { KnownAccountNumber } from '../../shared/domain/rating.ts'
import { readableBy } from '../../shared/domain/score.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Audit, RatingReader } from '../../shared/ports.ts'
import { noteOperatorRead } from './operator-read.ts'
import { encodeCursor, Page, pageFields, readPage, sinceField } from './page.ts'

/**
 * `POST /query`: those ratings of an account that the caller may read; the number stays out of URLs. Asked again with the
 * `since` of an answer, it gives only what is newer, newest first and paged like any other list.
 */
export const accountScores = defineEndpoint<{ ratings: RatingReader; audit: Audit }>()({
  route: 'POST /query',
  auth: 'required',
  input: v.strictObject({ acc_nbr: KnownAccountNumber, since: sinceField, ...pageFields }),
  formKinds: {
    acc_nbr: 'identifier',
    since: 'identifier',
    cursor: 'identifier',
    limit: 'integer',
  },
  output: v.object({ ...Page.entries, since: v.nullable(v.string()) }),
  async handle(handling) {
    const { input, needs, caller } = handling
    const { acc_nbr, ...page } = input
    await noteOperatorRead(handling, acc_nbr)
    const scope = readableBy(caller, acc_nbr)
    const read = (slice: Parameters<RatingReader['scoresOfAccount']>[2]) =>
      needs.ratings.scoresOfAccount(acc_nbr, scope, slice)
    const { items, next } = await readPage(page, read)
    // Further pages hold older ratings; the first one told how far the list reaches.
    const newestId = page.cursor === null && items[0] ? items[0].id : page.since
    return { output: { items, next, since: newestId && encodeCursor(newestId) } }
  },
})
