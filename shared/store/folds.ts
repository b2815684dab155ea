/**
 * Folded counts of an account's ratings, up to a mark that moves forward. Submitting touches nothing but the rating's own
 * row; deleting takes what is behind the mark out of the folded counts. Shard key `acc_nbr`.
 */

import { randomInt } from 'node:crypto'
import { addCounts, emptyCounts, subtractCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import { DATABASE_MS } from './database-clock.ts'
import type { Db, Queryable, SqlValue } from './db.ts'
import { isSameCounts, parseCounts, sumCounts } from './grade-counts.ts'
import { BEFORE_FIRST_ID, lastIdAt } from './id-range.ts'
import { bytes, integer, text } from './rows.ts'

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
  /** An author's own ratings of one account that a summary counts, the newest: as many as the longest page shows. */
  ownMax: number
  /** Likewise of those that came since somebody took an account's number over. */
  sinceMax: number
}

/** The limits of every function and command. */
export const countLimits: CountLimits = {
  foldDelayMs: 2 * 60 * 1000,
  tailMax: 1000,
  foldChunk: 100_000,
  countMax: 200_000,
  ownMax: 100,
  sinceMax: 1000,
}

interface Fold {
  through: Uint8Array
  counts: GradeCounts
  version: number
}

/** Moves the mark, unless it was moved, or ratings were deleted, since `version` was read: then resolves to false. */
export async function moveMark(
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
