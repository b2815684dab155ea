import * as v from 'valibot'
import { gradeNames, gradesByName, KnownAccountNumber } from '../../shared/domain/rating.ts'
import { readableBy, summarise } from '../../shared/domain/score.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Audit, RatingReader } from '../../shared/ports.ts'
import { noteOperatorRead } from './operator-read.ts'

const GradeSummary = v.object({
  mean: v.nullable(v.number()),
  counts: v.record(v.string(), v.number()),
})

/**
 * `POST /query/summary`: counts and means over those ratings of an account that the caller may read. With `newest_only` they
 * are those of the newest alone, of which there are at least so many: of one's own, or since a number was taken over.
 */
export const summary = defineEndpoint<{ ratings: RatingReader; audit: Audit }>()({
  route: 'POST /query/summary',
  auth: 'required',
  input: v.strictObject({ acc_nbr: KnownAccountNumber }),
  formKinds: { acc_nbr: 'identifier' },
  output: v.object({
    count: v.number(),
    newest_only: v.optional(v.literal(true)),
    grades: v.object(gradesByName(() => GradeSummary)),
  }),
  async handle(handling) {
    const { input, needs, caller } = handling
    const { acc_nbr } = input
    await noteOperatorRead(handling, acc_nbr)
    const counts = await needs.ratings.countsOfAccount(acc_nbr, readableBy(caller, acc_nbr))
    return { output: { ...summarise(counts, gradeNames), newest_only: counts.isNewestOnly } }
  },
})
