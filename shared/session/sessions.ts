/**
 * Server-side sessions: a short access token for every call, and an opaque refresh token that is
 * exchanged for the next pair. Nothing is shared between instances but the store, where one
 * conditional update decides who moved a session on.
 */

import { v7 as uuidV7 } from 'uuid'
import type {
  AccessClaims,
  SessionRecord,
  SessionStore,
  Sessions,
  TokenPair,
  Tokens,
} from '../ports.ts'
import { Problem } from '../problem.ts'
import { newSession, sessionEnd } from './new-session.ts'
import {
  judgeRefresh,
  makeRefreshToken,
  type RefreshClaims,
  readRefreshToken,
} from './refresh-token.ts'
import { createSessionCheck, sha256 } from './session-check.ts'

/** What sessions are made of. */
export interface SessionOptions {
  store: SessionStore
  tokens: Pick<Tokens, 'sign'>
  /** Make refresh tokens: the first makes new ones, all recognise old ones. The same ring as for access tokens. */
  keys: readonly { kid: string; secret: Uint8Array }[]
  now: () => number
  /** A session ends at this age, however often it is refreshed. */
  maxAgeMs: number
  /** See `REFRESH_GRACE_MS`. */
  graceMs?: number
}

/** The oldest sessions beyond this end. */
export const SESSIONS_MAX = 20

/** Sessions over a session store. */
export function createSessions(options: SessionOptions): Sessions {
  const { store, tokens, keys, now, maxAgeMs, graceMs } = options
  const secretOf = (kid: string): Uint8Array | undefined =>
    keys.find((each) => each.kid === kid)?.secret
  const currentKid = keys[0]?.kid ?? ''

  const pairOf = async (
    claims: AccessClaims,
    refreshToken: string,
    { expiresAtMs, atMs }: { expiresAtMs: number; atMs: number },
  ): Promise<TokenPair> => {
    const { token, expiresInSeconds } = await tokens.sign(claims)
    const refreshExpiresInSeconds = Math.floor((expiresAtMs - atMs) / 1000)
    return { token, expiresInSeconds, refreshToken, refreshExpiresInSeconds }
  }

  /** A token under the current key. */
  const newToken = (claims: Omit<RefreshClaims, 'kid'>): string =>
    makeRefreshToken(secretOf(currentKid) ?? new Uint8Array(), { ...claims, kid: currentKid })

  /** The token in force of a stored session with its access token; `undefined` when its key is gone. */
  const currentPair = async (session: SessionRecord): Promise<TokenPair | undefined> => {
    const { userId, sessionId, refreshKid: kid, refreshGeneration: generation } = session
    const { expiresAtMs } = session
    const secret = secretOf(kid)
    if (!secret) return undefined
    const claims = { userId, sessionId }
    return pairOf(claims, makeRefreshToken(secret, { ...claims, kid, generation }), {
      expiresAtMs,
      atMs: now(),
    })
  }

  return {
    async start({ userId, kind, device, proofHash }) {
      const atMs = now()
      const claims = { userId, sessionId: uuidV7({ msecs: atMs }) }
      const refreshToken = newToken({ ...claims, generation: 0 })
      const refreshHash = sha256(refreshToken)
      const own = { ...claims, kind, device, refreshKid: currentKid, refreshHash, proofHash }
      const session = newSession(own, atMs, maxAgeMs)
      await store.add(session)
      await store.endOldest(userId, SESSIONS_MAX, atMs)
      const pair = await pairOf(claims, refreshToken, { ...session, atMs })
      return { sessionId: claims.sessionId, ...pair }
    },

    async repeat(claims) {
      const session = await store.find(claims)
      const isFirst = session?.endedAtMs === null && session.refreshGeneration === 0
      return isFirst ? currentPair(session) : undefined
    },

    async refresh(refreshToken, proof, security) {
      const presented = readRefreshToken(refreshToken, proof, secretOf)
      if (!presented) throw new Problem('refresh-rejected')
      const { userId, sessionId, hash: presentedHash } = presented
      const claims = { userId, sessionId }
      const atMs = now()
      const judge = async () => judgeRefresh(await store.find(claims), presented, atMs, graceMs)

      let judged = await judge()
      if (judged.verdict === 'rotate') {
        const expiresAtMs = sessionEnd(judged.session.createdAtMs, atMs, maxAgeMs)
        if (expiresAtMs <= atMs) throw new Problem('refresh-rejected')
        const generation = presented.generation + 1
        const nextToken = newToken({ ...claims, generation })
        const hasMoved = await store.rotate(claims, {
          presentedHash,
          generation,
          kid: currentKid,
          nextHash: sha256(nextToken),
          atMs,
          expiresAtMs,
        })
        if (hasMoved) return pairOf(claims, nextToken, { expiresAtMs, atMs })
        // Somebody else moved the session on meanwhile.
        judged = await judge()
      }
      const pair = judged.verdict === 'repeat' ? await currentPair(judged.session) : undefined
      if (pair) return pair
      if (judged.verdict === 'reuse') {
        security?.note('refresh-token-reused', { userId })
        const hasEnded = await store.end(claims, atMs)
        if (hasEnded) security?.note('session-ended-by-reuse', { userId })
      }
      throw new Problem('refresh-rejected')
    },

    ...createSessionCheck({ store, now }),
  }
}
