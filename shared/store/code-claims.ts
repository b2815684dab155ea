/** Codes that were sent lately. Shard key `code_digest`. */

import type { CodeClaimStore } from '../ports.ts'
import { type Db, isDuplicateKey } from './db.ts'
import { bytes, integer, uuidOrNull, uuidToBytes } from './rows.ts'

/** Code claims in a database. */
export function createCodeClaimStore(db: Db): CodeClaimStore {
  return {
    async claim(digest, { nonceDigest, atMs }) {
      try {
        await db.query(
          'insert into code_claims (code_digest, nonce_digest, claimed_at, user_id, session_id) values (?, ?, ?, null, null)',
          [digest, nonceDigest, atMs],
        )
        return undefined
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
      }
      const { rows } = await db.query(
        'select nonce_digest, claimed_at, user_id, session_id from code_claims where code_digest = ?',
        [digest],
      )
      const [row] = rows
      // Given back in this very moment: as if it were still being exchanged.
      if (!row) return { nonceDigest, claimedAtMs: atMs, userId: null, sessionId: null }
      return {
        nonceDigest: bytes(row, 'nonce_digest'),
        claimedAtMs: integer(row, 'claimed_at'),
        userId: uuidOrNull(row, 'user_id'),
        sessionId: uuidOrNull(row, 'session_id'),
      }
    },

    async settle(digest, { userId, sessionId }) {
      await db.query('update code_claims set user_id = ?, session_id = ? where code_digest = ?', [
        uuidToBytes(userId),
        sessionId === null ? null : uuidToBytes(sessionId),
        digest,
      ])
    },

    async release(digest) {
      await db.query('delete from code_claims where code_digest = ?', [digest])
    },
  }
}
