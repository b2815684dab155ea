/**
 * Counts of an account's ratings at any size: folded counts up to a mark, plus the ratings after it. Submitting
 * touches nothing but the rating's own row; a reader that finds a long tail moves the mark forward. Shard key `acc_nbr`.
 */

import { randomInt } from 'node:crypto'
import { addCounts, emptyCounts, subtractCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import type { Db, Queryable, SqlRow } from './db.ts'
import { bytes, integer, integerOrNull, isSameBytes, text } from './rows.ts'

/**
 * The mark stays this far behind now: a rating's id carries the time at which its submission began, and must not
 * appear behind the mark later. Longer than any submission may take and two clocks may differ.
 */
export const FOLD_DELAY_MS = 2 * 60 * 1000
/** A reader that counts more ratings than this after the mark moves it. Counting so many takes half a millisecond. */
export const FOLD_TAIL_MAX = 1000
/** Ratings folded in one transaction: some 20 ms. */
export const FOLD_CHUNK = 20_000

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

/**
 * Exact counts of all ratings of an account, and how many of them are after the mark. One statement, so that both
 * halves are of the same moment.
 */
export async function countAccount(
  db: Queryable,
  acc_nbr: string,
): Promise<{ counts: GradeCounts; tail: number }> {
  const { rows } = await db.query(
    `select counts as folded, null as first, null as second, null as third, 0 as row_count
     from rating_folds where acc_nbr = ?
     union all
     select null, grade1, grade2, grade3, count(*) from ratings
     where acc_nbr = ? and id > coalesce((select folded_through from rating_folds where acc_nbr = ?), ?)
     group by grade1, grade2, grade3`,
    [acc_nbr, acc_nbr, acc_nbr, BEFORE_FIRST_ID],
  )
  const fold = rows.find(({ folded }) => folded !== null)
  const tail = sumCounts(
    rows
      .filter((row) => row !== fold)
      .map(({ first = null, second = null, third = null, row_count = 0 }) => ({
        grade1: first,
        grade2: second,
        grade3: third,
        row_count,
      })),
  )
  const counts = fold ? addCounts(parseCounts(text(fold, 'folded')), tail) : tail
  return { counts, tail: tail.count }
}

/**
 * Moves the mark of an account forward, over at most `FOLD_CHUNK` ratings, never beyond `FOLD_DELAY_MS` ago.
 * Resolves to how many ratings were folded: none when another folder or a deletion came in between, which the
 * version tells. No lock is held while counting.
 */
export async function foldAccount(db: Db, acc_nbr: string, nowMs: number): Promise<number> {
  const fold = (await readFold(db, acc_nbr)) ?? (await startFold(db, acc_nbr))
  const limit = lastIdAt(nowMs - FOLD_DELAY_MS)
  if (Buffer.compare(fold.through, limit) >= 0) return 0
  const { rows } = await db.query(
    'select id from ratings where acc_nbr = ? and id > ? and id <= ? order by id limit 1 offset ?',
    [acc_nbr, fold.through, limit, FOLD_CHUNK - 1],
  )
  const through = rows[0] ? bytes(rows[0], 'id') : limit
  const added = await countRange(db, acc_nbr, { after: fold.through, through })
  if (added.count === 0) return 0
  const { rowsAffected } = await db.query(
    'update rating_folds set folded_through = ?, counts = ?, version = version + 1 where acc_nbr = ? and version = ?',
    [through, JSON.stringify(addCounts(fold.counts, added)), acc_nbr, fold.version],
  )
  return rowsAffected === 1 ? added.count : 0
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
  return db.transaction(async (transaction) => {
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
  })
}

/** Compares the folded counts of an account with its rows behind the mark, in one transaction. */
export async function verifyFold(
  db: Db,
  acc_nbr: string,
): Promise<{ isExact: boolean; folded: number; counted: number }> {
  return db.transaction(async (transaction) => {
    const fold = await readFold(transaction, acc_nbr, 'for update')
    if (!fold) return { isExact: true, folded: 0, counted: 0 }
    const range = { after: BEFORE_FIRST_ID, through: fold.through }
    const counted = await countRange(transaction, acc_nbr, range)
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

async function countRange(
  db: Queryable,
  acc_nbr: string,
  { after, through }: { after: Uint8Array; through: Uint8Array },
): Promise<GradeCounts> {
  const { rows } = await db.query(
    'select grade1, grade2, grade3, count(*) as row_count from ratings where acc_nbr = ? and id > ? and id <= ? group by grade1, grade2, grade3',
    [acc_nbr, after, through],
  )
  return sumCounts(rows)
}

async function readFold(
  db: Queryable,
  acc_nbr: string,
  lock: '' | 'for update' = '',
): Promise<Fold | undefined> {
  const { rows } = await db.query(
    `select folded_through, counts, version from rating_folds where acc_nbr = ? ${lock}`,
    [acc_nbr],
  )
  const [row] = rows
  return (
    row && {
      through: bytes(row, 'folded_through'),
      counts: parseCounts(text(row, 'counts')),
      version: integer(row, 'version'),
    }
  )
}

async function startFold(
  db: Queryable,
  acc_nbr: string,
  lock: '' | 'for update' = '',
): Promise<Fold> {
  await db.query(
    'insert ignore into rating_folds (acc_nbr, folded_through, counts, version) values (?, ?, ?, ?)',
    // Random, so that a row that went and came back is not taken for the one it was.
    [acc_nbr, BEFORE_FIRST_ID, JSON.stringify(emptyCounts), randomInt(2 ** 40)],
  )
  return (
    (await readFold(db, acc_nbr, lock)) ?? {
      through: BEFORE_FIRST_ID,
      counts: emptyCounts,
      version: -1,
    }
  )
}

function parseCounts(json: string): GradeCounts {
  return JSON.parse(json) as GradeCounts
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

function isSameCounts(a: GradeCounts, b: GradeCounts): boolean {
  return isSameBytes(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)))
}
