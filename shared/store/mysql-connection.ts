/**
 * One connection to a MySQL: opened with the session settings the statements rely on, used for one
 * statement at a time, destroyed as soon as anything about it is doubtful. A connection that went
 * silent (frozen instance, a NAT that forgot it) never recovers, and mysql2's own time-outs leave
 * it in use: every wait here ends by destroying the socket.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import mysql2, { type Connection, type PrepareStatementInfo, type SslOptions } from 'mysql2'
import { DatabaseUrlError } from './database-url-error.ts'
import { DbError, type DbOutcome, type DoorOptions, type SqlResult } from './db.ts'
import type { MySqlTarget, MySqlTls } from './mysql-url.ts'
import { type DriverValue, type MySqlColumn, toSqlRow } from './mysql-values.ts'
import { checkParameterCount } from './parameters.ts'

/** Strict everywhere, and nothing that changes how a literal is read (NO_BACKSLASH_ESCAPES, ANSI_QUOTES). */
const SQL_MODE =
  'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'
const SETTINGS = `names utf8mb4 collate utf8mb4_bin, sql_mode = '${SQL_MODE}', time_zone = '+00:00', autocommit = 1`
/** Seconds. */
const ROW_LOCK_WAIT = 2
const TABLE_LOCK_WAIT = 2
/** Seconds after which the server takes back a connection that nobody uses: instances that are idle or gone hold no place. */
const IDLE_CONNECTION = 60
const UNKNOWN_VARIABLE_ERRNO = 1193
const IDLE_TOO_LONG_ERRNO = 4031

/** Statements the server keeps prepared for a connection: its limit (16,382) is for all connections together. */
const PREPARED_STATEMENTS = 64

/** Refusals that concern the session or its server, such as a former primary: a new connection may find better. */
const SESSION_ERRNOS: ReadonlySet<number> = new Set([1053, 1243, 1290, 1615, 1792, 1836, 1927])
/**
 * Refusals after which the statement may have been applied all the same: shutdown, error during COMMIT, interrupted,
 * over MariaDB's time limit, TiDB's own.
 */
const UNDETERMINED_ERRNOS: ReadonlySet<number> = new Set([1053, 1180, 1317, 1969, 8501])

type ConnectionOptions = Pick<
  DoorOptions,
  'now' | 'steadyMs' | 'tableLockWaitSeconds' | 'statementMs'
>
interface DriverAnswer {
  rows: unknown
  columns: readonly MySqlColumn[] | undefined
}
type Settle<T> = (error: unknown, answer?: T) => void

/** A connection with its settings made and checked. Not for two callers at once. */
export class MySqlConnection {
  readonly #socket: Socket
  readonly #driver: Connection
  #broken: DbError | undefined
  #onBroken: ((error: DbError) => void) | undefined
  readonly #options: ConnectionOptions
  #lastUsedMs: number

