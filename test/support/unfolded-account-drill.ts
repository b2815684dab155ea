/**
 * The unfolded-account drill: an account with so many ratings that are not folded that no call can count them in its time,
 * as a restore, an import or `counts rebuild` leaves it. Time is counted in rows that the server walks over, so that a
 * small account on a fast machine meets the same end as millions on a slow one; on top of it the real limits hold.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { v7 as uuidV7 } from 'uuid'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import { type Db, DbError } from '../../shared/store/db.ts'
import { type CountLimits, countLimits, foldAccount } from '../../shared/store/folds.ts'
import { lastIdAt } from '../../shared/store/id-range.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { DATABASE_BUDGET_MS } from '../../shared/wiring/database.ts'
import { openMySql } from './open-door.ts'
import { insertRatings } from './stored-rating.ts'

const ACCOUNT = '13800138000'
const DAY_MS = 24 * 60 * 60 * 1000
const LONG_AGO_MS = Date.UTC(2024, 5, 1)
/** What the limits of functions are made for. */
const FULL_ROWS = 3_000_000
/** A machine that walks over 300,000 rows a second: a statement has three seconds, a call ten. */
const STATEMENT_PART = 0.3
const CALL_PART = 1
const CALL_MS = 10_000
/** Whoever is not answered by then never is. */
const CALLS_MAX = 6

export interface UnfoldedAccountResult {
  rows: number
  /** Calls that were refused before one was answered. */
  refused: number
  /** Of these, how many left the next one no less to do. */
  refusedInVain: number
  answered: number
  /** The longest that a statement of folding walked. */
  longestFoldRows: number
  longestCallMs: number
  /** What the summary after it took. */
  thenStatements: number
  thenRows: number
}

/**
 * Asks for the summary of such an account until it is answered. `isFoldedBefore`: a mark from long ago is there, and all
 * ratings came since. `broken`: limits of a server that is not ours.
 */
export async function runUnfoldedAccountDrill(
  url: string,
  {
    rows,
    isFoldedBefore,
    broken = {},
  }: { rows: number; isFoldedBefore: boolean; broken?: Partial<CountLimits> },
): Promise<UnfoldedAccountResult> {
  const scaled = (limit: number): number => Math.ceil((limit * rows) / FULL_ROWS)
  const limits: CountLimits = {
    ...countLimits,
    tailMax: scaled(countLimits.tailMax),
    foldChunk: scaled(countLimits.foldChunk),
    countMax: scaled(countLimits.countMax),
    ...broken,
  }
  const admin = openMySql({ url, connections: 1, timeoutMs: () => 600_000 })
  const db = openMySql({ url, connections: 1, timeoutMs: () => DATABASE_BUDGET_MS })
  try {
    await migrate(admin, { migrations: await readMigrations() })
    await fill(admin, limits, { rows, isFoldedBefore })
    const result: UnfoldedAccountResult = {
      rows,
      refused: 0,
      refusedInVain: 0,
      answered: 0,
      longestFoldRows: 0,
      longestCallMs: 0,
      thenStatements: 0,
      thenRows: 0,
    }
    const summary = async () => {
      const call = new CallInRows(db, rows)
      const startedAt = performance.now()
      try {
        const { count } = await createRatingStore(call, Date.now, limits).countsOfAccount(ACCOUNT, {
          kind: 'all',
        })
        return { call, count }
      } catch (error) {
        if (!(error instanceof DbError)) throw error
        return { call, count: undefined }
      } finally {
        result.longestFoldRows = Math.max(result.longestFoldRows, call.longestFoldRows)
        result.longestCallMs = Math.max(result.longestCallMs, performance.now() - startedAt)
      }
    }
    for (let calls = 0; calls < CALLS_MAX; calls++) {
      const before = await foldedCount(admin)
      const { count } = await summary()
      if (count !== undefined) {
        result.answered = count
        break
      }
      result.refused++
      if ((await foldedCount(admin)) === before) result.refusedInVain++
      // A connection that was ended for its statement is opened anew.
      await pause(10)
    }
    const then = await summary()
    result.thenStatements = then.call.statements
    result.thenRows = then.call.rows
    result.longestCallMs = Math.round(result.longestCallMs)
    return result
  } finally {
    await db.close()
    await admin.close()
  }
}

