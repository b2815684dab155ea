import type { SessionRecord } from '../ports.ts'

/** A session ends, and is no longer listed, when it was not used for so long. */
export const SESSION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

/** A session that starts at `atMs`, as it is stored. */
export function newSession(
  own: Pick<
    SessionRecord,
    'userId' | 'sessionId' | 'kind' | 'device' | 'refreshKid' | 'refreshHash' | 'proofHash'
  >,
  atMs: number,
): SessionRecord {
  return {
    ...own,
    createdAtMs: atMs,
    lastUsedAtMs: atMs,
    expiresAtMs: atMs + SESSION_LIFETIME_MS,
    endedAtMs: null,
    refreshGeneration: 0,
    previousHash: null,
    rotatedAtMs: atMs,
  }
}
