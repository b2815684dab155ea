import * as v from 'valibot'
import { RatingInput, ratingFormKinds } from '../../shared/domain/rating.ts'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { RatingStore } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'

/** What the article's client shows in a toast. */
const ACCEPTED = '数据提交成功'

/** As many characters as the column holds; a UUID is the usual choice. */
export const IDEMPOTENCY_KEY = /^[A-Za-z0-9._:-]{1,64}$/

/**
 * `POST /score`: stores a rating, once per `Idempotency-Key` of this user and account. A form-encoded
 * request gets the bare JSON string that the rating article's client expects.
 */
export const submitScore = defineEndpoint<{ ratings: RatingStore }>()({
  route: 'POST /score',
  auth: 'required',
  input: RatingInput,
  formKinds: ratingFormKinds,
  output: v.object({ id: v.string(), message: v.string() }),
  async handle({ input: rating, needs: { ratings }, caller: { userId }, facts }) {
    const { idempotencyKey = null } = facts
    if (idempotencyKey !== null && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw new Problem('invalid-field', {
        field: 'Idempotency-Key',
        message: '请求头 Idempotency-Key 应为 1 到 64 位字母、数字或 . _ : -',
      })
    }
    const added = await ratings.addScore({ ...rating, userId, idempotencyKey })
    if (added.result === 'conflict') throw new Problem('idempotency-key-reused')
    return { status: 201, output: { id: added.id, message: ACCEPTED }, formOutput: ACCEPTED }
  },
})
