/** The database of a function: opened at the first statement, held to each call's deadline, left alone when it is dead. */

import { createBreaker } from '../breaker.ts'
import { DatabaseUrlError } from '../store/database-url-error.ts'
import { type Database, type Db, DbError } from '../store/db.ts'
import { openDatabase } from '../store/doors.ts'
import { machine } from './clock.ts'
import { ConfigurationError, type Values } from './configuration.ts'

/** Longest wait for one statement. */
export const DATABASE_BUDGET_MS = 3000
/** Left over for our own answer when the platform's deadline is nearer than the budget. */
const RESERVE_MS = 200
/** Commands count millions of rows. */
const COMMAND_BUDGET_MS = 60_000
/** A backup that locks tables shall not end a command that has been walking for hours. */
const COMMAND_TABLE_LOCK_WAIT_SECONDS = 20

/** What a function's variables say of its database. */
export type DatabaseSettings = Pick<Values, 'DATABASE_URL' | 'DATABASE_CONNECTIONS'>

/** The database of an instance, and of each of its calls. */
export interface InstanceDatabase {
  /** The database for a call that has `remainingMs()` left; several at a time do not know of each other. */
  forCall(remainingMs: () => number): Db
  /** Whether statements fail at once, because the database did not answer several. */
  isLeftAlone(): boolean
}

/** One set of connections for the values of a function, whatever number of stores is made over it. */
const databases = new WeakMap<DatabaseSettings, InstanceDatabase>()

/** The database behind `DATABASE_URL`; its driver is loaded at the first statement. @throws {ConfigurationError} */
export function databaseFrom(values: DatabaseSettings): InstanceDatabase {
  const known = databases.get(values)
  if (known) return known
  const { DATABASE_URL: url, DATABASE_CONNECTIONS: connections } = values
  let opening: Promise<Database> | undefined
  const opened = (): Promise<Database> => {
    opening ??= openDatabase({
      ...machine,
      url,
      connections,
      statementMs: DATABASE_BUDGET_MS,
    }).catch((error: unknown) => {
      if (!(error instanceof DatabaseUrlError)) throw error
      const { code, detail } = error
      throw new ConfigurationError([{ variable: 'DATABASE_URL', code, details: { detail } }])
    })
    return opening
  }
  const breaker = createBreaker({ now: machine.now })
  const database: InstanceDatabase = {
    isLeftAlone: breaker.isOpen,
    forCall(remainingMs) {
      const timeoutMs = (): number =>
        Math.max(Math.min(DATABASE_BUDGET_MS, remainingMs() - RESERVE_MS), 1)
      const guarded = <T>(use: (db: Db) => Promise<T>): Promise<T> =>
        breaker.run(async () => use((await opened()).within(timeoutMs)), judge)
      return {
        query: (sql, parameters) => guarded((db) => db.query(sql, parameters)),
        transaction: (work) => guarded((db) => db.transaction(work)),
        close: async () => (await opening)?.close(),
      }
    },
  }
  databases.set(values, database)
  return database
}

/** Whether the database answers a statement, connecting included, within so many milliseconds. */
export async function isAnswering(
  database: Pick<InstanceDatabase, 'forCall'>,
  withinMs: number,
): Promise<boolean> {
  try {
    await database.forCall(() => withinMs).query('select 1 as answer')
    return true
  } catch (error) {
    if (error instanceof DbError || error instanceof ConfigurationError) return false
    throw error
  }
}

/** The breaker stops asking a database that does not answer. */
const judge = {
  isFailure: (error: unknown) =>
    error instanceof DbError && (error.failure === 'unreachable' || error.failure === 'timeout'),
  refuse: () => new DbError('unreachable', { outcome: 'none' }),
}

/** What a command may ask for beyond the ordinary. */
export interface CommandDatabaseOptions {
  /** Milliseconds for each statement; a minute unless told. */
  budgetMs?: number
  connections?: number
  tableLockWaitSeconds?: number
}

/** The database behind `url` for commands. @throws {DatabaseUrlError} */
export async function openDb(url: string, options: CommandDatabaseOptions = {}): Promise<Db> {
  const { budgetMs = COMMAND_BUDGET_MS, ...others } = options
  const database = await openDatabase({
    ...machine,
    url,
    connections: 1,
    tableLockWaitSeconds: COMMAND_TABLE_LOCK_WAIT_SECONDS,
    ...others,
  })
  return database.within(() => budgetMs)
}
