/** Long work over all accounts, in small steps, while submissions go on. */

import type { Db } from '../../shared/store/db.ts'
import { countLimits, foldAccount, resetFold, verifyFold } from '../../shared/store/folds.ts'
import {
  AUDIT_KEEP_DAYS,
  accountPages,
  auditTable,
  countOldRatings,
  deleteOldRatings,
  deleteOldRatingsOfMany,
  deleteSpentRows,
  isOlder,
  spentTables,
} from '../../shared/store/maintenance.ts'

/** Told about once per account or batch. */
export type OnProgress = (progress: { accounts: number; rows: number }) => void

/** Compares folded counts with the rows behind their mark; resolves to the accounts where they differ. */
export async function verifyCounts(db: Db, onProgress: OnProgress): Promise<string[]> {
  const wrong: string[] = []
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    const { isExact, counted } = await verifyFold(db, account)
    if (!isExact) wrong.push(account)
    accounts++
    rows += counted
    onProgress({ accounts, rows })
  }
  return wrong
}

/** Counts every account anew. Readers stay exact all the while; only their tails are long for a moment. */
export async function rebuildCounts(
  db: Db,
  now: () => number,
  onProgress: OnProgress,
): Promise<void> {
  await foldEach(db, now, onProgress, (account) => resetFold(db, account))
}

/** Folds what a rebuild would, without forgetting what is folded already. */
export async function foldAll(
  db: Db,
  now: () => number,
  onProgress: OnProgress,
  limits = countLimits,
): Promise<void> {
  await foldEach(db, now, onProgress, async () => {}, limits)
}

async function foldEach(
  db: Db,
  now: () => number,
  onProgress: OnProgress,
  prepare: (account: string) => Promise<void>,
  limits = countLimits,
): Promise<void> {
  let [accounts, rows] = [0, 0]
  for await (const account of accountNumbers(db)) {
    await prepare(account)
    for (;;) {
      const folded = await foldAccount(db, account, now(), limits)
      rows += folded ?? 0
      onProgress({ accounts, rows })
      if (folded === 0) break
    }
    accounts++
    onProgress({ accounts, rows })
  }
}

async function* accountNumbers(db: Db): AsyncGenerator<string> {
  for await (const page of accountPages(db)) for (const { acc_nbr } of page) yield acc_nbr
}

/**
 * Deletes ratings older than `beforeMs`, many small accounts or a batch of a large one in a transaction. Resolves to how
 * many. Cut off, it may be run again: accounts without old ratings cost a step of an index.
 */
export async function deleteOlderThan(
  db: Db,
  beforeMs: number,
  onProgress: OnProgress,
): Promise<number> {
  let [accounts, rows] = [0, 0]
  for await (const page of accountPages(db)) {
    const old = page.filter((account) => isOlder(account, beforeMs)).map(({ acc_nbr }) => acc_nbr)
    for (let rest = old; rest.length > 0; ) {
      const { deleted, left } = await deleteOldRatingsOfMany(db, rest, beforeMs)
      rows += deleted
      onProgress({ accounts, rows })
      rest = left
      if (deleted > 0) continue
      rest = []
      for (const account of left) {
        for (let batch = -1; batch !== 0; ) {
          batch = await deleteOldRatings(db, account, beforeMs)
          rows += batch
          onProgress({ accounts, rows })
        }
      }
    }
    accounts += page.length
    onProgress({ accounts, rows })
  }
  return rows
}

/** How many ratings `deleteOlderThan` would delete. */
export async function countOlderThan(db: Db, beforeMs: number): Promise<number> {
  let count = 0
  for await (const page of accountPages(db)) {
    for (const account of page.filter((each) => isOlder(each, beforeMs))) {
      count += await countOldRatings(db, account.acc_nbr, beforeMs)
    }
  }
  return count
}

/** Deletes codes, counters and sessions that ended before `beforeMs`, in batches. Resolves to how many. */
export async function deleteSpent(
  db: Db,
  beforeMs: number,
  onProgress: (deleted: number) => void = () => {},
): Promise<number> {
  let total = 0
  for (const table of spentTables) {
    total += await deleteAll(db, table, beforeMs, (deleted) => onProgress(total + deleted))
  }
  return total
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Deletes what the audit has kept for long enough, in batches. Resolves to how many rows. */
export function deleteOldAudit(
  db: Db,
  nowMs: number,
  onProgress: (deleted: number) => void = () => {},
): Promise<number> {
  return deleteAll(db, auditTable, nowMs - AUDIT_KEEP_DAYS * DAY_MS, onProgress)
}

async function deleteAll(
  db: Db,
  table: Parameters<typeof deleteSpentRows>[1],
  beforeMs: number,
  onProgress: (deleted: number) => void,
): Promise<number> {
  let total = 0
  for (let deleted = -1; deleted !== 0; ) {
    deleted = await deleteSpentRows(db, table, beforeMs)
    total += deleted
    onProgress(total)
  }
  return total
}
