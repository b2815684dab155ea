/** Long work over all accounts, in small steps, while submissions go on. */

import type { Db } from '../../shared/store/db.ts'
import {
  BEFORE_FIRST_ID,
  deleteRatings,
  foldAccount,
  lastIdAt,
  resetFold,
  verifyFold,
} from '../../shared/store/folds.ts'
import { bytes, text } from '../../shared/store/rows.ts'

/** Told about once per account or batch. */
export type OnProgress = (progress: { accounts: number; rows: number; account: string }) => void

const ACCOUNTS_AT_A_TIME = 200
/** Rows deleted in one transaction. */
export const RETENTION_BATCH = 200

/** Every account that has ratings or folded counts, a page at a time; those of both kinds come once. */
export async function* accountNumbers(db: Db): AsyncGenerator<string> {
  yield* pages(
    db,
    'select distinct acc_nbr from ratings where acc_nbr > ? order by acc_nbr limit ?',
  )
  // What is left over: folded counts of ratings that are gone.
  yield* pages(
    db,
    `select acc_nbr from rating_folds where acc_nbr > ?
     and not exists (select 1 from ratings where ratings.acc_nbr = rating_folds.acc_nbr) order by acc_nbr limit ?`,
  )
}

async function* pages(db: Db, statement: string): AsyncGenerator<string> {
  let last = ''
  for (;;) {
    const { rows } = await db.query(statement, [last, ACCOUNTS_AT_A_TIME])
    for (const row of rows) yield text(row, 'acc_nbr')
    if (rows.length < ACCOUNTS_AT_A_TIME) return
    last = text(rows.at(-1) ?? {}, 'acc_nbr')
  }
}

/** Compares folded counts with the rows behind their mark; resolves to the accounts where they differ. */
export async function verifyCounts(db: Db, onProgress: OnProgress): Promise<string[]> {
  const wrong: string[] = []
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    const { isExact, counted } = await verifyFold(db, account)
    if (!isExact) wrong.push(account)
    accounts++
    rows += counted
    onProgress({ accounts, rows, account })
  }
  return wrong
}

/** Counts every account anew. Readers stay exact all the while; only their tails are long for a moment. */
export async function rebuildCounts(
  db: Db,
  now: () => number,
  onProgress: OnProgress,
): Promise<void> {
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    await resetFold(db, account)
    rows += await foldFully(db, account, now, (folded) =>
      onProgress({ accounts, rows: rows + folded, account }),
    )
    accounts++
    onProgress({ accounts, rows, account })
  }
}

/** Folds what a rebuild would, without forgetting what is folded already. */
export async function foldAll(db: Db, now: () => number, onProgress: OnProgress): Promise<void> {
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    rows += await foldFully(db, account, now, () => {})
    accounts++
    onProgress({ accounts, rows, account })
  }
}

async function foldFully(
  db: Db,
  account: string,
  now: () => number,
  onChunk: (folded: number) => void,
): Promise<number> {
  let total = 0
  for (;;) {
    const folded = await foldAccount(db, account, now())
    total += folded
    onChunk(total)
    if (folded === 0) return total
  }
}

/** Deletes ratings older than `beforeMs`, at most `RETENTION_BATCH` in a transaction. Resolves to how many. */
export async function deleteOlderThan(
  db: Db,
  beforeMs: number,
  onProgress: OnProgress,
): Promise<number> {
  const newest = lastIdAt(beforeMs - 1)
  let [accounts, deleted] = [0, 0]
  for await (const account of accountNumbers(db)) {
    for (;;) {
      const { rows } = await db.query(
        'select id from ratings where acc_nbr = ? and id > ? and id <= ? order by id limit ?',
        [account, BEFORE_FIRST_ID, newest, RETENTION_BATCH],
      )
      if (rows.length === 0) break
      deleted += await deleteRatings(
        db,
        account,
        rows.map((row) => bytes(row, 'id')),
      )
      onProgress({ accounts, rows: deleted, account })
    }
    accounts++
  }
  return deleted
}

/** How many ratings `deleteOlderThan` would delete. */
export async function countOlderThan(db: Db, beforeMs: number): Promise<number> {
  let count = 0
  for await (const account of accountNumbers(db)) {
    const { rows } = await db.query(
      'select count(*) as row_count from ratings where acc_nbr = ? and id <= ?',
      [account, lastIdAt(beforeMs - 1)],
    )
    count += Number(rows[0]?.row_count ?? 0)
  }
  return count
}

/** What is of no use any more by itself, with the moment after which it is not, and its key. */
const spentTables = [
  { table: 'code_claims', moment: 'claimed_at', key: ['code_digest'] },
  { table: 'counters', moment: 'window_start', key: ['counter_key'] },
  { table: 'sessions', moment: 'expires_at', key: ['user_id', 'session_id'] },
] as const

/** Deletes codes, counters and sessions that ended before `beforeMs`, in batches. Resolves to how many. */
export async function deleteSpent(db: Db, beforeMs: number): Promise<number> {
  let deleted = 0
  for (const { table, moment, key } of spentTables) {
    for (;;) {
      const { rows } = await db.query(
        `select ${key.join(', ')} from ${table} where ${moment} < ? limit ?`,
        [beforeMs, RETENTION_BATCH],
      )
      for (const row of rows) {
        const values = key.map((column) => row[column] ?? null)
        await db.query(
          `delete from ${table} where ${key.map((column) => `${column} = ?`).join(' and ')}`,
          values,
        )
      }
      deleted += rows.length
      if (rows.length < RETENTION_BATCH) break
    }
  }
  return deleted
}
