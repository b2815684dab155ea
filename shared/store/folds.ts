/**
 * Counts of an account's ratings at any size: folded counts up to a mark, plus the ratings after it. Submitting
 * touches nothing but the rating's own row; a reader that finds a long tail moves the mark forward. Shard key `acc_nbr`.
 */

import { addCounts, emptyCounts, subtractCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import type { Db, Queryable, SqlRow, SqlValue } from './db.ts'
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
}

/** Exact counts of all ratings of an account, and how many of them are after the mark. */
export async function countAccount(
  db: Queryable,
  acc_nbr: string,
): Promise<{ counts: GradeCounts; tail: number }> {
  const fold = (await readFold(db, acc_nbr)) ?? { through: BEFORE_FIRST_ID, counts: emptyCounts }
  const tail = await countRange(db, acc_nbr, { after: fold.through })
  return { counts: addCounts(fold.counts, tail), tail: tail.count }
}

/**
 * Moves the mark of an account forward, over at most `FOLD_CHUNK` ratings, never beyond `FOLD_DELAY_MS` ago.
 * Resolves to how many ratings were folded. Two at once fold nothing twice: the fold's row is locked.
 */
export async function foldAccount(db: Db, acc_nbr: string, nowMs: number): Promise<number> {
  await db.query(
    'insert ignore into rating_folds (acc_nbr, folded_through, counts) values (?, ?, ?)',
    [acc_nbr, BEFORE_FIRST_ID, JSON.stringify(emptyCounts)],
  )
  return db.transaction(async (transaction) => {
    const fold = await readFold(transaction, acc_nbr, 'for update')
    if (!fold) return 0
    const limit = lastIdAt(nowMs - FOLD_DELAY_MS)
    if (Buffer.compare(fold.through, limit) >= 0) return 0
    const { rows } = await transaction.query(
      'select id from ratings where acc_nbr = ? and id > ? and id <= ? order by id limit 1 offset ?',
      [acc_nbr, fold.through, limit, FOLD_CHUNK - 1],
    )
    const through = rows[0] ? bytes(rows[0], 'id') : limit
    const added = await countRange(transaction, acc_nbr, { after: fold.through, through })
    await writeFold(transaction, acc_nbr, { through, counts: addCounts(fold.counts, added) })
    return added.count
  })
}

/** Deletes ratings of one account together, and takes those behind the mark out of the folded counts. */
export async function deleteRatings(
  db: Db,
  acc_nbr: string,
  ids: readonly Uint8Array[],
): Promise<number> {
  return db.transaction(async (transaction) => {
    const fold = await readFold(transaction, acc_nbr, 'for update')
    let removed = emptyCounts
    let deleted = 0
    for (const id of ids) {
      const key: SqlValue[] = [acc_nbr, id]
      const { rows } = await transaction.query(
        'select grade1, grade2, grade3, 1 as row_count from ratings where acc_nbr = ? and id = ? for update',
        key,
      )
      const [row] = rows
      if (!row) continue
      await transaction.query('delete from ratings where acc_nbr = ? and id = ?', key)
      deleted++
      const isFolded = fold !== undefined && Buffer.compare(id, fold.through) <= 0
      if (isFolded) removed = addCounts(removed, readCounts(row))
    }
    if (fold && removed.count > 0) {
      await writeFold(transaction, acc_nbr, {
        through: fold.through,
        counts: subtractCounts(fold.counts, removed),
      })
    }
    return deleted
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
  { after, through }: { after: Uint8Array; through?: Uint8Array },
): Promise<GradeCounts> {
  const upTo = through === undefined ? '' : 'and id <= ?'
  const { rows } = await db.query(
    `select grade1, grade2, grade3, count(*) as row_count from ratings where acc_nbr = ? and id > ? ${upTo} group by grade1, grade2, grade3`,
    [acc_nbr, after, ...(through === undefined ? [] : [through])],
  )
  return sumCounts(rows)
}

async function readFold(
  db: Queryable,
  acc_nbr: string,
  lock: '' | 'for update' = '',
): Promise<Fold | undefined> {
  const { rows } = await db.query(
    `select folded_through, counts from rating_folds where acc_nbr = ? ${lock}`,
    [acc_nbr],
  )
  const [row] = rows
  return (
    row && {
      through: bytes(row, 'folded_through'),
      counts: JSON.parse(text(row, 'counts')) as GradeCounts,
    }
  )
}

async function writeFold(db: Queryable, acc_nbr: string, { through, counts }: Fold): Promise<void> {
  await db.query('update rating_folds set folded_through = ?, counts = ? where acc_nbr = ?', [
    through,
    JSON.stringify(counts),
    acc_nbr,
  ])
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
