/**
 * Counts of an account's ratings at any size: folded counts up to a mark, plus the ratings after it. Submitting
 * touches nothing but the rating's own row; a reader that counted a long tail moves the mark over what it counted. Shard key `acc_nbr`.
 */

import { randomInt } from 'node:crypto'
import { addCounts, emptyCounts, subtractCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import { DATABASE_MS } from './database-clock.ts'
import { type Db, DbError, type Queryable, type SqlRow, type SqlValue } from './db.ts'
import { bytes, integer, integerOrNull, isSameBytes, text } from './rows.ts'

/** What counting and folding keep to. */
export interface CountLimits {
  /**
   * The mark stays this far behind now: a rating's id carries the time at which its submission began, and must not
   * appear behind the mark later. Longer than a submission may take and its time may be off (`ratings.ts`) together.
   */
  foldDelayMs: number
  /** A reader that counts more ratings than this after the mark, old enough to be folded, moves it. */
  tailMax: number
  /** Ratings folded in one statement: some 100 ms. */
  foldChunk: number
  /** Ratings a reader counts where nothing is folded; more are folded first. */
  countMax: number
  /** An author's own ratings of one account that a summary counts: the newest. */
  ownMax: number
}

/** The limits of every function and command. */
export const countLimits: CountLimits = {
  foldDelayMs: 2 * 60 * 1000,
  tailMax: 1000,
  foldChunk: 100_000,
  countMax: 200_000,
  ownMax: 1000,
}

/** A reader takes its own clock's word for now while that is ahead of the database's by less than this. */
const CLOCK_LEAD_MAX_MS = 30_000

/** Sorts before every id. */
export const BEFORE_FIRST_ID = new Uint8Array(16)

/** The last possible id of a millisecond. */
export function lastIdAt(atMs: number): Uint8Array {
  const id = new Uint8Array(16).fill(0xff)
  Buffer.from(id.buffer).writeUIntBE(Math.max(atMs, 0), 0, 6)
  return id
}

interface Fold {
  through: Uint8Array
  counts: GradeCounts
  version: number
}

/** Counts of one moment: `all`, how many ratings of them are after the mark, and what the mark may be moved over. */
export interface AccountCounts {
  all: GradeCounts
  tail: number
  settled: GradeCounts
  /** The folded counts that `all` stands on; undefined where nothing is folded. */
  fold: { counts: GradeCounts; version: number; databaseMs: number } | undefined
}

/** Grades, how many ratings have them, and how many of those are old enough to be folded. */
const TAIL_COUNTS =
  'grade1, grade2, grade3, count(r.id) as row_count, sum(r.id <= ?) as settled_count'

/**
 * Exact counts of all ratings of an account. One statement, so that folded counts and tail are of the same moment; another
 * where nothing is folded: `undefined` when those are `countMax` ratings or more.
 */
export async function countAccount(
  db: Queryable,
  acc_nbr: string,
  { settledId, countMax }: { settledId: Uint8Array; countMax: number },
): Promise<AccountCounts | undefined> {
  // The account is named once: Vitess compares parameters by name, and sends statements that name one key twice to two
  // places. Its counts are joined to what was grouped, since text in a group goes through files.
  const { rows: folded } = await db.query(
    `select f.counts, f.version, ${DATABASE_MS} as database_ms, g.grade1, g.grade2, g.grade3, g.row_count, g.settled_count
     from (select m.acc_nbr, ${TAIL_COUNTS}
           from rating_folds m left join ratings r on r.acc_nbr = m.acc_nbr and r.id > m.folded_through
           where m.acc_nbr = ? group by m.acc_nbr, grade1, grade2, grade3) g
     join rating_folds f on f.acc_nbr = g.acc_nbr`,
    [settledId, acc_nbr],
  )
  const [row] = folded
  if (!row) {
    const { rows } = await db.query(
      `select ${TAIL_COUNTS}
       from (select id, grade1, grade2, grade3 from ratings force index (primary) where acc_nbr = ? limit ?) r
       group by grade1, grade2, grade3`,
      [settledId, acc_nbr, countMax],
    )
    const all = sumCounts(rows)
    if (all.count >= countMax) return undefined
    return { all, tail: all.count, settled: sumSettled(rows), fold: undefined }
  }
  const tail = sumCounts(folded)
  const fold = {
    counts: parseCounts(text(row, 'counts')),
    version: integer(row, 'version'),
    databaseMs: integer(row, 'database_ms'),
  }
  const all = addCounts(fold.counts, tail)
  return { all, tail: tail.count, settled: sumSettled(folded), fold }
}

/**
 * Exact counts of all ratings of an account. Whoever counted a long tail folds what was counted, by one statement more.
 * What is too long to be counted is folded first, step by step, as far as the caller's time goes: the next one goes on.
 */
export async function summarisedCounts(
  db: Db,
  acc_nbr: string,
  now: () => number,
  limits: CountLimits,
): Promise<GradeCounts> {
  const count = async (countMax: number): Promise<GradeCounts | undefined> => {
    const settledMs = now() - limits.foldDelayMs
    const settledId = lastIdAt(settledMs)
    const counted = await countAccount(db, acc_nbr, { settledId, countMax })
    // The answer is exact already; folding only makes the next one cheaper, and may fail.
    if (counted && counted.settled.count > limits.tailMax) {
      await foldCounted(db, acc_nbr, counted, settledMs, limits).catch(() => {})
    }
    return counted?.all
  }
  const counted = await count(limits.countMax).catch((error: unknown) => {
    if (!(error instanceof DbError) || error.failure !== 'timeout') throw error
    return undefined
  })
  if (counted) return counted
  while ((await foldAccount(db, acc_nbr, now(), limits)) !== 0);
  // Whatever is left came within the delay: it is counted, however long that takes.
  return (await count(Number.MAX_SAFE_INTEGER)) ?? emptyCounts
}

async function foldCounted(
  db: Db,
  acc_nbr: string,
  { fold, settled }: AccountCounts,
  settledMs: number,
  limits: CountLimits,
): Promise<void> {
  if (!fold) await foldAccount(db, acc_nbr, settledMs + limits.foldDelayMs, limits)
  else if (settledMs <= fold.databaseMs + CLOCK_LEAD_MAX_MS - limits.foldDelayMs) {
    const counts = addCounts(fold.counts, settled)
    await moveMark(db, acc_nbr, { through: lastIdAt(settledMs), counts, version: fold.version })
  }
}

/** Moves the mark, unless it was moved, or ratings were deleted, since `version` was read: then resolves to false. */
async function moveMark(
  db: Db,
  acc_nbr: string,
  { through, counts, version }: Fold,
): Promise<boolean> {
  const { rowsAffected } = await db.query(
    'update rating_folds set folded_through = ?, counts = ?, version = version + 1 where acc_nbr = ? and version = ?',
    [through, JSON.stringify(counts), acc_nbr, version],
  )
  return rowsAffected === 1
}

/**
 * Moves the mark of an account forward, over at most `foldChunk` ratings, never beyond `foldDelayMs` ago by our own clock
 * and by the database's. Resolves to how many ratings were folded, `undefined` when another folder or a deletion came in
 * between, which the version tells. No lock is held while counting. An account with at most `tailMax` ratings is left alone.
 */
export async function foldAccount(
  db: Db,
  acc_nbr: string,
  nowMs: number,
  limits: CountLimits = countLimits,
): Promise<number | undefined> {
  let fold = await readFold(db, acc_nbr)
  if (!fold) {
    const limit = lastIdAt(nowMs - limits.foldDelayMs)
    const range = { after: BEFORE_FIRST_ID, through: limit, max: limits.tailMax + 1 }
    const { counts } = await countRange(db, acc_nbr, range)
    if (counts.count <= limits.tailMax) return 0
    fold = await startFold(db, acc_nbr)
  }
  const limit = lastIdAt(Math.min(nowMs, fold.databaseMs) - limits.foldDelayMs)
  if (Buffer.compare(fold.through, limit) >= 0) return 0
  const range = { after: fold.through, through: limit, max: limits.foldChunk }
  const { counts: added, lastId } = await countRange(db, acc_nbr, range)
  if (added.count === 0) return 0
  const through = added.count < limits.foldChunk ? limit : lastId
  const counts = addCounts(fold.counts, added)
  return (await moveMark(db, acc_nbr, { through, counts, version: fold.version }))
    ? added.count
    : undefined
}

/** Deletes ratings of one account together, and takes those behind the mark out of the folded counts. */
export async function deleteRatings(
  db: Db,
  acc_nbr: string,
  ids: readonly Uint8Array[],
): Promise<number> {
  if (ids.length === 0) return 0
  // The row is what deletions and folds of this account agree on, so there has to be one.
  if (!(await readFold(db, acc_nbr))) await startFold(db, acc_nbr)
  return db.transaction((transaction) => removeRatings(transaction, acc_nbr, ids))
}

/** The same as a part of a transaction. */
export async function removeRatings(
  transaction: Queryable,
  acc_nbr: string,
  ids: readonly Uint8Array[],
): Promise<number> {
  const fold =
    (await readFold(transaction, acc_nbr, 'for update')) ??
    // Taken away in this moment by a deletion of the account's last folded ratings.
    (await startFold(transaction, acc_nbr, 'for update'))
  const list = ids.map(() => '?').join(', ')
  const { rows } = await transaction.query(
    `select id, grade1, grade2, grade3, 1 as row_count from ratings where acc_nbr = ? and id in (${list}) for update`,
    [acc_nbr, ...ids],
  )
  if (rows.length === 0) return 0
  await transaction.query(`delete from ratings where acc_nbr = ? and id in (${list})`, [
    acc_nbr,
    ...ids,
  ])
  const removed = rows.filter((row) => Buffer.compare(bytes(row, 'id'), fold.through) <= 0)
  const counts = subtractCounts(fold.counts, sumCounts(removed))
  // An account without folded ratings needs no row, and its number is not kept for nothing.
  if (counts.count === 0) {
    await transaction.query('delete from rating_folds where acc_nbr = ?', [acc_nbr])
  } else {
    await transaction.query(
      'update rating_folds set counts = ?, version = version + 1 where acc_nbr = ?',
      [JSON.stringify(counts), acc_nbr],
    )
  }
  return rows.length
}

/** Compares the folded counts of an account with its rows behind the mark, in one transaction. */
export async function verifyFold(
  db: Db,
  acc_nbr: string,
): Promise<{ isExact: boolean; folded: number; counted: number }> {
  return db.transaction(async (transaction) => {
    const fold = await readFold(transaction, acc_nbr, 'for update')
    if (!fold) return { isExact: true, folded: 0, counted: 0 }
    const { rows } = await transaction.query(
      'select grade1, grade2, grade3, count(*) as row_count from ratings force index (primary) where acc_nbr = ? and id <= ? group by grade1, grade2, grade3',
      [acc_nbr, fold.through],
    )
    const counted = sumCounts(rows)
    const difference = subtractCounts(fold.counts, counted)
    const isExact = isSameCounts(difference, emptyCounts)
    return { isExact, folded: fold.counts.count, counted: counted.count }
  })
}

/** Forgets the folded counts of an account; folding it again counts anew. Readers stay exact meanwhile. */
export async function resetFold(db: Db, acc_nbr: string): Promise<void> {
  await db.query('delete from rating_folds where acc_nbr = ?', [acc_nbr])
}

/** Counts of a result whose rows are grades and a `row_count`. */
export function sumCounts(rows: readonly SqlRow[]): GradeCounts {
  return rows.map(readCounts).reduce(addCounts, emptyCounts)
}

/** Counts of at most `max` ratings, the oldest of the range, and the last of their ids. */
async function countRange(
  db: Queryable,
  acc_nbr: string,
  { after, through, max }: { after: Uint8Array; through: Uint8Array; max: number },
): Promise<{ counts: GradeCounts; lastId: Uint8Array }> {
  const { rows } = await db.query(
    `select grade1, grade2, grade3, count(*) as row_count, max(id) as last_id
     from (select id, grade1, grade2, grade3 from ratings force index (primary)
           where acc_nbr = ? and id > ? and id <= ? order by id limit ?) t
     group by grade1, grade2, grade3`,
    [acc_nbr, after, through, max],
  )
  const ids = rows.map((row) => bytes(row, 'last_id')).sort(Buffer.compare)
  return { counts: sumCounts(rows), lastId: ids.at(-1) ?? after }
}

interface StoredFold extends Fold {
  /** When it was read, by the database's clock. */
  databaseMs: number
}

async function readFold(
  db: Queryable,
  acc_nbr: string,
  lock: '' | 'for update' = '',
): Promise<StoredFold | undefined> {
  const { rows } = await db.query(
    `select folded_through, counts, version, ${DATABASE_MS} as database_ms from rating_folds where acc_nbr = ? ${lock}`,
    [acc_nbr],
  )
  const [row] = rows
  return (
    row && {
      through: bytes(row, 'folded_through'),
      counts: parseCounts(text(row, 'counts')),
      version: integer(row, 'version'),
      databaseMs: integer(row, 'database_ms'),
    }
  )
}

async function startFold(
  db: Queryable,
  acc_nbr: string,
  lock: '' | 'for update' = '',
): Promise<StoredFold> {
  await db.query(
    'insert ignore into rating_folds (acc_nbr, folded_through, counts, version) values (?, ?, ?, ?)',
    newFold(acc_nbr),
  )
  return (
    (await readFold(db, acc_nbr, lock)) ?? {
      through: BEFORE_FIRST_ID,
      counts: emptyCounts,
      version: -1,
      databaseMs: 0,
    }
  )
}

/** A row of `rating_folds` under which nothing is folded yet. */
export function newFold(acc_nbr: string): SqlValue[] {
  // Random, so that a row that went and came back is not taken for the one it was.
  return [acc_nbr, BEFORE_FIRST_ID, JSON.stringify(emptyCounts), randomInt(2 ** 40)]
}

function sumSettled(rows: readonly SqlRow[]): GradeCounts {
  return sumCounts(rows.map((row) => ({ ...row, row_count: row.settled_count ?? 0 })))
}

function parseCounts(json: string): GradeCounts {
  return JSON.parse(json) as GradeCounts
}

function readCounts(row: SqlRow): GradeCounts {
  const count = integer(row, 'row_count')
  if (count === 0) return emptyCounts
  const counted = (name: string): Record<string, number> => {
    const grade = integerOrNull(row, name)
    return grade === null ? {} : { [grade]: count }
  }
  return {
    count,
    grades: { grade1: counted('grade1'), grade2: counted('grade2'), grade3: counted('grade3') },
  }
}

function isSameCounts(a: GradeCounts, b: GradeCounts): boolean {
  return isSameBytes(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)))
}
