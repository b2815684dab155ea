/** What statements are run on. The doors to a database (`doors.ts`) implement it, the stores of this folder use it. */

/** What may be bound to a `?`. Arrays and objects change a statement's structure in some drivers: never bound. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array

/**
 * A result row. Integers, counts and sums below 2^53 are numbers, binary columns are bytes,
 * text is a string; every door converts to exactly this.
 */
export type SqlRow = Record<string, string | number | null | Uint8Array>

/** Rows of a SELECT (else empty), and rows changed by a write (never rely on it after an upsert). */
export interface SqlResult {
  rows: SqlRow[]
  rowsAffected: number
  /** What a write handed to `last_insert_id(…)`; zero or absent where the database does not pass that on. */
  lastInsertId?: number
}

/** Something statements can be run on: a database, or a transaction of it. */
export interface Queryable {
  /**
   * Runs one statement with its parameters.
   * @throws {DbError} when the database refused it or could not be reached
   */
  query(sql: string, parameters?: readonly SqlValue[]): Promise<SqlResult>
}

/** A database as one caller has it, held to the time that caller has. */
export interface Db extends Queryable {
  /**
   * Runs `work` in one transaction: COMMIT when it resolves, ROLLBACK when it throws. Repeated as a
   * whole when the database asks for it (deadlock, lock wait), so `work` has no effects of its own.
   * @throws {DbError} with `outcome: 'unknown'` when the answer to COMMIT was lost
   */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>
  /** Closes the database for all callers. */
  close(): Promise<void>
}

/** A database as an instance has it: connections for all callers, each of whom brings a time of his own. */
export interface Database {
  /** `timeoutMs` is asked before each statement how many milliseconds it may take, connecting included. */
  within(timeoutMs: () => number): Db
  close(): Promise<void>
}

/** What a door needs to open a database. */
export interface DoorOptions {
  url: string
  /** How many connections at most, where a door keeps any: 1 for an event function, a few for a Web function. */
  connections: number
  /** Milliseconds by the wall clock, which goes on while an instance is frozen. */
  now: () => number
  /** Milliseconds on a clock nobody sets. */
  steadyMs: () => number
  /** A number from 0 to 1. */
  random: () => number
  /** Seconds for which a statement waits for a table that is locked or being altered; 2 unless told. */
  tableLockWaitSeconds?: number
  /** Milliseconds after which the server ends a statement by itself; never unless told. No caller should wait longer. */
  statementMs?: number
}

/** Why a statement failed, without its text or values: both carry personal data. */
export type DbFailure =
  | 'refused' // the database answered with an error number
  | 'unreachable' // no connection, or the connection broke
  | 'timeout' // no answer within the deadline
  | 'bad-answer' // an answer that is not the protocol's

/** `none`: certainly not applied. `unknown`: may have been applied, read back before retrying. */
export type DbOutcome = 'none' | 'unknown'

/** A statement that failed, described without its text or values. */
export class DbError extends Error {
  readonly failure: DbFailure
  /** MySQL error number (1062 duplicate key, 1213 deadlock …), when the database gave one. */
  readonly errno: number | undefined
  readonly sqlState: string | undefined
  readonly outcome: DbOutcome

  constructor(
    failure: DbFailure,
    details: {
      errno?: number | undefined
      sqlState?: string | undefined
      outcome: DbOutcome
    },
  ) {
    super(`database ${failure}${details.errno === undefined ? '' : ` (errno ${details.errno})`}`)
    this.name = 'DbError'
    this.failure = failure
    this.errno = details.errno
    this.sqlState = details.sqlState
    this.outcome = details.outcome
  }

  get logDetails(): Record<string, string | number | undefined> {
    const { failure, errno, sqlState, outcome, message } = this
    return { failure, errno, sqlState, outcome, what: EXPLANATIONS.get(errno ?? 0) ?? message }
  }
}

/** What an operator has to know of the error numbers that mean a broken set-up. */
const EXPLANATIONS: ReadonlyMap<number, string> = new Map([
  [1040, 'the database has too many connections'],
  [1203, 'the database user has too many connections'],
  [1205, 'a table or a row stayed locked: a backup, an ALTER, or an open transaction'],
  [1044, 'the database user may not use this database'],
  [1045, 'the database refuses the user name or password of DATABASE_URL'],
  [1049, 'the database named in DATABASE_URL does not exist'],
  [1142, 'the database user lacks a right on a table'],
  [1146, 'a table is missing: run npm run migrate'],
  [1054, 'a column is missing: run npm run migrate'],
  [1290, 'the database is read-only'],
  [1792, 'the database is read-only'],
  [1836, 'the database is read-only'],
  [1021, 'the disk of the database is full'],
  [1114, 'a table of the database is full'],
  [28, 'the disk of the database is full'],
])

/** Duplicate entry for a unique key. https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
export const DUPLICATE_KEY_ERRNO = 1062

/** A row or a table stayed locked for longer than the session waits. */
export const LOCK_WAIT_ERRNO = 1205

/** Errors after which the whole transaction may simply be run again: lock wait, deadlock, and TiDB's two conflicts. */
export const RETRYABLE_ERRNOS: ReadonlySet<number> = new Set([LOCK_WAIT_ERRNO, 1213, 8002, 9007])

/** True when `error` says that a row with the same unique key is already there. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof DbError && error.errno === DUPLICATE_KEY_ERRNO
}
