/**
 * Refresh tokens: how one is made and recognised, and what presenting one means. Pure: no I/O, no clock.
 *
 * The successor of a token is an HMAC of session and generation, so whoever else answers the same exchange
 * (a retry after a lost answer, fifty parallel requests) gives the same one.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import { stringify as bytesToUuid, parse as uuidToBytes } from 'uuid'
import type { AccessClaims, SessionRecord } from '../ports.ts'
import { isEqual, isProved, sha256 } from './session-check.ts'

/** How long the token before the current one still gives the current one. */
export const REFRESH_GRACE_MS = 10_000

const REFRESH_TOKEN = /^rt_([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{91})$/
/** User id, session id, generation, HMAC. */
const PAYLOAD_BYTES = 16 + 16 + 4
const MAC_BYTES = 32

/** What a refresh token is made of. */
export interface RefreshClaims extends AccessClaims {
  /** The key that signs it. */
  kid: string
  /** 0 for the first token of a session, one more with every refresh. */
  generation: number
}

/** A refresh token as somebody presented it. */
export interface PresentedToken extends RefreshClaims {
  hash: Uint8Array
  /** Whether one of our keys made it. */
  isAuthentic: boolean
  /** What the client shows with it, where its session is bound to a secret. */
  proof: string | undefined
}

/** The refresh token for these claims; `secret` is the key `claims.kid`. */
export function makeRefreshToken(secret: Uint8Array, claims: RefreshClaims): string {
  const payload = encodePayload(claims)
  const mac = macOf(secret, claims.kid, payload)
  return `rt_${claims.kid}.${Buffer.concat([payload, mac]).toString('base64url')}`
}

/** What a text says as a refresh token; `undefined` when it is none, authentic or not. */
export function readRefreshToken(
  text: string,
  proof: string | undefined,
  secretOf: (kid: string) => Uint8Array | undefined,
): PresentedToken | undefined {
  const [, kid, encoded] = REFRESH_TOKEN.exec(text) ?? []
  if (kid === undefined || encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.length !== PAYLOAD_BYTES + MAC_BYTES) return undefined
  const payload = bytes.subarray(0, PAYLOAD_BYTES)
  const secret = secretOf(kid)
  try {
    return {
      kid,
      userId: bytesToUuid(payload.subarray(0, 16)),
      sessionId: bytesToUuid(payload.subarray(16, 32)),
      generation: payload.readUInt32BE(32),
      hash: sha256(text),
      isAuthentic:
        secret !== undefined &&
        timingSafeEqual(macOf(secret, kid, payload), bytes.subarray(PAYLOAD_BYTES)),
      proof,
    }
  } catch {
    return undefined
  }
}

/** What presenting a refresh token means for its session. */
export type RefreshVerdict =
  /** It is the token in force: the session moves on to the next. */
  | { verdict: 'rotate'; session: SessionRecord }
  /** It was in force a moment ago: its answer was lost, or others asked at once. The token in force, again. */
  | { verdict: 'repeat'; session: SessionRecord }
  /** An old token of ours in a second pair of hands: the session ends. */
  | { verdict: 'reuse' }
  /** The session is over, or bound to another secret, or the token is a guess, which ends nobody's session. */
  | { verdict: 'reject' }

/** Judges a token by the session it names. Whoever finds a session moved on meanwhile judges anew. */
export function judgeRefresh(
  session: SessionRecord | undefined,
  { hash, generation, isAuthentic, proof }: PresentedToken,
  nowMs: number,
  graceMs = REFRESH_GRACE_MS,
): RefreshVerdict {
  const isAlive = session?.endedAtMs === null && session.expiresAtMs > nowMs
  if (!isAlive || !isProved(session.proofHash, proof)) return { verdict: 'reject' }
  if (isEqual(session.refreshHash, hash)) return { verdict: 'rotate', session }
  if (session.previousHash !== null && isEqual(session.previousHash, hash)) {
    const isRecent = nowMs - session.rotatedAtMs < graceMs
    return isRecent ? { verdict: 'repeat', session } : { verdict: 'reuse' }
  }
  const isOld = isAuthentic && generation < session.refreshGeneration
  return { verdict: isOld ? 'reuse' : 'reject' }
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
