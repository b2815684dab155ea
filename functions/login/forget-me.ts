import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Forgetting } from '../../shared/ports.ts'

/**
 * `DELETE /login/me`: removes the person: sessions, keys, phone, and the ratings or, where configured, only their link
 * to the person. Once it is answered nobody is this person; what is too much for one call is removed soon after.
 */
export const forgetMe = defineEndpoint<{ forgetting: Forgetting }>()({
  route: 'DELETE /login/me',
  auth: 'required',
  input: v.object({}),
  output: v.undefined(),
  async handle({ needs: { forgetting }, caller: { userId }, facts: { remainingMs }, security }) {
    const isFinished = await forgetting.forget(userId, remainingMs)
    security.note('person-forgotten')
    if (!isFinished) security.note('forgetting-unfinished')
    return { status: 204, output: undefined }
  },
})
