/**
 * The door over TCP: MySQL, MariaDB, TDSQL-C, TiDB, through mysql2's prepared statements. Connections
 * are opened at the first statement and kept; an event function needs one, a Web function a few.
 */

import {
  type Database,
  type Db,
  DbError,
  type DoorOptions,
  type SqlResult,
  type SqlValue,
} from './db.ts'
import { driverTls, MySqlConnection } from './mysql-connection.ts'
import { parseMySqlUrl } from './mysql-url.ts'
import { type DriverValue, toDriverValue } from './mysql-values.ts'
import { checkParameters } from './parameters.ts'
import { type BegunTransaction, runTransaction } from './transactions.ts'

/** Idle for longer, a connection is asked whether it still lives: an instance may have been frozen meanwhile. */
const PING_AFTER_IDLE_MS = 2000
/** How long that may take, and its share of the time left, so that there is enough for connecting anew. */
const PING_TIMEOUT_MS = 300
const PING_SHARE = 1 / 3

/** A server without a free place soon has one, when an idle connection ends: asked again after this, doubled each time. */
const FULL_PAUSE_MS = 50
const FULL_PAUSE_MAX_MS = 400
/** Too many connections, in all or of this user. */
const FULL_ERRNOS: ReadonlySet<number> = new Set([1040, 1203])

/**
 * A database behind `mysql://…`, see `parseMySqlUrl`.
 * @throws {DatabaseUrlError} when the URL is wrong
 */
export function openMySql(options: DoorOptions): Database {
  return new MySqlDatabase(options)
}

interface Lease {
  connection: MySqlConnection
  /** True when it had served before: it may turn out dead, and then a fresh one deserves a try. */
  reused: boolean
}

class MySqlDatabase implements Database {
  readonly #open: (timeoutMs: number) => Promise<MySqlConnection>
  readonly #options: DoorOptions
  readonly #idle: MySqlConnection[] = []
  readonly #waiting: (() => void)[] = []
  #freeSlots: number
  #closed = false

  constructor(options: DoorOptions) {
    const target = parseMySqlUrl(options.url)
    const tls = driverTls(target.tls)
    this.#open = (timeoutMs) => MySqlConnection.open(target, tls, timeoutMs, options)
    this.#options = options
    this.#freeSlots = options.connections
  }

  within(timeoutMs: () => number): Db {
    const { random } = this.#options
    return {
      query: (sql, parameters = []) => this.#query(sql, parameters, timeoutMs()),
      transaction: (work) =>
        runTransaction(work, { begin: () => this.#begin(timeoutMs), timeoutMs, random }),
      close: () => this.close(),
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const connection of this.#idle.splice(0)) connection.quit()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async #query(
    sql: string,
    parameters: readonly SqlValue[],
    timeoutMs: number,
  ): Promise<SqlResult> {
    const values = toDriverValues(parameters)
    const timeLeftMs = this.#countdown(timeoutMs)
    return this.#onConnection(timeLeftMs, ({ connection }) =>
      connection.query(sql, values, timeLeftMs(), 'unknown'),
    )
  }

  async #begin(timeoutMs: () => number): Promise<BegunTransaction> {
    const timeLeftMs = this.#countdown(timeoutMs())
    const { connection } = await this.#onConnection(
      timeLeftMs,
      async (begun) => {
        await begun.connection.command('start transaction', timeLeftMs(), 'none')
        return begun
      },
      'keep',
    )
    return {
      // Without COMMIT nothing is applied, so that a lost statement is no unknown outcome here.
      query: async (sql, parameters) =>
        connection.query(sql, toDriverValues(parameters), timeoutMs(), 'none'),
      commit: async () => {
        await connection.command('commit', timeoutMs(), 'unknown')
        this.#release(connection)
      },
      rollback: async (rollbackTimeoutMs) => {
        try {
          if (connection.usable) await connection.command('rollback', rollbackTimeoutMs, 'none')
        } catch {
          // The server rolls back what a connection leaves behind.
          connection.destroy()
        } finally {
          this.#release(connection)
        }
      },
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
      return { connection: await this.#connect(timeLeftMs), reused: false }
    } catch (error) {
      this.#giveSlot()
      throw error
    }
  }

  async #connect(timeLeftMs: () => number): Promise<MySqlConnection> {
    for (let pauseMs = FULL_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, FULL_PAUSE_MAX_MS)) {
      try {
        return await this.#open(timeLeftMs())
      } catch (error) {
        // Instances that were refused together shall not come back together.
        const jitteredMs = pauseMs * (0.5 + this.#options.random())
        const isFull = error instanceof DbError && FULL_ERRNOS.has(error.errno ?? 0)
        if (!isFull || timeLeftMs() <= jitteredMs) throw error
        await new Promise((resolve) => setTimeout(resolve, jitteredMs))
      }
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

  /** Milliseconds left of `timeoutMs` from now on. */
  #countdown(timeoutMs: number): () => number {
    const { steadyMs } = this.#options
    const endMs = steadyMs() + timeoutMs
    return () => endMs - steadyMs()
  }

  #giveSlot(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#freeSlots += 1
    else next()
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

function isLostBeforeSending(error: unknown): boolean {
  return error instanceof DbError && error.failure === 'unreachable' && error.outcome === 'none'
}

function toDriverValues(parameters: readonly SqlValue[]): DriverValue[] {
  checkParameters(parameters)
  return parameters.map(toDriverValue)
}
