/**
 * How often one person may rate one account. Each rating that counts has a turn in its period, by the database's clock, and
 * the key `ratings_turns` keeps two of one person from having the same: for the first of a period one statement does.
 */

import { createHash } from 'node:crypto'
import type { NewScore, RatingPolicy } from '../ports.ts'
import { DATABASE_MS } from './database-clock.ts'
import { type Db, DbError, type Queryable, type SqlRow, type SqlValue } from './db.ts'
import { removeRatings } from './folds.ts'
import { bytes, bytesOrNull, integer, isSameBytes, uuid, uuidToBytes } from './rows.ts'
import { LIVING_SESSION, type LookedAtSession, livingValues } from './session-in-statement.ts'

/** What the store gives a rating. */
export interface RatingRow {
  id: string
  atMs: number
  /** Of the content, where the client sent a key. */
  hash: Uint8Array | null
  /** The author's session, to be looked at by the statement that stores the rating. */
  session?: LookedAtSession | undefined
}

/** Which turn a rating takes: none, one of the current period by its number, or that of another rating. */
export type RatingTurn =
  | { kind: 'none' }
  | { kind: 'of-period'; period: RatingPolicy['per']; index: number }
  | { kind: 'of-another'; turn: number }

/** A submission that was stored, now or before, whether or not it was replaced since. */
export interface StoredSubmission {
  id: string
  hash: Uint8Array | null
  hasReplaced: boolean
}

/** Ratings and their turns in a database. */
export interface RatingTurns {
  /**
   * Stores a rating in its turn, from which another one has to go; or finds that this very submission was stored there
   * before. @throws {DbError} `NULL_ERRNO` when its time is too far from the database's or its session does not live, 1062 when
   * its key or turn is taken
   */
  take(score: NewScore, row: RatingRow, turn: RatingTurn): Promise<StoredSubmission>
  /** For a person who has had the first: the turn that the policy leaves them, unless this very submission had one once. */
  next(score: NewScore, policy: RatingPolicy): Promise<RatingTurn | StoredSubmission | 'refused'>
}

/** Turns in a database, where no rating is folded that is younger than `foldDelayMs`. */
export function createRatingTurns(db: Db, foldDelayMs: number): RatingTurns {
  return {
    async take(score, row, turn) {
      if (turn.kind !== 'of-another') {
        await insert(db, score, row, { values: turnValues(turn), replaced: null })
        return { ...row, hasReplaced: false }
      }
      return db.transaction(async (transaction) => {
        const { rows } = await transaction.query(
          `select id, idempotency_key, content_hash, replaced from ratings
           where acc_nbr = ? and user_id = ? and turn = ? for update`,
          [score.acc_nbr, uuidToBytes(score.userId), turn.turn],
        )
        const [other] = rows
        const earlier = other && findStored(other, score.idempotencyKey)
        if (earlier) return earlier
        if (other) {
          const id = bytes(other, 'id')
          // What cannot be folded before this is over concerns no counts.
          if (timeOf(id) > row.atMs - foldDelayMs / 4) await remove(transaction, score.acc_nbr, id)
          else await removeRatings(transaction, score.acc_nbr, [id])
        }
        const replaced = other ? remember(other) : null
        await insert(transaction, score, row, { values: turnValues(turn), replaced })
        return { ...row, hasReplaced: other !== undefined }
      })
    },

    async next({ acc_nbr, userId, idempotencyKey }, { atMost, per, further }) {
      const { rows } = await db.query(
        `select id, idempotency_key, content_hash, replaced, turn from ratings force index (ratings_turns)
         where acc_nbr = ? and user_id = ? and turn between ${PERIOD_TURN} and ${PERIOD_TURN} order by id desc`,
        [
          acc_nbr,
          uuidToBytes(userId),
          ...turnValues({ kind: 'of-period', period: per, index: 0 }),
          ...turnValues({ kind: 'of-period', period: per, index: TURNS_PER_PERIOD - 1 }),
        ],
      )
      for (const row of rows) {
        const earlier = findStored(row, idempotencyKey)
        if (earlier) return earlier
      }
      const turns = rows.map((row) => integer(row, 'turn'))
      const taken = new Set(turns.map((turn) => turn % TURNS_PER_PERIOD))
      for (let index = 0; index < atMost; index++) {
        if (!taken.has(index)) return { kind: 'of-period', period: per, index }
      }
      const [newest = 0] = turns
      return further === 'refuse' ? 'refused' : { kind: 'of-another', turn: newest }
    },
  }
}

