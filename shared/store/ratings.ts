/**
 * Ratings and their counts. Statements are in the dialect that MySQL 8, MariaDB, Vitess and TiDB
 * share, and name their shard key, `acc_nbr`; only the list of one's own ratings goes by `user_id`.
 */

import { createHash } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import type { NewScore, RatingStore, ReadScope, Score, Slice } from '../ports.ts'
import { type Later, summarisedCounts } from './account-counts.ts'
import { DATABASE_MS, databaseMs } from './database-clock.ts'
import { type Db, DbError, isDuplicateKey, RETRYABLE_ERRNOS, type SqlRow } from './db.ts'
import { type CountLimits, countLimits } from './folds.ts'
import { sumCounts } from './grade-counts.ts'
import { BEFORE_FIRST_ID, lastIdAt } from './id-range.ts'
import {
  bytesOrNull,
  integer,
  integerOrNull,
  isSameBytes,
  text,
  uuid,
  uuidToBytes,
} from './rows.ts'

/** Ratings in a database; `limits` are lower in tests. What an answer need not wait for is done at once unless `later` says. */
export function createRatingStore(
  db: Db,
  now: () => number,
  limits: CountLimits = countLimits,
  later?: Later,
): RatingStore {
  return {
    async addScore(score) {
      const hash = score.idempotencyKey === null ? null : contentHash(score)
      let atMs = now()
      for (let attempt = 1; ; attempt++) {
        const id = uuidV7({ msecs: atMs })
        try {
          await insert(db, score, { id, atMs, hash })
          return { result: 'added', id }
        } catch (error) {
          if (isRefusedTime(error) && attempt < ATTEMPTS_MAX) {
            atMs = await databaseMs(db, score.acc_nbr)
            continue
          }
          const isUnknown = error instanceof DbError && error.outcome === 'unknown'
          if (!isDuplicateKey(error) && !isUnknown) throw error
          const earlier = await findSubmission(db, score, id)
          if (!earlier) throw error
          if (earlier.id === id) return { result: 'added', id }
          const isSame = hash && earlier.hash && isSameBytes(hash, earlier.hash)
          return isSame ? { result: 'same', id: earlier.id } : { result: 'conflict' }
        }
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
      const { condition, values } = within(scope)
      const { rows } = await db.query(
        `select ${SCORE_COLUMNS} from ratings ${condition} and id < ? and id > ? order by id desc limit ?`,
        [acc_nbr, ...values, beforeId(slice), afterId(slice), slice.limit],
      )
      return rows.map(readScore)
    },

    async countsOfAccount(acc_nbr, scope) {
      if (scope.kind === 'all') return summarisedCounts(db, acc_nbr, now, limits, later)
      const max = scope.kind === 'author' ? limits.ownMax : limits.sinceMax
      const { condition, values } = within(scope)
      // The newest are found by their index alone: asked for more than that, MySQL fetches a thousand rows ahead, whatever
      // the limit.
      const { rows } = await db.query(
        `select r.grade1, r.grade2, r.grade3, count(*) as row_count
         from (select acc_nbr, id from ratings ${condition} order by id desc limit ?) newest
         join ratings r on r.acc_nbr = newest.acc_nbr and r.id = newest.id
         group by r.grade1, r.grade2, r.grade3`,
        [acc_nbr, ...values, max],
      )
      const counts = sumCounts(rows)
      return counts.count < max ? counts : { ...counts, isNewestOnly: true }
    },
  }
}

const ATTEMPTS_MAX = 3

/**
 * How far the time of a rating may be from the database's. The mark of folded counts stays further behind than this
 * and a statement's life together, so that no rating appears behind it, whatever an instance's clock says.
 */
const TIME_TOLERANCE_MS = 30_000
/** Column cannot be null: what the insert makes of a time too far from the database's. */
const NULL_ERRNO = 1048

function isRefusedTime(error: unknown): boolean {
  return error instanceof DbError && error.errno === NULL_ERRNO
}

/** @throws {DbError} with `NULL_ERRNO` when `atMs` is too far from the database's time */
async function insert(
  db: Db,
  score: NewScore,
  { id, atMs, hash }: { id: string; atMs: number; hash: Uint8Array | null },
): Promise<void> {
  const { rowsAffected } = await retryConflicts(() =>
    db.query(
      `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, if(${DATABASE_MS} between ? and ?, ?, null), ?, ?)`,
      [
        score.acc_nbr,
        uuidToBytes(id),
        uuidToBytes(score.userId),
        score.grade1,
        score.grade2,
        score.grade3,
        score.txt1,
        score.txt2,
        score.txt3,
        atMs - TIME_TOLERANCE_MS,
        atMs + TIME_TOLERANCE_MS,
        atMs,
        score.idempotencyKey,
        hash,
      ],
    ),
  )
  if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
}

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

const SCORE_COLUMNS = 'id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time'

/** Sorts after every id. */
const AFTER_LAST_ID = new Uint8Array(16).fill(0xff)

function beforeId({ before }: Slice): Uint8Array {
  return before === null ? AFTER_LAST_ID : uuidToBytes(before)
}

function afterId({ after = null }: Slice): Uint8Array {
  return after === null ? BEFORE_FIRST_ID : uuidToBytes(after)
}

/** Without the hints the optimisers may walk through all ratings of an account, or sort all of an author's. */
function within(scope: ReadScope): { condition: string; values: Uint8Array[] } {
  if (scope.kind === 'all')
    return { condition: 'force index (primary) where acc_nbr = ?', values: [] }
  if (scope.kind === 'since') {
    const values = [lastIdAt(scope.sinceMs - 1)]
    return { condition: 'force index (primary) where acc_nbr = ? and id > ?', values }
  }
  return {
    condition: 'force index (ratings_own) where acc_nbr = ? and user_id = ?',
    values: [uuidToBytes(scope.userId)],
  }
}

/** The rating under the client's key, or the one of this id where there is no key. */
async function findSubmission(
  db: Db,
  { acc_nbr, userId, idempotencyKey }: NewScore,
  id: string,
): Promise<{ id: string; hash: Uint8Array | null } | undefined> {
  const [which, values] =
    idempotencyKey === null
      ? ['id = ?', [uuidToBytes(id)]]
      : ['user_id = ? and idempotency_key = ?', [uuidToBytes(userId), idempotencyKey]]
  const { rows } = await db.query(
    `select id, content_hash from ratings where acc_nbr = ? and ${which}`,
    [acc_nbr, ...values],
  )
  const [row] = rows
  return row && { id: uuid(row, 'id'), hash: bytesOrNull(row, 'content_hash') }
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
