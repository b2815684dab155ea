/**
 * Statements of commands and timers that go over all accounts or over what has had its time. They ask every shard for
 * a page or a batch of keys, and change rows by these keys alone.
 */

import { type Db, isDuplicateKey } from './db.ts'
import { deleteRatings, newFold } from './folds.ts'
import { BEFORE_FIRST_ID, lastIdAt } from './id-range.ts'
import { bytes, integer, text } from './rows.ts'

const ACCOUNTS_AT_A_TIME = 500
/** Ratings deleted in one transaction. */
export const RETENTION_BATCH = 1000

/** An account, and the id of its oldest rating; undefined where folded counts are all that is left. */
export interface WalkedAccount {
  acc_nbr: string
  oldest: Uint8Array | undefined
}

/** Every account that has ratings or folded counts, in pages. One step of an index an account, however many ratings it has. */
export async function* accountPages(db: Db): AsyncGenerator<WalkedAccount[]> {
  yield* pages((last) =>
    db.query(
      'select acc_nbr, min(id) as oldest from ratings force index (primary) where acc_nbr > ? group by acc_nbr order by acc_nbr limit ?',
      [last, ACCOUNTS_AT_A_TIME],
    ),
  )
  // What is left over: folded counts of ratings that are gone.
  yield* pages((last) =>
    db.query(
      `select acc_nbr, null as oldest from rating_folds where acc_nbr > ?
       and not exists (select 1 from ratings where ratings.acc_nbr = rating_folds.acc_nbr) order by acc_nbr limit ?`,
      [last, ACCOUNTS_AT_A_TIME],
    ),
  )
}

async function* pages(
  ask: (last: string) => ReturnType<Db['query']>,
): AsyncGenerator<WalkedAccount[]> {
  let last = ''
  for (;;) {
    const { rows } = await ask(last)
    const page = rows.map((row) => ({
      acc_nbr: text(row, 'acc_nbr'),
      oldest: row.oldest === null ? undefined : bytes(row, 'oldest'),
    }))
    if (page.length > 0) yield page
    last = page.at(-1)?.acc_nbr ?? last
    if (rows.length < ACCOUNTS_AT_A_TIME) return
  }
}

/** Whether ratings of an account are older than `beforeMs`, as far as the walk has seen. */
export function isOlder({ oldest }: WalkedAccount, beforeMs: number): boolean {
  return oldest !== undefined && Buffer.compare(oldest, lastIdAt(beforeMs - 1)) <= 0
}

/** Deletes at most `RETENTION_BATCH` ratings of an account that are older than `beforeMs`. Resolves to how many it found. */
export async function deleteOldRatings(db: Db, acc_nbr: string, beforeMs: number): Promise<number> {
  const { rows } = await db.query(
    'select id from ratings force index (primary) where acc_nbr = ? and id > ? and id <= ? order by id limit ?',
    [acc_nbr, BEFORE_FIRST_ID, lastIdAt(beforeMs - 1), RETENTION_BATCH],
  )
  const ids = rows.map((row) => bytes(row, 'id'))
  await deleteRatings(db, acc_nbr, ids)
  return ids.length
}

/**
 * Deletes what is older than `beforeMs` of several accounts at once, where it is little and nothing is folded. Resolves to
 * how many ratings went, and to the accounts that have to be taken one by one.
 */