/** Column cannot be null: what the insert makes of a time too far from the database's, and of a session that does not live. */
export const NULL_ERRNO = 1048

/**
 * How far the time of a rating may be from the database's. The mark of folded counts stays further behind than this
 * and a statement's life together, so that no rating appears behind it, whatever an instance's clock says.
 */
const TIME_TOLERANCE_MS = 30_000

/** Turns are numbered from the second at which their period began, times this. */
const TURNS_PER_PERIOD = 100

/** Factor, offset and length in seconds, and the number of the turn. Spelt so that MySQL and SQLite read it alike. */
const PERIOD_TURN = '? * (unix_timestamp() - (unix_timestamp() + ?) % ?) + ?'

/** Days and weeks are China's; a week begins on Monday, and the epoch was a Thursday. */
const periods = {
  hour: { offset: 0, seconds: 3600 },
  day: { offset: 8 * 3600, seconds: 24 * 3600 },
  week: { offset: (3 * 24 + 8) * 3600, seconds: 7 * 24 * 3600 },
}

function turnValues(turn: RatingTurn): SqlValue[] {
  if (turn.kind === 'none') return [null, 0, 1, 0]
  if (turn.kind === 'of-another') return [0, 0, 1, turn.turn]
  if (turn.period === 'ever') return [0, 0, 1, turn.index]
  const { offset, seconds } = periods[turn.period]
  return [TURNS_PER_PERIOD, offset, seconds, turn.index]
}

async function insert(
  db: Queryable,
  score: NewScore,
  { id, atMs, hash, session }: RatingRow,
  turn: { values: SqlValue[]; replaced: Uint8Array | null },
): Promise<void> {
  const author = authorOf(score, session)
  const { rowsAffected } = await db.query(
    `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash, replaced, turn)
     values (?, ?, ${author.expression}, ?, ?, ?, ?, ?, ?, if(${DATABASE_MS} between ? and ?, ?, null), ?, ?, ?, ${PERIOD_TURN})`,
    [
      score.acc_nbr,
      uuidToBytes(id),
      ...author.values,
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
      turn.replaced,
      ...turn.values,
    ],
  )
  if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
}

/** The author, or where a session has to live nobody without it: one statement, and no moment between the two. */
function authorOf(
  { userId }: NewScore,
  session: LookedAtSession | undefined,
): { expression: string; values: SqlValue[] } {
  if (!session) return { expression: '?', values: [uuidToBytes(userId)] }
  return { expression: `(select ${LIVING_SESSION})`, values: livingValues(session) }
}

async function remove(db: Queryable, acc_nbr: string, id: Uint8Array): Promise<void> {
  await db.query('delete from ratings where acc_nbr = ? and id = ?', [acc_nbr, id])
}

/** Milliseconds since 1970 that a UUIDv7 begins with. */
function timeOf(id: Uint8Array): number {
  return Buffer.from(id).readUIntBE(0, 6)
}

/** Bytes of one rating that was replaced: its id, its key's digest, the hash of its content. */
const REMEMBERED = { id: 16, key: 32, whole: 64, most: 8 * 64 }

function remember(row: SqlRow): Uint8Array {
  const { idempotency_key: key } = row
  return Buffer.concat([
    bytes(row, 'id'),
    typeof key === 'string' ? keyDigest(key) : new Uint8Array(16),
    bytesOrNull(row, 'content_hash') ?? new Uint8Array(32),
    bytesOrNull(row, 'replaced') ?? new Uint8Array(),
  ]).subarray(0, REMEMBERED.most)
}

/** The submission under this key: the rating itself, or one that it replaced. */
function findStored(row: SqlRow, key: string | null): StoredSubmission | undefined {
  if (key === null) return undefined
  const hasReplaced = row.replaced !== null
  if (row.idempotency_key === key) {
    return { id: uuid(row, 'id'), hash: bytesOrNull(row, 'content_hash'), hasReplaced }
  }
  const replaced = bytesOrNull(row, 'replaced') ?? new Uint8Array()
  const digest = keyDigest(key)
  for (let from = 0; from < replaced.length; from += REMEMBERED.whole) {
    const entry = replaced.subarray(from, from + REMEMBERED.whole)
    if (!isSameBytes(entry.subarray(REMEMBERED.id, REMEMBERED.key), digest)) continue
    const id = uuid({ id: entry.subarray(0, REMEMBERED.id) }, 'id')
    return { id, hash: entry.subarray(REMEMBERED.key), hasReplaced: false }
  }
  return undefined
}

function keyDigest(key: string): Uint8Array {
  return createHash('sha256').update(key).digest().subarray(0, 16)
}