/** The promises that a run broke, in words. */
export function brokenPromises(result: UnfoldedAccountResult): string[] {
  const { rows, refused, refusedInVain, answered, longestFoldRows, thenStatements, thenRows } =
    result
  return [
    refused > 1 && 'refuses at most once',
    refusedInVain > 0 && 'a refused call leaves less to do',
    answered !== rows && 'counts exactly',
    longestFoldRows > rows / 20 && 'folds in bounded steps',
    (thenStatements > 2 || thenRows > rows / 100) && 'is cheap from then on',
  ].filter((promise) => promise !== false)
}

/** The database of one call, which may walk over so many rows, a statement over fewer; then both are late. */
class CallInRows implements Db {
  statements = 0
  rows = 0
  longestFoldRows = 0
  readonly #db: Db
  readonly #account: number
  readonly #endsAtMs = performance.now() + CALL_MS

  constructor(db: Db, account: number) {
    this.#db = db
    this.#account = account
  }

  query: Db['query'] = async (sql, parameters) => {
    this.statements++
    this.#beInTime()
    const before = await rowsWalked(this.#db)
    const result = await this.#db.query(sql, parameters)
    const walked = (await rowsWalked(this.#db)) - before
    const isFold = sql.includes('max(id) as last_id')
    if (isFold) this.longestFoldRows = Math.max(this.longestFoldRows, walked)
    const most = this.#account * STATEMENT_PART
    this.rows += Math.min(walked, most)
    if (walked > most) throw new DbError('timeout', { outcome: 'none' })
    this.#beInTime()
    return result
  }

  transaction: Db['transaction'] = () => {
    throw new Error('no summary needs a transaction')
  }

  close = async (): Promise<void> => {}

  #beInTime(): void {
    const isLate = this.rows > this.#account * CALL_PART || performance.now() > this.#endsAtMs
    if (isLate) throw new DbError('timeout', { outcome: 'none' })
  }
}

/** How many rows this connection has stepped over in indexes. */
async function rowsWalked(db: Db): Promise<number> {
  const { rows } = await db.query(
    "show session status where variable_name in ('Handler_read_next', 'Handler_read_prev')",
  )
  return rows.reduce((sum, row) => sum + Number(row.Value), 0)
}

async function foldedCount(db: Db): Promise<number> {
  const { rows } = await db.query('select counts from rating_folds where acc_nbr = ?', [ACCOUNT])
  return rows[0] ? (JSON.parse(String(rows[0].counts)) as { count: number }).count : 0
}

async function fill(
  db: Db,
  limits: CountLimits,
  { rows, isFoldedBefore }: { rows: number; isFoldedBefore: boolean },
): Promise<void> {
  const seed = Math.min(rows, 30_000)
  // Of one author: the server appends to its indexes, and millions are there within minutes.
  const userId = uuidV7()
  const folded = isFoldedBefore ? limits.tailMax + 1 : 0
  await insertRatings(db, ACCOUNT, { count: folded, fromMs: LONG_AGO_MS, userId })
  while (isFoldedBefore && (await foldAccount(db, ACCOUNT, Date.now(), limits)) !== 0);
  if (isFoldedBefore) {
    // As if it had been folded then: what comes is after the mark.
    await db.query('update rating_folds set folded_through = (select max(id) from ratings)')
  }
  const fromMs = LONG_AGO_MS + 3_600_000
  await insertRatings(db, ACCOUNT, { count: seed - folded, fromMs, userId })
  // The rest are copies, each lot a day later than the one before.
  for (let day = 1; day < rows / seed; day++) {
    await db.query(
      `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
       select acc_nbr, unhex(concat(lpad(hex(insert_time + ?), 12, '0'), substr(hex(id), 13))), user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time + ?, null, null
       from ratings where acc_nbr = ? and id <= ?`,
      [day * DAY_MS, day * DAY_MS, ACCOUNT, lastIdAt(LONG_AGO_MS + DAY_MS - 1)],
    )
  }
}
