import type { SessionRecord } from '../ports.ts'

/** A session ends, and is no longer listed, when it was not used for so long. */
export const SESSION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

/** When a session ends that is used at `atMs`, unless it is used again: however often it is, not later than its greatest age. */
export function sessionEnd(createdAtMs: number, atMs: number, maxAgeMs: number): number {
  return Math.min(atMs + SESSION_LIFETIME_MS, createdAtMs + maxAgeMs)
}

/** A session that starts at `atMs`, as it is stored. */
export function newSession(
  own: Pick<
    SessionRecord,
    'userId' | 'sessionId' | 'kind' | 'device' | 'refreshKid' | 'refreshHash' | 'proofHash'
  >,
  atMs: number,
  maxAgeMs: number,
): SessionRecord {
  return {
    ...own,
    createdAtMs: atMs,
    lastUsedAtMs: atMs,
    expiresAtMs: sessionEnd(atMs, atMs, maxAgeMs),
    endedAtMs: null,
    refreshGeneration: 0,
    previousHash: null,
    rotatedAtMs: atMs,
  }
}
