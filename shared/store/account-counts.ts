/** Counting the ratings of an account at any size, which leaves less to count for the next one. */

import { addCounts, emptyCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import { DATABASE_MS } from './database-clock.ts'
import { type Db, DbError, type Queryable } from './db.ts'
import { type CountLimits, foldAccount, moveMark } from './folds.ts'
import { parseCounts, sumCounts, sumSettled } from './grade-counts.ts'
import { lastIdAt } from './id-range.ts'
import { integer, text } from './rows.ts'

/** A reader takes its own clock's word for now while that is ahead of the database's by less than this. */
const CLOCK_LEAD_MAX_MS = 30_000

/** Counts of one moment: `all`, how many ratings of them are after the mark, and what the mark may be moved over. */
export interface AccountCounts {
  all: GradeCounts
  tail: number
  settled: GradeCounts
  /** The folded counts that `all` stands on; undefined where nothing is folded. */
  fold: { counts: GradeCounts; version: number; databaseMs: number } | undefined
}

/** Does work over a database, now or once the answer is given. */
export type Later = (work: (db: Db) => Promise<void>) => void | Promise<void>

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
 * Exact counts of all ratings of an account. Whoever counted a long tail folds what was counted, `later`, by one statement more.
 * What is too long to be counted is folded first, step by step, as far as the caller's time goes: the next one goes on.
 */
export async function summarisedCounts(
  db: Db,
  acc_nbr: string,
  now: () => number,
  limits: CountLimits,
  later: Later = (work) => work(db),
): Promise<GradeCounts> {
  const count = async (countMax: number): Promise<GradeCounts | undefined> => {
    const settledMs = now() - limits.foldDelayMs
    const settledId = lastIdAt(settledMs)
    const counted = await countAccount(db, acc_nbr, { settledId, countMax })
    // The answer is exact already; folding only makes the next one cheaper, and may fail.
    if (counted && counted.settled.count > limits.tailMax) {
      await later((over) => foldCounted(over, acc_nbr, counted, settledMs, limits).catch(() => {}))
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
