import * as v from 'valibot'
import { gradeNames, gradesByName, KnownAccountNumber } from '../../shared/domain/rating.ts'
import { readableBy, summarise } from '../../shared/domain/score.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { RatingReader } from '../../shared/ports.ts'

const GradeSummary = v.object({
  mean: v.nullable(v.number()),
  counts: v.record(v.string(), v.number()),
})

/**
 * `POST /query/summary`: counts and means over those ratings of an account that the caller may read. With `newest_only` they
 * are those of the newest ratings of the caller's own, of which there are at least so many.
 */
export const summary = defineEndpoint<{ ratings: RatingReader }>()({
  route: 'POST /query/summary',
  auth: 'required',
  input: v.strictObject({ acc_nbr: KnownAccountNumber }),
  formKinds: { acc_nbr: 'identifier' },
  output: v.object({
    count: v.number(),
    newest_only: v.optional(v.literal(true)),
    grades: v.object(gradesByName(() => GradeSummary)),
  }),
  async handle({ input: { acc_nbr }, needs: { ratings }, caller, security }) {
    if (caller.isOperator) security.note('operator-read', { acc_nbr })
    const counts = await ratings.countsOfAccount(acc_nbr, readableBy(caller, acc_nbr))
    return { output: { ...summarise(counts, gradeNames), newest_only: counts.isNewestOnly } }
  },
})
