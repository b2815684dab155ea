/** The database of a function: opened at the first statement, held to the invocation's deadline, left alone when it is dead. */

import { createBreaker } from '../breaker.ts'
import { steadyMs } from '../steady-clock.ts'
import { DatabaseUrlError } from '../store/database-url-error.ts'
import { type Db, DbError } from '../store/db.ts'
import { systemClock } from './clock.ts'
import { ConfigurationError, doorOf, type Values } from './configuration.ts'

declare const STORE_DOOR: 'planetscale' | 'mysql' | undefined

/** Longest wait for one statement. */
export const DATABASE_BUDGET_MS = 3000
/** Left over for our own answer when the platform's deadline is nearer than the budget. */
const RESERVE_MS = 200

let invocationEndsAtMs = Number.POSITIVE_INFINITY

/**
 * Tells the database how long this invocation may take. With several at a time (a Web function) the latest
 * counts for all; the budget of a statement still holds for each.
 */
export function beginInvocation(remainingMs: number): void {
  invocationEndsAtMs = steadyMs() + remainingMs
}

function statementTimeoutMs(): number {
  const leftMs = invocationEndsAtMs - steadyMs() - RESERVE_MS
  return Math.max(Math.min(DATABASE_BUDGET_MS, leftMs), 1)
}

/** Commands change schemas and count millions of rows. */
const COMMAND_BUDGET_MS = 60_000

/** What a function's variables say of its database. */
export type DatabaseSettings = Pick<Values, 'DATABASE_URL' | 'DATABASE_CONNECTIONS'>

/** One database for the values of a function, whatever number of stores is made over it. */
const databases = new WeakMap<DatabaseSettings, Db>()

/** The database behind `DATABASE_URL`; its driver is loaded at the first statement. */
export function dbFrom(values: DatabaseSettings): Db {
  const known = databases.get(values)
  if (known) return known
  const { DATABASE_URL: url, DATABASE_CONNECTIONS: connections } = values
  const db = guardedDb(lazyDb(() => openDb(url, { timeoutMs: statementTimeoutMs, connections })))
  databases.set(values, db)
  return db
}

/** How patient a database is, and how wide. */
export interface OpenDbOptions {
  timeoutMs?: () => number
  /** MySQL only: how many at most. */
  connections?: number
}

/** The database behind `url`, for functions and, with a longer patience, for commands. */
export async function openDb(
  url: string,
  { timeoutMs = () => COMMAND_BUDGET_MS, connections = 1 }: OpenDbOptions = {},
): Promise<Db> {
  // Spelt out, so that the build can drop the driver that a bundle does not carry.
  if ((typeof STORE_DOOR === 'undefined' || STORE_DOOR === 'mysql') && doorOf(url) === 'mysql') {
    const { openMySql } = await import('../store/mysql.ts')
    return openMySql({ url, timeoutMs, connections })
  }
  if (typeof STORE_DOOR === 'undefined' || STORE_DOOR === 'planetscale') {
    const { openPlanetScale } = await import('../store/planetscale.ts')
    return openPlanetScale({ url, timeoutMs })
  }
  throw new DatabaseUrlError('other-door', 'mysql')
}

function lazyDb(open: () => Promise<Db>): Db {
  let opening: Promise<Db> | undefined
  const opened = (): Promise<Db> => {
    opening ??= open().catch((error: unknown) => {
      if (!(error instanceof DatabaseUrlError)) throw error
      const { code, detail } = error
      throw new ConfigurationError([{ variable: 'DATABASE_URL', code, details: { detail } }])
    })
    return opening
  }
  return {
    query: async (sql, parameters) => (await opened()).query(sql, parameters),
    transaction: async (work) => (await opened()).transaction(work),
    close: async () => (await opening)?.close(),
  }
}

/** Stops asking a database that does not answer. */
function guardedDb(db: Db): Db {
  const breaker = createBreaker({ now: systemClock.now })
  const judge = {
    isFailure: (error: unknown) =>
      error instanceof DbError && (error.failure === 'unreachable' || error.failure === 'timeout'),
    refuse: () => new DbError('unreachable', { outcome: 'none' }),
  }
  return {
    query: (sql, parameters) => breaker.run(() => db.query(sql, parameters), judge),
    transaction: (work) => breaker.run(() => db.transaction(work), judge),
    close: () => db.close(),
  }
}
