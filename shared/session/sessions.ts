/**
 * Server-side sessions: a short access token for every call, and an opaque refresh token that is
 * exchanged for the next pair. Nothing is shared between instances but the store.
 *
 * The successor of a refresh token is an HMAC of session and generation, so whoever else answers the same
 * exchange (a retry after a lost answer, fifty parallel requests) gives the same one, and one conditional
 * update decides who moved the session on.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import { stringify as bytesToUuid, parse as uuidToBytes, v7 as uuidV7 } from 'uuid'
import type {
  AccessClaims,
  SessionRecord,
  SessionStore,
  Sessions,
  TokenPair,
  Tokens,
} from '../ports.ts'
import { Problem } from '../problem.ts'
import { createSessionCheck, isEqual, isProved, sha256 } from './session-check.ts'

/** What sessions are made of. */
export interface SessionOptions {
  store: SessionStore
  tokens: Pick<Tokens, 'sign'>
  /** Derive refresh tokens: the first makes new ones, all recognise old ones. The same ring as for access tokens. */
  keys: readonly { kid: string; secret: Uint8Array }[]
  now: () => number
  /** See `REFRESH_GRACE_MS`. */
  graceMs?: number
}

/** A session ends when it was not refreshed for so long. */
export const SESSION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000
/** The oldest sessions beyond this end. */
export const SESSIONS_MAX = 20
/** How long the token before the current one still gives the current one. */
export const REFRESH_GRACE_MS = 10_000

