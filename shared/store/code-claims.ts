/** Codes that were sent lately. Shard key `code_digest`. */

import type { CodeClaimStore } from '../ports.ts'
import { type Db, DbError, isDuplicateKey } from './db.ts'
import { bytes, bytesOrNull, integer, isSameBytes, uuidOrNull, uuidToBytes } from './rows.ts'

/** Code claims in a database. */
export function createCodeClaimStore(db: Db): CodeClaimStore {
  return {
    async claim(digest, { nonceDigest, atMs }) {
      let lost: DbError | undefined
      try {
        await db.query(
          'insert into code_claims (code_digest, nonce_digest, claimed_at, user_id, session_id, phone_sealed) values (?, ?, ?, null, null, null)',
          [digest, nonceDigest, atMs],
        )
        return undefined
      } catch (error) {
        if (error instanceof DbError && error.outcome === 'unknown') lost = error
        else if (!isDuplicateKey(error)) throw error
      }
      const { rows } = await db.query(
        'select nonce_digest, claimed_at, user_id, session_id, phone_sealed from code_claims where code_digest = ?',
        [digest],
      )
      const [row] = rows
      if (lost) {
        if (!row) throw lost
        const isOurs = isSameBytes(bytes(row, 'nonce_digest'), nonceDigest)
        if (isOurs && integer(row, 'claimed_at') === atMs) return undefined
      }
      // Given back in this very moment: as if it were still being exchanged.
      if (!row) {
        return { nonceDigest, claimedAtMs: atMs, userId: null, sessionId: null, phoneSealed: null }
      }
      return {
        nonceDigest: bytes(row, 'nonce_digest'),
        claimedAtMs: integer(row, 'claimed_at'),
        userId: uuidOrNull(row, 'user_id'),
        sessionId: uuidOrNull(row, 'session_id'),
        phoneSealed: bytesOrNull(row, 'phone_sealed'),
      }
    },

    async settle(digest, { userId, sessionId, phoneSealed = null }) {
      await db.query(
        'update code_claims set user_id = ?, session_id = ?, phone_sealed = ? where code_digest = ?',
        [
          uuidToBytes(userId),
          sessionId === undefined ? null : uuidToBytes(sessionId),
          phoneSealed,
          digest,
        ],
      )
    },

    async release(digest) {
      await db.query('delete from code_claims where code_digest = ?', [digest])
    },
  }
}
