/**
 * Ratings and their counts. Statements are in the dialect that MySQL 8, MariaDB, Vitess and TiDB
 * share, and name their shard key, `acc_nbr`; only the list of one's own ratings goes by `user_id`.
 */

import { createHash } from 'node:crypto'
import type { NewScore, RatingStore, ReadScope, Score, Slice } from '../ports.ts'
import {
  type Db,
  DbError,
  isDuplicateKey,
  RETRYABLE_ERRNOS,
  type SqlRow,
  type SqlValue,
} from './db.ts'
import { countAccount, FOLD_TAIL_MAX, foldAccount, lastIdAt, sumCounts } from './folds.ts'
import { bytes, integer, integerOrNull, isSameBytes, text, uuid, uuidToBytes } from './rows.ts'

/** Ratings in a database. */
export function createRatingStore(db: Db, now: () => number): RatingStore {
  return {
    async addScore(score) {
      const id = uuidToBytes(score.id)
      const key = score.idempotencyKey ?? ownKey(id)
      const hash = contentHash(score)
      const insert = () =>
        db.query(
          `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [
            score.acc_nbr,
            id,
            uuidToBytes(score.userId),
            score.grade1,
            score.grade2,
            score.grade3,
            score.txt1,
            score.txt2,
            score.txt3,
            score.insertTimeMs,
            key,
            hash,
          ],
        )
      try {
        const { rowsAffected } = await retryConflicts(insert)
        if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
        return { result: 'added', id: score.id }
      } catch (error) {
        const isUnknown = error instanceof DbError && error.outcome === 'unknown'
        if (!isDuplicateKey(error) && !isUnknown) throw error
        const earlier = await findSubmission(db, score, key)
        if (!earlier) throw error
        if (!isSameBytes(hash, earlier.hash)) return { result: 'conflict' }
        return { result: earlier.id === score.id ? 'added' : 'same', id: earlier.id }
      }
    },

    async scoresByAuthor(userId, slice) {
      const { rows } = await db.query(
        `select ${SCORE_COLUMNS} from ratings where user_id = ? and id < ? order by id desc limit ?`,
        [uuidToBytes(userId), beforeId(slice), slice.limit],
      )
      return rows.map(readScore)
    },

    async scoresOfAccount(acc_nbr, scope, slice) {
      const { hint, condition, values } = within(scope)
      const { rows } = await db.query(
        `select ${SCORE_COLUMNS} from ratings ${hint} where acc_nbr = ? ${condition} and id < ? order by id desc limit ?`,
        [acc_nbr, ...values, beforeId(slice), slice.limit],
      )
      return rows.map(readScore)
    },

    async countsOfAccount(acc_nbr, scope) {
      if (scope.kind === 'all') {
        const { counts, tail } = await countAccount(db, acc_nbr)
        // The answer is exact already; folding only makes the next one cheaper, and may fail.
        if (tail > FOLD_TAIL_MAX) await foldAccount(db, acc_nbr, now()).catch(() => {})
        return counts
      }
      const { hint, condition, values } = within(scope)
      const { rows } = await db.query(
        `select grade1, grade2, grade3, count(*) as row_count from ratings ${hint} where acc_nbr = ? ${condition} group by grade1, grade2, grade3`,
        [acc_nbr, ...values],
      )
      return sumCounts(rows)
    },
  }
}

const ATTEMPTS_MAX = 3

/** One statement is its own transaction: when it met a deadlock or a lock, it may simply be sent again. */
async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const isConflict = error instanceof DbError && RETRYABLE_ERRNOS.has(error.errno ?? 0)
      if (!isConflict || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

/** Stands for the client's key where there is none; no client can send it. */
export function ownKey(id: Uint8Array): string {
  return `=${Buffer.from(id).toString('hex')}`
}

const SCORE_COLUMNS = 'id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time'

/** Sorts after every id. */
const AFTER_LAST_ID = new Uint8Array(16).fill(0xff)

function beforeId({ before }: Slice): Uint8Array {
  return before === null ? AFTER_LAST_ID : uuidToBytes(before)
}

/**
 * One author's ratings of an account are few, but without the hint the optimiser may walk
 * through all ratings of a busy account to find them in order.
 */
function within(scope: ReadScope): { hint: string; condition: string; values: SqlValue[] } {
  if (scope.kind === 'all') return { hint: '', condition: '', values: [] }
  if (scope.kind === 'since') {
    // MySQL would rather walk through the other index.
    const values = [lastIdAt(scope.sinceMs - 1)]
    return { hint: 'force index (primary)', condition: 'and id > ?', values }
  }
  return {
    hint: 'use index (ratings_once)',
    condition: 'and user_id = ?',
    values: [uuidToBytes(scope.userId)],
  }
}

async function findSubmission(
  db: Db,
  { acc_nbr, userId }: NewScore,
  key: string,
): Promise<{ id: string; hash: Uint8Array } | undefined> {
  const { rows } = await db.query(
    'select id, content_hash from ratings where acc_nbr = ? and user_id = ? and idempotency_key = ?',
    [acc_nbr, uuidToBytes(userId), key],
  )
  const [row] = rows
  return row && { id: uuid(row, 'id'), hash: bytes(row, 'content_hash') }
}

function contentHash(score: NewScore): Buffer {
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = score
  const content = JSON.stringify([acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3])
  return createHash('sha256').update(content).digest()
}

function readScore(row: SqlRow): Score {
  return {
    id: uuid(row, 'id'),
    acc_nbr: text(row, 'acc_nbr'),
    grade1: integerOrNull(row, 'grade1'),
    grade2: integerOrNull(row, 'grade2'),
    grade3: integerOrNull(row, 'grade3'),
    txt1: text(row, 'txt1'),
    txt2: text(row, 'txt2'),
    txt3: text(row, 'txt3'),
    insertTimeMs: integer(row, 'insert_time'),
  }
}
