/**
 * The door over TCP: MySQL, MariaDB, TDSQL-C, TiDB, through mysql2's prepared statements. Connections
 * are opened at the first statement and kept; an event function needs one, a Web function a few.
 */

import { steadyMs } from '../steady-clock.ts'
import {
  type Db,
  DbError,
  type Queryable,
  RETRYABLE_ERRNOS,
  type SqlResult,
  type SqlValue,
} from './db.ts'
import { driverTls, MySqlConnection } from './mysql-connection.ts'
import { parseMySqlUrl } from './mysql-url.ts'
import { toDriverValue } from './mysql-values.ts'
import { checkParameters } from './parameters.ts'

/** Where the database is, how long it may take, and how many connections it gets. */
export interface MySqlOptions {
  /** See `parseMySqlUrl`. */
  url: string
  /** Milliseconds the next statement may take, connecting included; asked before each one. */
  timeoutMs: () => number
  /** How many connections at most: 1 for an event function, a few for a Web function. */
  connections: number
}

/** Idle for longer, a connection is asked whether it still lives: an instance may have been frozen meanwhile. */
const PING_AFTER_IDLE_MS = 2000
/** How long that may take, and its share of the time left, so that there is enough for connecting anew. */
const PING_TIMEOUT_MS = 300
const PING_SHARE = 1 / 3

const TRANSACTION_ATTEMPTS = 3
/** Two transactions that met in a deadlock shall not meet again: a random pause up to this, times the attempt. */
const RETRY_PAUSE_MS = 20
/** ROLLBACK is cheap for the caller to wait for only when the server answers promptly. */
const ROLLBACK_TIMEOUT_MS = 1000

/**
 * Opens the door; nothing is sent before the first statement.
 * @throws {DatabaseUrlError} when the URL is wrong
 */
export function openMySql(options: MySqlOptions): Db {
  return new MySqlDb(options)
}

interface Lease {
  connection: MySqlConnection
  /** True when it had served before: it may turn out dead, and then a fresh one deserves a try. */
  reused: boolean
}

class MySqlDb implements Db {
  readonly #open: (timeoutMs: number) => Promise<MySqlConnection>
  readonly #timeoutMs: () => number
  readonly #idle: MySqlConnection[] = []
  readonly #waiting: (() => void)[] = []
  #freeSlots: number
  #closed = false

  constructor({ url, timeoutMs, connections }: MySqlOptions) {
    const target = parseMySqlUrl(url)
    const tls = driverTls(target.tls)
    this.#open = (openTimeoutMs) => MySqlConnection.open(target, tls, openTimeoutMs)
    this.#timeoutMs = timeoutMs
    this.#freeSlots = connections
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    checkParameters(parameters)
    const values = parameters.map(toDriverValue)
    const timeLeftMs = countdown(this.#timeoutMs())
    return this.#onConnection(timeLeftMs, ({ connection }) =>
      connection.query(sql, values, timeLeftMs(), 'unknown'),
    )
  }

  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(work)
      } catch (error) {
        const pauseMs = Math.random() * RETRY_PAUSE_MS * attempt
        const again = attempt < TRANSACTION_ATTEMPTS && this.#timeoutMs() > pauseMs
        if (!again || !isRetryable(error)) throw error
        await pause(pauseMs)
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const connection of this.#idle.splice(0)) connection.quit()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async #attempt<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    const timeLeftMs = countdown(this.#timeoutMs())
    const lease = await this.#onConnection(
      timeLeftMs,
      async (begun) => {
        await begun.connection.command('start transaction', timeLeftMs(), 'none')
        return begun
      },
      'keep',
    )
    const { connection } = lease
    const transaction = new MySqlTransaction(connection, this.#timeoutMs)
    try {
      const result = await work(transaction)
      await transaction.commit()
      return result
    } catch (error) {
      await transaction.rollback()
      // What the caller made of a deadlock does not matter: the server has undone everything before it.
      throw isRetryable(transaction.doom) ? transaction.doom : error
    } finally {
      this.#release(connection)
    }
  }

  /** Runs `use` on a connection, once more on a fresh one when a kept one proves dead before anything was sent. */
  async #onConnection<T>(
    timeLeftMs: () => number,
    use: (lease: Lease) => Promise<T>,
    afterwards: 'release' | 'keep' = 'release',
  ): Promise<T> {
    for (;;) {
      const lease = await this.#lease(timeLeftMs)
      let failed = true
      try {
        const result = await use(lease)
        failed = false
        return result
      } catch (error) {
        if (!lease.reused || !isLostBeforeSending(error)) throw error
      } finally {
        if (failed || afterwards === 'release') this.#release(lease.connection)
      }
    }
  }

  async #lease(timeLeftMs: () => number): Promise<Lease> {
    await this.#takeSlot(timeLeftMs)
    try {
      for (let kept = this.#idle.pop(); kept !== undefined; kept = this.#idle.pop()) {
        if (await isAlive(kept, timeLeftMs)) return { connection: kept, reused: true }
      }
      return { connection: await this.#open(timeLeftMs()), reused: false }
    } catch (error) {
      this.#giveSlot()
      throw error
    }
  }

  #release(connection: MySqlConnection): void {
    if (this.#closed) connection.quit()
    else if (connection.usable) this.#idle.push(connection)
    this.#giveSlot()
  }

  async #takeSlot(timeLeftMs: () => number): Promise<void> {
    if (!this.#closed && this.#freeSlots > 0) {
      this.#freeSlots -= 1
      return
    }
    if (!this.#closed) {
      await new Promise<void>((resolve, reject) => {
        const wake = () => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          this.#waiting.splice(this.#waiting.indexOf(wake), 1)
          reject(new DbError('timeout', { outcome: 'none' }))
        }, timeLeftMs())
        this.#waiting.push(wake)
      })
    }
    if (this.#closed) throw new DbError('unreachable', { outcome: 'none' })
  }

  #giveSlot(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#freeSlots += 1
    else next()
  }
}

