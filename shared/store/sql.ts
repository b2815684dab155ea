/**
 * Every statement of miniscore, once, in the MySQL dialect that MySQL 8, MariaDB, Vitess and TiDB
 * share. Every statement names its shard key: `acc_nbr` for ratings and folds, `user_id` for what
 * belongs to a person, `(appid, openid)` for the lookup of a person.
 */

import { createHash } from 'node:crypto'
import { stringify as bytesToUuid, parse as uuidToBytes, v7 as uuidV7 } from 'uuid'
import { addCounts, emptyCounts } from '../domain/score.ts'
import type { GradeCounts, NewScore, ReadScope, Score, Slice, Store } from '../ports.ts'
import { type Db, DbError, isDuplicateKey, type SqlRow, type SqlValue } from './db.ts'

/** The store over a door. */
export function createStore(db: Db): Store {
  return {
    async signIn({ appid, openid, unionid, atMs }) {
      const userId =
        (await findIdentity(db, appid, openid)) ?? (await claimIdentity(db, appid, openid, atMs))
      await db.query(
        `insert into users (user_id, appid, openid, unionid, created_at, last_login_at) values (?, ?, ?, ?, ?, ?)
         on duplicate key update unionid = coalesce(values(unionid), unionid), last_login_at = values(last_login_at)`,
        [userId, appid, openid, unionid, atMs, atMs],
      )
      return { userId: bytesToUuid(userId) }
    },

    async addScore(score) {
      const id = uuidToBytes(score.id)
      const key = score.idempotencyKey ?? `=${Buffer.from(id).toString('hex')}`
      const hash = contentHash(score)
      try {
        const { rowsAffected } = await db.query(
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
        if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
        return { result: 'added', id: score.id }
      } catch (error) {
        const isUnknown = error instanceof DbError && error.outcome === 'unknown'
        if (!isDuplicateKey(error) && !isUnknown) throw error
        const earlier = await findSubmission(db, score, key)
        if (!earlier) throw error
        if (!hash.equals(earlier.hash)) return { result: 'conflict' }
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
      const { hint, condition, values } = within(scope)
      const { rows } = await db.query(
        `select grade1, grade2, grade3, count(*) as row_count from ratings ${hint} where acc_nbr = ? ${condition} group by grade1, grade2, grade3`,
        [acc_nbr, ...values],
      )
      return rows.map(readCounts).reduce(addCounts, emptyCounts)
    },
  }
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
  return {
    hint: 'use index (ratings_once)',
    condition: 'and user_id = ?',
    values: [uuidToBytes(scope.userId)],
  }
}

async function findIdentity(
  db: Db,
  appid: string,
  openid: string,
): Promise<Uint8Array | undefined> {
  const { rows } = await db.query('select user_id from identities where appid = ? and openid = ?', [
    appid,
    openid,
  ])
  return rows[0] && bytes(rows[0], 'user_id')
}

/** Two first logins of one person at once end with the same user: the unique key decides. */
async function claimIdentity(
  db: Db,
  appid: string,
  openid: string,
  atMs: number,
): Promise<Uint8Array> {
  const userId = uuidV7({ msecs: atMs }, new Uint8Array(16))
  await db.query(
    'insert ignore into identities (appid, openid, user_id, created_at) values (?, ?, ?, ?)',
    [appid, openid, userId, atMs],
  )
  const claimed = await findIdentity(db, appid, openid)
  if (!claimed) throw new DbError('bad-answer', { outcome: 'unknown' })
  return claimed
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
  return row && { id: bytesToUuid(bytes(row, 'id')), hash: bytes(row, 'content_hash') }
}

function contentHash(score: NewScore): Buffer {
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = score
  const content = JSON.stringify([acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3])
  return createHash('sha256').update(content).digest()
}

function readScore(row: SqlRow): Score {
  return {
    id: bytesToUuid(bytes(row, 'id')),
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

function readCounts(row: SqlRow): GradeCounts {
  const count = integer(row, 'row_count')
  const counted = (name: string): Record<string, number> => {
    const grade = integerOrNull(row, name)
    return grade === null ? {} : { [grade]: count }
  }
  return {
    count,
    grades: { grade1: counted('grade1'), grade2: counted('grade2'), grade3: counted('grade3') },
  }
}

function bytes(row: SqlRow, column: string): Uint8Array {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw unexpected()
}

function text(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw unexpected()
}

function integer(row: SqlRow, column: string): number {
  const value = row[column]
  if (Number.isSafeInteger(value)) return value as number
  throw unexpected()
}

function integerOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}

function unexpected(): DbError {
  return new DbError('bad-answer', { outcome: 'none' })
}
