/**
 * Transactions as every door runs them: statements one after the other, COMMIT only when nothing is in doubt, all of it
 * again when the database asks for that. A door brings no more than BEGIN, COMMIT and ROLLBACK.
 */
import {
  DbError,
  isDuplicateKey,
  type Queryable,
  RETRYABLE_ERRNOS,
  type SqlResult,
  type SqlValue,
} from './db.ts'

/** A transaction that has begun. It is over when `commit` resolved, or when `rollback` settled. */
export interface BegunTransaction {
  query(sql: string, parameters: readonly SqlValue[]): Promise<SqlResult>
  /** @throws {DbError} with `outcome: 'unknown'` when the answer was lost */
  commit(): Promise<void>
  /** May fail: without COMMIT the server rolls back by itself, only later. */
  rollback(timeoutMs: number): Promise<void>
}

/** What running a transaction depends on. */
export interface TransactionOptions {
  begin: () => Promise<BegunTransaction>
  /** Milliseconds the caller's next statement may take. */
  timeoutMs: () => number
  /** A number from 0 to 1. */
  random: () => number
}

const ATTEMPTS = 3
/** Two transactions that met in a deadlock shall not meet again: a random pause up to this, times the attempt. */
const RETRY_PAUSE_MS = 40
/** ROLLBACK only frees locks earlier than the server would: it may not use up the caller's time. */
const ROLLBACK_TIMEOUT_MS = 1000

/** See `Db.transaction`. @throws {DbError} */
export async function runTransaction<T>(
  work: (transaction: Queryable) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(work, options)
    } catch (error) {
      const pauseMs = options.random() * RETRY_PAUSE_MS * attempt
      const isWorthwhile = attempt < ATTEMPTS && options.timeoutMs() > pauseMs
      if (!isWorthwhile || !mayRunAgain(error)) throw error
      // Not node:timers/promises, which a cold start would load for nothing.
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

async function runOnce<T>(
  work: (transaction: Queryable) => Promise<T>,
  { begin, timeoutMs }: TransactionOptions,
): Promise<T> {
  const begun = await begin()
  const statements = new Statements(begun)
  try {
    const result = await work(statements)
    await statements.end()
    if (statements.doom !== undefined) throw statements.doom
    await commit(begun)
    return result
  } catch (error) {
    await statements.end()
    // The first error is the one that tells what happened.
    await begun.rollback(Math.min(timeoutMs(), ROLLBACK_TIMEOUT_MS)).catch(() => undefined)
    // What `work` made of a deadlock does not matter: the server has undone everything before it.
    throw mayRunAgain(statements.doom) ? statements.doom : error
  }
}

/** The statements of one transaction, one at a time and in the order they were asked for. */
class Statements implements Queryable {
  /** The failure after which nothing may be committed, though `work` carried on. */
  doom: unknown
  readonly #begun: BegunTransaction
  #last: Promise<unknown> = Promise.resolve()
  #isOver = false

  constructor(begun: BegunTransaction) {
    this.#begun = begun
  }

  query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    if (this.#isOver) return Promise.reject(new Error('the transaction is over'))
    const result = this.#last.then(() => this.#run(sql, parameters))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Takes no more statements, and waits for those that nobody waited for. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#last
  }

  async #run(sql: string, parameters: readonly SqlValue[]): Promise<SqlResult> {
    if (this.doom !== undefined) throw this.doom
    try {
      return await this.#begun.query(sql, parameters)
    } catch (error) {
      // A duplicate key is an answer; after anything else it is not certain what the transaction holds.
      if (!isDuplicateKey(error)) this.doom = error
      throw error
    }
  }
}

async function commit(begun: BegunTransaction): Promise<void> {
  try {
    await begun.commit()
  } catch (error) {
    if (!(error instanceof DbError) || error.errno === undefined || mayRunAgain(error)) throw error
    // Refused for a reason other than a conflict: what the server did with the rest is not told.
    throw new DbError('refused', { ...error, outcome: 'unknown' })
  }
}

function mayRunAgain(error: unknown): boolean {
  return (
    error instanceof DbError && error.outcome === 'none' && RETRYABLE_ERRNOS.has(error.errno ?? 0)
  )
}
