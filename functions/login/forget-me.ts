import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Audit, Forgetting } from '../../shared/ports.ts'
import { Code } from './fields.ts'
import { type FreshLoginNeeds, requireFreshLogin } from './fresh-login.ts'

interface Needs extends FreshLoginNeeds {
  audit: Audit
  forgetting: Forgetting
}

/**
 * `DELETE /login/me` with a fresh login code: removes the person: sessions, keys, phone, and the ratings or, where
 * configured, only their link to the person. Once it is answered nobody is this person; what is too much for one call is
 * removed soon after.
 */
export const forgetMe = defineEndpoint<Needs>()({
  route: 'DELETE /login/me',
  auth: 'required',
  readsBody: true,
  input: v.strictObject({ code: v.optional(Code('code')) }),
  output: v.undefined(),
  async handle({ input: { code }, needs, caller, facts, security }) {
    const { userId } = caller
    const { remainingMs, requestId } = facts
    await requireFreshLogin(code, needs, caller, remainingMs)
    // First, for it may take all the time there is: without account of it nothing is done, and the person may ask again.
    await needs.audit.record('person-forgotten', { userId, requestId })
    const isFinished = await needs.forgetting.forget(userId, remainingMs)
    security.note('person-forgotten')
    if (!isFinished) security.note('forgetting-unfinished')
    return { status: 204, output: undefined }
  },
})