  private constructor(
    target: MySqlTarget,
    tls: SslOptions | undefined,
    options: ConnectionOptions,
  ) {
    this.#options = options
    this.#lastUsedMs = options.now()
    const { host, port, user, password, database } = target
    this.#socket = connect({ host, port, noDelay: true, keepAlive: true })
    this.#driver = mysql2.createConnection({
      host,
      port,
      user,
      password,
      database,
      ...(tls && { ssl: tls }),
      stream: () => this.#socket,
      connectTimeout: 0,
      charset: 'UTF8MB4_BIN',
      timezone: 'Z',
      supportBigNumbers: true,
      dateStrings: true,
      jsonStrings: true,
      rowsAsArray: true,
      disableEval: true,
      maxPreparedStatements: PREPARED_STATEMENTS,
      // No file of ours is any server's business; `rowsAffected` counts changed rows, not found ones.
      flags: ['-LOCAL_FILES', '-FOUND_ROWS'],
    })
    this.#driver.on('error', (error) => this.#break(toDbError(error, 'none')))
  }

  /**
   * Connects, authenticates and makes the session's settings.
   * @throws {DbError} `outcome: 'none'`; its message names the setting when the server did not take one
   */
  static async open(
    target: MySqlTarget,
    tls: SslOptions | undefined,
    timeoutMs: number,
    options: ConnectionOptions,
  ): Promise<MySqlConnection> {
    const { steadyMs } = options
    const endMs = steadyMs() + timeoutMs
    const connection = new MySqlConnection(target, tls, options)
    try {
      await connection.#exchange<unknown>(timeoutMs, 'none', (settle) => {
        connection.#driver.connect(settle)
      })
      await connection.#makeSettings(() => endMs - steadyMs())
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** False once it broke or was destroyed: a fresh one is needed. */
  get usable(): boolean {
    return this.#broken === undefined
  }

  /** Milliseconds since its last answer by the wall clock, which goes on while an instance is frozen. */
  get idleMs(): number {
    const idleMs = this.#options.now() - this.#lastUsedMs
    return idleMs < 0 ? Number.POSITIVE_INFINITY : idleMs
  }

  /**
   * Runs one prepared statement. `lostOutcome` is what it means when the answer stays away.
   * @throws {DbError} `outcome: 'none'` for certain as long as nothing but PREPARE was sent
   * @throws {ParameterError} before it is executed, when it does not take that many values
   */
  async query(
    sql: string,
    values: DriverValue[],
    timeoutMs: number,
    lostOutcome: DbOutcome,
  ): Promise<SqlResult> {
    const { steadyMs } = this.#options
    const endMs = steadyMs() + timeoutMs
    const statement = await this.#exchange<PrepareStatementInfo>(timeoutMs, 'none', (settle) => {
      this.#driver.prepare(sql, settle)
    })
    const expected = (statement as PrepareStatementInfo & { parameters: unknown[] }).parameters
    checkParameterCount(expected.length, values.length)
    const answer = await this.#exchange<DriverAnswer>(endMs - steadyMs(), lostOutcome, (settle) => {
      statement.execute(values, (error: unknown, rows: unknown, columns?: MySqlColumn[]) => {
        settle(error, { rows, columns })
      })
    })
    return toSqlResult(answer)
  }

  /** Runs a statement without parameters that cannot be prepared everywhere. @throws {DbError} */
  async command(
    sql: 'start transaction' | 'commit' | 'rollback',
    timeoutMs: number,
    lostOutcome: DbOutcome,
  ): Promise<void> {
    await this.#ask(sql, timeoutMs, lostOutcome)
  }

  /** Asks whether the server still answers; destroyed when it does not in time. @throws {DbError} */
  async ping(timeoutMs: number): Promise<void> {
    await this.#exchange<unknown>(timeoutMs, 'none', (settle) => this.#driver.ping(settle))
  }

  /** Ends it at once; whoever waits for an answer gets an error. */
  destroy(): void {
    this.#break(new DbError('unreachable', { outcome: 'none' }))
  }

  /** Says goodbye, so that the server does not count an aborted client, without waiting for an answer. */
  quit(): void {
    if (this.#broken !== undefined) return
    this.#broken = new DbError('unreachable', { outcome: 'none' })
    const socket = this.#socket
    socket.unref()
    const impatience = setTimeout(() => socket.destroy(), 500).unref()
    socket.once('close', () => clearTimeout(impatience))
    this.#driver.end(() => socket.destroy())
  }

  async #makeSettings(timeLeftMs: () => number): Promise<void> {
    const set = (settings: string) => this.#ask(`set ${settings}`, timeLeftMs(), 'none')
    const ends = settingsThatEnd(this.#options)
    try {
      await set([SETTINGS, ...ends].join())
    } catch (error) {
      if (!isUnknownVariable(error)) throw error
      await set(SETTINGS)
      for (const setting of ends) {
        await set(setting).catch((refusal: unknown) => {
          if (!isUnknownVariable(refusal)) throw refusal
        })
      }
    }
    // A proxy in between may swallow the above and still say yes.
    const { rows } = await this.#ask(
      'select @@sql_mode, @@character_set_client, @@character_set_connection, @@character_set_results, @@time_zone, @@autocommit',
      timeLeftMs(),
      'none',
    )
    const [settings] = rows as unknown[][]
    const [sqlMode, client, connection, results, timeZone, autocommit] = (settings ?? []).map(
      String,
    )
    const modes = (sqlMode ?? '').split(',')
    if (!SQL_MODE.split(',').every((mode) => modes.includes(mode))) throw refusedSetting('sql_mode')
    if (modes.includes('NO_BACKSLASH_ESCAPES')) throw refusedSetting('NO_BACKSLASH_ESCAPES')
    if (![client, connection, results].every((name) => name === 'utf8mb4')) {
      throw refusedSetting('character set utf8mb4')
    }
    if (timeZone !== '+00:00') throw refusedSetting('time_zone')
    if (autocommit !== '1') throw refusedSetting('autocommit')
  }

  #ask(sql: string, timeoutMs: number, lostOutcome: DbOutcome): Promise<DriverAnswer> {
    return this.#exchange<DriverAnswer>(timeoutMs, lostOutcome, (settle) => {
      this.#driver.query(sql, (error: unknown, rows: unknown, columns?: MySqlColumn[]) => {
        settle(error, { rows, columns })
      })
    })
  }

  /** Sends something and waits for its answer, the connection's end, or the deadline, whatever comes first. */
  #exchange<T>(
    timeoutMs: number,
    lostOutcome: DbOutcome,
    send: (settle: Settle<T>) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken)
      if (timeoutMs <= 0) return reject(new DbError('timeout', { outcome: 'none' }))
      this.#hold(true)
      const finish = () => {
        clearTimeout(timer)
        this.#onBroken = undefined
        this.#lastUsedMs = this.#options.now()
        this.#hold(false)
      }
      const timer = setTimeout(() => {
        finish()
        reject(new DbError('timeout', { outcome: lostOutcome }))
        this.destroy()
      }, timeoutMs)
      this.#onBroken = (error) => {
        finish()
        reject(new DbError(error.failure, { ...error, outcome: lostOutcome }))
      }
      send((error, answer) => {
        if (this.#onBroken === undefined) return
        finish()
        if (!error) return resolve(answer as T)
        const failure = toDbError(error, lostOutcome)
        reject(failure)
        if (failure.errno === undefined || SESSION_ERRNOS.has(failure.errno)) this.#break(failure)
      })
    })
  }

  #break(error: DbError): void {
    if (this.#broken !== undefined) return
    this.#broken = new DbError(error.failure, { ...error, outcome: 'none' })
    this.#driver.destroy()
    // The driver only half-closes, which waits for a peer that may be gone.
    this.#socket.destroy()
    this.#onBroken?.(error)
  }

  /** An idle connection does not keep the process alive; a statement under way does. */
  #hold(busy: boolean): void {
    if (busy) this.#socket.ref()
    else this.#socket.unref()
  }
}

