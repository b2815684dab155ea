/**
 * Sessions of `wx.cloud.callFunction`: the platform vouches for the caller with every call, so there is no token to keep or
 * refresh. The session exists to be listed among a person's devices; one that was ended starts anew with the next call.
 */

import { randomBytes } from 'node:crypto'
import type { PersonStore, PlatformSessions, SessionStore } from '../ports.ts'
import { newSession } from './new-session.ts'

/** One such session a person, so its id may be the same for everybody. */
const SESSION_ID = '00000000-0000-7000-8000-000000000001'

/** Sessions for function calls to the mini program `appid`. */
export function createPlatformSessions({
  appid,
  people,
  store,
  now,
}: {
  appid: string
  people: Pick<PersonStore, 'identify' | 'noteLogin'>
  store: Pick<SessionStore, 'living' | 'addAnew'>
  now: () => number
}): PlatformSessions {
  return {
    async enter(caller) {
      if (caller.appid !== appid) return undefined
      const { openid } = caller
      const atMs = now()
      const identified = await people.identify({ appid, openid, atMs })
      const known = await store.living({ userId: identified, sessionId: SESSION_ID }, atMs)
      if (known) return known
      const login = { appid, openid, unionid: null, sessionKeyOf: () => null, atMs }
      const claims = { userId: await people.noteLogin(login), sessionId: SESSION_ID }
      const own = {
        ...claims,
        kind: 'function-call',
        device: 'wx.cloud',
        refreshKid: '',
        // No token has this hash: such a session cannot be refreshed.
        refreshHash: randomBytes(32),
        proofHash: null,
      } as const
      await store.addAnew(newSession(own, atMs, Number.POSITIVE_INFINITY))
      return store.living(claims, atMs)
    },
  }
}