const REFRESH_TOKEN = /^rt_([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{91})$/
/** User id, session id, generation, HMAC. */
const PAYLOAD_BYTES = 16 + 16 + 4
const MAC_BYTES = 32

/** Sessions over a session store. */
export function createSessions({
  store,
  tokens,
  keys,
  now,
  graceMs = REFRESH_GRACE_MS,
}: SessionOptions): Sessions {
  const secretOf = (kid: string): Uint8Array | undefined =>
    keys.find((each) => each.kid === kid)?.secret
  const [{ kid: currentKid } = { kid: '' }] = keys

  const pairOf = async (claims: AccessClaims, refreshToken: string): Promise<TokenPair> => {
    const { token, expiresInSeconds } = await tokens.sign(claims)
    const refreshExpiresInSeconds = SESSION_LIFETIME_MS / 1000
    return { token, expiresInSeconds, refreshToken, refreshExpiresInSeconds }
  }

  /** The token in force of a stored session; `undefined` when its key is gone. */
  const currentToken = (session: SessionRecord): string | undefined => {
    const secret = secretOf(session.refreshKid)
    return (
      secret &&
      deriveToken(secret, {
        ...session,
        kid: session.refreshKid,
        generation: session.refreshGeneration,
      })
    )
  }

  return {
    async start({ userId, kind, device, proofHash }) {
      const atMs = now()
      const sessionId = uuidV7({ msecs: atMs })
      const secret = secretOf(currentKid) ?? new Uint8Array()
      const refreshToken = deriveToken(secret, {
        kid: currentKid,
        userId,
        sessionId,
        generation: 0,
      })
      await store.add({
        userId,
        sessionId,
        kind,
        device,
        createdAtMs: atMs,
        lastUsedAtMs: atMs,
        expiresAtMs: atMs + SESSION_LIFETIME_MS,
        endedAtMs: null,
        refreshGeneration: 0,
        refreshKid: currentKid,
        refreshHash: sha256(refreshToken),
        previousHash: null,
        rotatedAtMs: atMs,
        proofHash,
      })
      await store.endOldest(userId, SESSIONS_MAX, atMs)
      return { sessionId, ...(await pairOf({ userId, sessionId }, refreshToken)) }
    },

    async repeat(claims) {
      const session = await store.find(claims)
      if (!session || session.endedAtMs !== null || session.refreshGeneration !== 0)
        return undefined
      const refreshToken = currentToken(session)
      return refreshToken === undefined ? undefined : pairOf(claims, refreshToken)
    },

    async refresh(refreshToken, proof) {
      const presented = parseToken(refreshToken)
      if (!presented) throw new Problem('refresh-rejected')
      const { userId, sessionId, generation } = presented
      const claims = { userId, sessionId }
      const presentedHash = sha256(refreshToken)
      const atMs = now()

      const session = await store.find(claims)
      const isAlive = session?.endedAtMs === null && session.expiresAtMs > atMs
      if (!session || !isAlive || !isProved(session.proofHash, proof)) {
        throw new Problem('refresh-rejected')
      }

      if (isEqual(session.refreshHash, presentedHash)) {
        const secret = secretOf(currentKid) ?? new Uint8Array()
        const successor = { kid: currentKid, ...claims, generation: generation + 1 }
        const nextToken = deriveToken(secret, successor)
        const hasMoved = await store.rotate(claims, {
          presentedHash,
          generation: generation + 1,
          kid: currentKid,
          nextHash: sha256(nextToken),
          atMs,
          expiresAtMs: atMs + SESSION_LIFETIME_MS,
        })
        if (hasMoved) return pairOf(claims, nextToken)
      }

      // Somebody else moved the session on, now or before.
      const moved = isEqual(session.refreshHash, presentedHash) ? await store.find(claims) : session
      if (!moved || moved.endedAtMs !== null) throw new Problem('refresh-rejected')
      const isPrevious = moved.previousHash !== null && isEqual(moved.previousHash, presentedHash)
      if (isPrevious && atMs - moved.rotatedAtMs < graceMs) {
        const nextToken = currentToken(moved)
        if (nextToken !== undefined) return pairOf(claims, nextToken)
      }
      // An old token of ours in a second pair of hands. Anything else is a guess and ends nobody's session.
      if (
        isPrevious ||
        (generation < moved.refreshGeneration && isAuthentic(presented, secretOf(presented.kid)))
      ) {
        await store.end(claims, atMs)
      }
      throw new Problem('refresh-rejected')
    },

    check: createSessionCheck({ store, now }).check,
  }
}

interface RefreshClaims extends AccessClaims {
  kid: string
  generation: number
}

function deriveToken(secret: Uint8Array, claims: RefreshClaims): string {
  const payload = encodePayload(claims)
  const mac = macOf(secret, claims.kid, payload)
  return `rt_${claims.kid}.${Buffer.concat([payload, mac]).toString('base64url')}`
}

function encodePayload({ userId, sessionId, generation }: RefreshClaims): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES)
  payload.set(uuidToBytes(userId), 0)
  payload.set(uuidToBytes(sessionId), 16)
  payload.writeUInt32BE(generation, 32)
  return payload
}

/** The purpose keeps these apart from the signatures of access tokens, made with the same keys. */
function macOf(secret: Uint8Array, kid: string, payload: Uint8Array): Buffer {
  return createHmac('sha256', secret)
    .update(`miniscore refresh token ${kid}\0`)
    .update(payload)
    .digest()
}

function parseToken(token: string): (RefreshClaims & { payload: Buffer; mac: Buffer }) | undefined {
  const [, kid, encoded] = REFRESH_TOKEN.exec(token) ?? []
  if (kid === undefined || encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length !== PAYLOAD_BYTES + MAC_BYTES) return undefined
  const payload = bytes.subarray(0, PAYLOAD_BYTES)
  try {
    return {
      kid,
      userId: bytesToUuid(payload.subarray(0, 16)),
      sessionId: bytesToUuid(payload.subarray(16, 32)),
      generation: payload.readUInt32BE(32),
      payload,
      mac: bytes.subarray(PAYLOAD_BYTES),
    }
  } catch {
    return undefined
  }
}

function isAuthentic(
  { kid, payload, mac }: { kid: string; payload: Buffer; mac: Buffer },
  secret: Uint8Array | undefined,
): boolean {
  return secret !== undefined && timingSafeEqual(macOf(secret, kid, payload), mac)
}
