import * as v from 'valibot'
import { RatingInput, ratingFormKinds, ratingPolicy } from '../../shared/domain/rating.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { RatingSubmissions } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'

/** What the article's client shows in a toast. */
const ACCEPTED = '数据提交成功'
const REPLACED = '已更新您的评价'

/** What the policy has for somebody who may not rate again, by its period. */
const REFUSED = {
  ever: '您已经评价过了',
  week: '您本周已经评价过了，下周再来吧',
  day: '您今天已经评价过了，明天再来吧',
  hour: '您刚刚评价过了，过一会儿再来吧',
}

/** As many characters as the column holds; a UUID is the usual choice. */
export const IDEMPOTENCY_KEY = /^[A-Za-z0-9._:-]{1,64}$/

/**
 * `POST /score`: stores a rating, once per `Idempotency-Key` of this user and account, and as often as the form's policy
 * has it; `replaced` where an earlier one had to go. A form-encoded request gets the bare JSON string that the rating
 * article's client expects.
 */
export const submitScore = defineEndpoint<{
  submissions: RatingSubmissions
  isSharded: boolean
}>()({
  route: 'POST /score',
  auth: 'required',
  looksAtSession: ({ isSharded }) => !isSharded,
  input: RatingInput,
  formKinds: ratingFormKinds,
  output: v.object({ id: v.string(), message: v.string(), replaced: v.optional(v.literal(true)) }),
  async handle({ input: rating, needs: { submissions }, caller: { userId }, facts, session }) {
    const { idempotencyKey = null } = facts
    if (idempotencyKey !== null && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw new Problem('invalid-field', {
        field: 'Idempotency-Key',
        message: '请求头 Idempotency-Key 应为 1 到 64 位字母、数字或 . _ : -',
      })
    }
    const added = await submissions.addScore(
      { ...rating, userId, idempotencyKey },
      ratingPolicy,
      session,
    )
    if (added.result === 'no-session') throw new Problem('unauthenticated')
    if (added.result === 'conflict') throw new Problem('idempotency-key-reused')
    if (added.result === 'refused') {
      throw new Problem('already-rated', { message: REFUSED[ratingPolicy?.per ?? 'ever'] })
    }
    const { id, hasReplaced } = added
    const output = hasReplaced
      ? ({ id, message: REPLACED, replaced: true } as const)
      : { id, message: ACCEPTED }
    return { status: 201, output, formOutput: ACCEPTED }
  },
})
