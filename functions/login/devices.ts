import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { Clock, SessionStore } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'

interface Needs {
  sessionStore: SessionStore
  clock: Clock
}

const Device = v.object({
  id: v.string(),
  device: v.string(),
  createdAt: v.string(),
  lastUsedAt: v.string(),
  expiresAt: v.string(),
  /** Whether it is the session that asks. */
  current: v.boolean(),
})

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** `GET /login/devices`: the caller's living sessions, newest first. */
export const devices = defineEndpoint<Needs>()({
  route: 'GET /login/devices',
  auth: 'required',
  input: v.object({}),
  output: v.object({ items: v.array(Device) }),
  async handle({ needs: { sessionStore, clock }, caller: { userId, sessionId } }) {
    const sessions = await sessionStore.list(userId, clock.now())
    const items = sessions.map((session) => ({
      id: session.sessionId,
      device: session.device,
      createdAt: isoTime(session.createdAtMs),
      lastUsedAt: isoTime(session.lastUsedAtMs),
      expiresAt: isoTime(session.expiresAtMs),
      current: session.sessionId === sessionId,
    }))
    return { output: { items } }
  },
})

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** `DELETE /login/devices/{id}`: ends one of the caller's sessions. Somebody else's is not there. */
export const endDevice = defineEndpoint<Needs>()({
  route: 'DELETE /login/devices/{id}',
  auth: 'required',
  input: v.object({ id: v.string() }),
  output: v.undefined(),
  async handle({ input: { id }, needs: { sessionStore, clock }, caller: { userId } }) {
    const hasEnded =
      UUID.test(id) && (await sessionStore.end({ userId, sessionId: id }, clock.now()))
    if (!hasEnded) throw new Problem('not-found')
    return { status: 204, output: undefined }
  },
})
