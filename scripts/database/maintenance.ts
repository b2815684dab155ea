/** Long work over all accounts, in small steps, while submissions go on. */

import type { Db } from '../../shared/store/db.ts'
import { foldAccount, resetFold, verifyFold } from '../../shared/store/folds.ts'
import {
  accountNumbers,
  countOldRatings,
  deleteOldRatings,
  deleteSpentRows,
  RETENTION_BATCH,
  spentTables,
} from '../../shared/store/maintenance.ts'

/** Told about once per account or batch. */
export type OnProgress = (progress: { accounts: number; rows: number; account: string }) => void

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

/** Deletes ratings older than `beforeMs`, a batch in a transaction. Resolves to how many. */
export async function deleteOlderThan(
  db: Db,
  beforeMs: number,
  onProgress: OnProgress,
): Promise<number> {
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    for (;;) {
      const deleted = await deleteOldRatings(db, account, beforeMs)
      if (deleted === 0) break
      rows += deleted
      onProgress({ accounts, rows, account })
    }
    accounts++
  }
  return rows
}

/** How many ratings `deleteOlderThan` would delete. */
export async function countOlderThan(db: Db, beforeMs: number): Promise<number> {
  let count = 0
  for await (const account of accountNumbers(db)) {
    count += await countOldRatings(db, account, beforeMs)
  }
  return count
}

/** Deletes codes, counters and sessions that ended before `beforeMs`, in batches. Resolves to how many. */
export async function deleteSpent(db: Db, beforeMs: number): Promise<number> {
  let total = 0
  for (const table of spentTables) {
    for (;;) {
      const deleted = await deleteSpentRows(db, table, beforeMs)
      total += deleted
      if (deleted < RETENTION_BATCH) break
    }
  }
  return total
}
