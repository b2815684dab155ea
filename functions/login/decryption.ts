/** Decrypting what a logged-in caller sends: with every key known, and not often in vain. */

import type { Caller, Clock, CounterStore, PersonStore, Vault } from '../../shared/ports.ts'
import { Problem } from '../../shared/problem.ts'
import type { UserData } from '../../shared/wechat/user-data.ts'
import { decryptWithKeys, openSessionKeys } from './session-keys.ts'

/** What decrypting for a caller needs. */
export interface DecryptionNeeds {
  appid: string
  people: PersonStore
  counters: CounterStore
  vault: Vault
  clock: Clock
}

/** More failures than an honest client has; far fewer than forging data by its error messages takes. */
export const DECRYPT_FAILURES_MAX = 5
const WINDOW_MS = 60 * 60 * 1000

/**
 * The data, by the newest key or an older one. Every attempt is counted before it is made and
 * given back when it succeeds, so attempts at once cannot slip through.
 * @throws {Problem} `session-key-stale` whatever is wrong with the data, `too-many-requests` after five failures
 */
export async function decryptForCaller(
  data: {
    encryptedData: string
    iv: string
    rawData?: string | undefined
    signature?: string | undefined
  },
  { appid, people, counters, vault, clock }: DecryptionNeeds,
  { userId, sessionId, openid }: Caller,
): Promise<UserData> {
  const nowMs = clock.now()
  const window = { lengthMs: WINDOW_MS, atMs: nowMs }
  // With the user: sessions of wx.cloud have the same id for everybody.
  const key = `decrypt:${userId}:${sessionId}`
  if ((await counters.increment(key, window)) > DECRYPT_FAILURES_MAX) {
    const retryAfterSeconds = Math.ceil((WINDOW_MS - (nowMs % WINDOW_MS)) / 1000)
    throw new Problem('too-many-requests', { retryAfterSeconds })
  }
  const sessionKeys = await openSessionKeys({ vault, people }, userId)
  const userData = decryptWithKeys(sessionKeys, { ...data, appid, openid, nowMs })
  if (!userData) throw new Problem('session-key-stale')
  await counters.decrement(key, window)
  return userData
}