export async function deleteOldRatingsOfMany(
  db: Db,
  accounts: readonly string[],
  beforeMs: number,
): Promise<{ deleted: number; left: string[] }> {
  const through = lastIdAt(beforeMs - 1)
  const { rows: folded } = await db.query(
    `select acc_nbr from rating_folds where acc_nbr in (${listOf(accounts)})`,
    [...accounts],
  )
  const isFolded = new Set(folded.map((row) => text(row, 'acc_nbr')))
  const unfolded = accounts.filter((account) => !isFolded.has(account))
  if (unfolded.length === 0) return { deleted: 0, left: [...accounts] }
  const { rows } = await db.query(
    `select acc_nbr, count(*) as row_count
     from (select acc_nbr, id from ratings force index (primary) where acc_nbr in (${listOf(unfolded)}) and id <= ? order by acc_nbr, id limit ?) t
     group by acc_nbr order by acc_nbr`,
    [...unfolded, through, RETENTION_BATCH],
  )
  const found = rows.reduce((sum, row) => sum + integer(row, 'row_count'), 0)
  // Of the last one there may be more than was looked at.
  const whole = (found < RETENTION_BATCH ? rows : rows.slice(0, -1)).map((row) =>
    text(row, 'acc_nbr'),
  )
  const left = accounts.filter((account) => isFolded.has(account) || !whole.includes(account))
  if (whole.length === 0) return { deleted: 0, left }
  try {
    const deleted = await db.transaction(async (transaction) => {
      // A row that folders would have to change keeps them out, on any engine and at any isolation. On several shards each
      // account's part stands for itself: what one shard undoes is simply still to be deleted.
      await transaction.query(
        `insert into rating_folds (acc_nbr, folded_through, counts, version) values ${whole.map(() => '(?, ?, ?, ?)').join(', ')}`,
        whole.flatMap(newFold),
      )
      const { rowsAffected } = await transaction.query(
        `delete from ratings where acc_nbr in (${listOf(whole)}) and id <= ?`,
        [...whole, through],
      )
      await transaction.query(`delete from rating_folds where acc_nbr in (${listOf(whole)})`, whole)
      return rowsAffected
    })
    return { deleted, left }
  } catch (error) {
    // Somebody folds one of them in this moment.
    if (!isDuplicateKey(error)) throw error
    return { deleted: 0, left: [...accounts] }
  }
}

/** How many ratings of an account are older than `beforeMs`. */
export async function countOldRatings(db: Db, acc_nbr: string, beforeMs: number): Promise<number> {
  const { rows } = await db.query(
    'select count(*) as row_count from ratings force index (primary) where acc_nbr = ? and id <= ?',
    [acc_nbr, lastIdAt(beforeMs - 1)],
  )
  return integer(rows[0] ?? {}, 'row_count')
}

/** Tables whose rows are of no use any more after a while, the moment that tells, and the key by which they are deleted. */
export const spentTables = [
  { table: 'code_claims', moment: 'claimed_at', key: 'code_digest' },
  { table: 'counters', moment: 'window_start', key: 'counter_key' },
  // All sessions of a person that have ended go together.
  { table: 'sessions', moment: 'expires_at', key: 'user_id' },
] as const

/** Likewise the audit, whose rows are of use for `AUDIT_KEEP_DAYS`. */
export const auditTable = {
  table: 'audit_events',
  moment: 'occurred_at',
  key: 'event_id',
} as const

/** Three years: as long as records of processing are kept (个人信息保护法 第五十六条). */
export const AUDIT_KEEP_DAYS = 1096

/**
 * Deletes a batch of codes, counters, sessions or rows of the audit whose moment was before `beforeMs`. Resolves to how many; none when there
 * are no more.
 */
export async function deleteSpentRows(
  db: Db,
  { table, moment, key }: (typeof spentTables)[number] | typeof auditTable,
  beforeMs: number,
): Promise<number> {
  const { rows } = await db.query(
    `select ${key} from ${table} where ${moment} < ? order by ${moment} limit ?`,
    [beforeMs, RETENTION_BATCH],
  )
  if (rows.length === 0) return 0
  const keys = rows.map((row) => row[key] ?? null)
  const { rowsAffected } = await db.query(
    // Unless they were used again meanwhile.
    `delete from ${table} where ${key} in (${listOf(keys)}) and ${moment} < ?`,
    [...keys, beforeMs],
  )
  return rowsAffected
}

function listOf(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

const PEOPLE_AT_A_TIME = 1000

/** The sealed values of each person, a page of people at a time: what a key is still needed for. */
export async function* sealedValuePages(db: Db): AsyncGenerator<Uint8Array[][]> {
  let last: Uint8Array = new Uint8Array()
  for (;;) {
    const { rows } = await db.query(
      'select user_id, session_key_1, session_key_2, session_key_3, phone_sealed from users where user_id > ? order by user_id limit ?',
      [last, PEOPLE_AT_A_TIME],
    )
    yield rows.map((row) =>
      ['session_key_1', 'session_key_2', 'session_key_3', 'phone_sealed'].flatMap((column) =>
        row[column] === null ? [] : [bytes(row, column)],
      ),
    )
    const lastRow = rows.at(-1)
    if (!lastRow || rows.length < PEOPLE_AT_A_TIME) return
    last = bytes(lastRow, 'user_id')
  }
}
