import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Clock, SessionStore } from '../../shared/ports.ts'

/** `POST /logout`: ends this session, or all sessions of the user. Their access tokens are refused at once. */
export const logout = defineEndpoint<{ sessionStore: SessionStore; clock: Clock }>()({
  route: 'POST /logout',
  auth: 'required',
  input: v.strictObject({
    everywhere: v.optional(v.boolean('全部退出（everywhere）应为 true 或 false'), false),
  }),
  output: v.undefined(),
  async handle({ input, needs: { sessionStore, clock }, caller }) {
    if (input.everywhere) await sessionStore.endAll(caller.userId, clock.now())
    else await sessionStore.end(caller, clock.now())
    return { status: 204, output: undefined }
  },
})
