/**
 * Statements of commands and timers that go over all accounts or over what has had its time. They ask every shard for
 * a page or a batch of keys, and change rows by these keys alone.
 */

import type { Db } from './db.ts'
import { BEFORE_FIRST_ID, deleteRatings, lastIdAt } from './folds.ts'
import { bytes, integer, text } from './rows.ts'

const ACCOUNTS_AT_A_TIME = 200
/** Rows deleted at a time. */
export const RETENTION_BATCH = 200

/** Every account that has ratings or folded counts, a page at a time; those of both kinds come once. */
export async function* accountNumbers(db: Db): AsyncGenerator<string> {
  yield* pages((last) =>
    db.query('select distinct acc_nbr from ratings where acc_nbr > ? order by acc_nbr limit ?', [
      last,
      ACCOUNTS_AT_A_TIME,
    ]),
  )
  // What is left over: folded counts of ratings that are gone.
  yield* pages((last) =>
    db.query(
      `select acc_nbr from rating_folds where acc_nbr > ?
       and not exists (select 1 from ratings where ratings.acc_nbr = rating_folds.acc_nbr) order by acc_nbr limit ?`,
      [last, ACCOUNTS_AT_A_TIME],
    ),
  )
}

async function* pages(ask: (last: string) => ReturnType<Db['query']>): AsyncGenerator<string> {
  let last = ''
  for (;;) {
    const { rows } = await ask(last)
    for (const row of rows) {
      last = text(row, 'acc_nbr')
      yield last
    }
    if (rows.length < ACCOUNTS_AT_A_TIME) return
  }
}

/** Deletes at most `RETENTION_BATCH` ratings of an account that are older than `beforeMs`. Resolves to how many it found. */
export async function deleteOldRatings(db: Db, acc_nbr: string, beforeMs: number): Promise<number> {
  const { rows } = await db.query(
    'select id from ratings where acc_nbr = ? and id > ? and id <= ? order by id limit ?',
    [acc_nbr, BEFORE_FIRST_ID, lastIdAt(beforeMs - 1), RETENTION_BATCH],
  )
  const ids = rows.map((row) => bytes(row, 'id'))
  await deleteRatings(db, acc_nbr, ids)
  return ids.length
}

/** How many ratings of an account are older than `beforeMs`. */
export async function countOldRatings(db: Db, acc_nbr: string, beforeMs: number): Promise<number> {
  const { rows } = await db.query(
    'select count(*) as row_count from ratings where acc_nbr = ? and id <= ?',
    [acc_nbr, lastIdAt(beforeMs - 1)],
  )
  return integer(rows[0] ?? {}, 'row_count')
}

/** Tables whose rows are of no use any more after a while, with the moment that tells, and their keys. */
export const spentTables = [
  { table: 'code_claims', moment: 'claimed_at', key: ['code_digest'] },
  { table: 'counters', moment: 'window_start', key: ['counter_key'] },
  { table: 'sessions', moment: 'expires_at', key: ['user_id', 'session_id'] },
] as const

/** Deletes at most `RETENTION_BATCH` codes, counters or sessions whose moment was before `beforeMs`. Resolves to how many. */
export async function deleteSpentRows(
  db: Db,
  { table, moment, key }: (typeof spentTables)[number],
  beforeMs: number,
): Promise<number> {
  const { rows } = await db.query(
    `select ${key.join(', ')} from ${table} where ${moment} < ? limit ?`,
    [beforeMs, RETENTION_BATCH],
  )
  const isRow = key.map((column) => `${column} = ?`).join(' and ')
  for (const row of rows) {
    const values = key.map((column) => row[column] ?? null)
    // Unless it was used again meanwhile.
    await db.query(`delete from ${table} where ${isRow} and ${moment} < ?`, [...values, beforeMs])
  }
  return rows.length
}
