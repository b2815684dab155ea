/** The database's clock: the one that all instances and laptops share, whatever their own say. */

import type { Queryable } from './db.ts'
import { integer } from './rows.ts'

/**
 * Milliseconds since 1970 at which the statement began, to the second below. No other expression for it is the same on
 * MySQL, MariaDB, Vitess and TiDB in every time zone.
 */
export const DATABASE_MS = 'unix_timestamp() * 1000'

/** The time at the database that holds an account. */
export async function databaseMs(db: Queryable, acc_nbr: string): Promise<number> {
  const { rows } = await db.query(
    // The count makes a row of it where the account has no folded counts.
    `select ${DATABASE_MS} as database_ms, count(*) as row_count from rating_folds where acc_nbr = ?`,
    [acc_nbr],
  )
  return integer(rows[0] ?? {}, 'database_ms')
}