/** The statements of one transaction, one at a time, until COMMIT or ROLLBACK. */
class MySqlTransaction implements Queryable {
  readonly #connection: MySqlConnection
  readonly #timeoutMs: () => number
  #lastStatement: Promise<unknown> = Promise.resolve()
  #ended = false
  /** The error after which nothing of this transaction may be committed, though its caller carried on. */
  doom: DbError | undefined

  constructor(connection: MySqlConnection, timeoutMs: () => number) {
    this.#connection = connection
    this.#timeoutMs = timeoutMs
  }

  query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    if (this.#ended) return Promise.reject(new Error('this transaction has ended'))
    const result = this.#lastStatement.then(() => this.#run(sql, parameters))
    this.#lastStatement = result.catch(() => undefined)
    return result
  }

  async commit(): Promise<void> {
    await this.#lastStatement
    this.#ended = true
    if (this.doom !== undefined) throw this.doom
    try {
      await this.#connection.command('commit', this.#timeoutMs(), 'unknown')
    } catch (error) {
      if (!(error instanceof DbError) || error.errno === undefined || isRetryable(error))
        throw error
      // Refused for a reason other than a conflict: what the server did with the rest is not told.
      throw new DbError('refused', { ...error, outcome: 'unknown' })
    }
  }

  /** Never throws: where ROLLBACK fails the connection is destroyed, and the server rolls back by itself. */
  async rollback(): Promise<void> {
    this.#ended = true
    await this.#lastStatement
    if (!this.#connection.usable) return
    const timeoutMs = Math.min(this.#timeoutMs(), ROLLBACK_TIMEOUT_MS)
    try {
      await this.#connection.command('rollback', timeoutMs, 'none')
    } catch {
      this.#connection.destroy()
    }
  }

  async #run(sql: string, parameters: readonly SqlValue[]): Promise<SqlResult> {
    if (this.doom !== undefined) throw this.doom
    checkParameters(parameters)
    const values = parameters.map(toDriverValue)
    try {
      // Without COMMIT nothing is applied, so that a lost statement is no unknown outcome here.
      return await this.#connection.query(sql, values, this.#timeoutMs(), 'none')
    } catch (error) {
      if (error instanceof DbError && (isRetryable(error) || !this.#connection.usable)) {
        this.doom = error
      }
      throw error
    }
  }
}

async function isAlive(kept: MySqlConnection, timeLeftMs: () => number): Promise<boolean> {
  if (!kept.usable) return false
  if (kept.idleMs <= PING_AFTER_IDLE_MS) return true
  try {
    await kept.ping(Math.min(PING_TIMEOUT_MS, timeLeftMs() * PING_SHARE))
    return true
  } catch {
    kept.destroy()
    return false
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof DbError && error.errno !== undefined && RETRYABLE_ERRNOS.has(error.errno)
}

function isLostBeforeSending(error: unknown): boolean {
  return error instanceof DbError && error.failure === 'unreachable' && error.outcome === 'none'
}

/** Milliseconds left of `timeoutMs` from now on. */
function countdown(timeoutMs: number): () => number {
  const endMs = steadyMs() + timeoutMs
  return () => endMs - steadyMs()
}

/** Not node:timers/promises, which a cold start would load for nothing. */
function pause(pauseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs))
}