/**
 * Ends on the server what nobody waits for any more. A server does not notice that the client of a waiting statement has
 * gone: behind LOCK TABLES, FLUSH TABLES WITH READ LOCK or an ALTER it would wait for a day, or a year, and then run.
 */
function settingsThatEnd({
  tableLockWaitSeconds = TABLE_LOCK_WAIT,
  statementMs,
}: ConnectionOptions): string[] {
  const settings = [
    `innodb_lock_wait_timeout = ${ROW_LOCK_WAIT}`,
    `lock_wait_timeout = ${tableLockWaitSeconds}`,
    `wait_timeout = ${IDLE_CONNECTION}`,
  ]
  if (statementMs === undefined) return settings
  // MySQL's limit is for reads alone, MariaDB's for all; each reads its own comment. Before it, something all know.
  const limits = `/*!80000 , max_execution_time = ${statementMs}*//*M!100100 , max_statement_time = ${statementMs / 1000}*/`
  return [...settings, `autocommit = 1${limits}`]
}

function isUnknownVariable(error: unknown): boolean {
  return error instanceof DbError && error.errno === UNKNOWN_VARIABLE_ERRNO
}

/**
 * What mysql2 takes for TLS; made once for all connections, so that they share context and session.
 * @throws {DatabaseUrlError} when there is no such file of authorities
 */
export function driverTls(tls: MySqlTls | undefined): SslOptions | undefined {
  if (tls === undefined) return undefined
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: tls.verify !== 'nothing',
    verifyIdentity: tls.verify === 'authority-and-name',
    ...(tls.authorityPath !== undefined && { ca: readAuthority(tls.authorityPath) }),
  }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new DatabaseUrlError('ssl-ca-unreadable')
  }
}

function toSqlResult({ rows, columns }: DriverAnswer): SqlResult {
  if (Array.isArray(rows) && columns !== undefined) {
    return {
      rows: rows.map((values: unknown[]) => toSqlRow(values, columns)),
      rowsAffected: 0,
    }
  }
  if (isHeader(rows)) {
    return { rows: [], rowsAffected: rows.affectedRows, lastInsertId: rows.insertId }
  }
  throw new DbError('bad-answer', { outcome: 'unknown' })
}

function isHeader(answer: unknown): answer is { affectedRows: number; insertId: number } {
  return typeof answer === 'object' && answer !== null && 'affectedRows' in answer
}

/** mysql2's errors carry the SQL, its values and the user's name: only class, number and state are taken over. */
function toDbError(error: unknown, lostOutcome: DbOutcome): DbError {
  if (error instanceof DbError) return error
  const { errno, sqlState, code, syscall } = error as {
    errno?: unknown
    sqlState?: unknown
    code?: unknown
    syscall?: unknown
  }
  // Said to a connection that was idle too long, before anything that is still on its way to the server was read.
  if (errno === IDLE_TOO_LONG_ERRNO) return new DbError('unreachable', { outcome: 'none' })
  if (typeof errno === 'number' && errno > 0 && typeof sqlState === 'string') {
    return new DbError('refused', {
      errno,
      sqlState: sqlState === '' ? undefined : sqlState,
      outcome: UNDETERMINED_ERRNOS.has(errno) ? lostOutcome : 'none',
    })
  }
  const lost =
    syscall !== undefined ||
    code === 'PROTOCOL_CONNECTION_LOST' ||
    // Node's words for a socket that the other side has ended, or that is gone: nothing was sent.
    code === 'EPIPE' ||
    code === 'ERR_STREAM_DESTROYED' ||
    isTlsCode(code) ||
    isClosedAlready(error)
  return new DbError(lost ? 'unreachable' : 'bad-answer', { outcome: lostOutcome })
}

function isTlsCode(code: unknown): boolean {
  return code === 'HANDSHAKE_SSL_ERROR' || code === 'HANDSHAKE_NO_SSL_SUPPORT'
}

function refusedSetting(setting: string): DbError {
  const error = new DbError('refused', { outcome: 'none' })
  error.message = `database refused: the session does not keep ${setting}`
  return error
}

/** mysql2 gives no code when a connection was found broken in the moment a statement was handed to it. */
function isClosedAlready(error: unknown): boolean {
  return error instanceof Error && /in closed state$/.test(error.message)
}
