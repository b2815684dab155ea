/**
 * The strict engine: MySQL or MariaDB itself behind the offline PlanetScale. The driver has already put
 * the values into the text, so statements go over as they are. For development and tests only.
 */
import mysql, { type FieldPacket, type PoolConnection, type ResultSetHeader } from 'mysql2/promise'
import {
  BINARY_CHARSET,
  EMPTY_RESULT,
  type Engine,
  EngineError,
  type EngineField,
  type EngineResult,
  type EngineSession,
  UTF8MB4_CHARSET,
} from './engine.ts'

/** PlanetScale's own settings, with a short lock wait. MariaDB's default lacks ONLY_FULL_GROUP_BY. */
const SESSION_SETTINGS = `set session sql_mode = 'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 2`

const CONNECTION_LIMIT = 64
const CONNECT_TIMEOUT_MS = 2000

/** `url` is `mysql://user:password@host:port/database`. @throws {Error} naming no credentials, when it cannot connect */
export async function openMariaDbEngine({ url }: { url: string }): Promise<Engine> {
  const pool = mysql.createPool({
    uri: url,
    charset: 'utf8mb4_bin',
    connectionLimit: CONNECTION_LIMIT,
    connectTimeout: CONNECT_TIMEOUT_MS,
    multipleStatements: false,
  })
  const prepared = new WeakSet<object>()
  const connect = async (): Promise<PoolConnection> => {
    try {
      const connection = await pool.getConnection()
      if (!prepared.has(connection.connection)) {
        await connection.query(SESSION_SETTINGS)
        prepared.add(connection.connection)
      }
      return connection
    } catch (error) {
      throw engineErrorFrom(error, 2003, "Can't connect to MySQL server")
    }
  }
  try {
    const connection = await connect()
    connection.release()
  } catch (error) {
    await pool.end()
    const reason = error instanceof EngineError ? `errno ${error.errno}` : 'unknown reason'
    throw new Error(`the database behind the offline PlanetScale cannot be reached (${reason})`)
  }
  return {
    openSession: () => new MariaDbSession(connect),
    close: () => pool.end(),
  }
}

class MariaDbSession implements EngineSession {
  inTransaction = false
  #pinned: PoolConnection | undefined
  readonly #connect: () => Promise<PoolConnection>

  constructor(connect: () => Promise<PoolConnection>) {
    this.#connect = connect
  }

  async execute(sql: string): Promise<EngineResult> {
    const connection = this.#pinned ?? (await this.#connect())
    this.#pinned = connection
    try {
      const result = await run(connection, sql)
      this.inTransaction = transactionAfter(sql, this.inTransaction)
      return result
    } catch (error) {
      const refused = engineErrorFrom(error, 2013, 'Lost connection to MySQL server during query')
      // After a deadlock the server has rolled everything back, but the session may go on with ROLLBACK.
      if (refused.errno === 2013) await this.close()
      throw refused
    } finally {
      if (!this.inTransaction && this.#pinned) {
        this.#pinned = undefined
        connection.release()
      }
    }
  }

  async close(): Promise<void> {
    // A statement may still be waiting for a lock: ending the connection rolls back at once.
    this.#pinned?.destroy()
    this.#pinned = undefined
    this.inTransaction = false
  }
}

/** Definitions commit what is open. https://dev.mysql.com/doc/refman/8.0/en/implicit-commit.html */
function transactionAfter(sql: string, before: boolean): boolean {
  const verb = /^\s*(\w+)/.exec(sql)?.[1]?.toLowerCase() ?? ''
  if (verb === 'begin' || verb === 'start') return true
  const ends = ['commit', 'rollback', 'create', 'alter', 'drop', 'truncate', 'rename']
  return ends.includes(verb) && !/^\s*rollback\s+to\b/i.test(sql) ? false : before
}

async function run(connection: PoolConnection, sql: string): Promise<EngineResult> {
  const [rows, fields] = await connection.query({
    sql,
    rowsAsArray: true,
    typeCast: (field) => field.buffer(),
  })
  if (!Array.isArray(rows)) {
    const { affectedRows, insertId } = rows as ResultSetHeader
    return { ...EMPTY_RESULT, rowsAffected: affectedRows, insertId }
  }
  return {
    ...EMPTY_RESULT,
    fields: fields.map(engineField),
    rows: rows as unknown as (Uint8Array | null)[][],
  }
}

/** Type numbers of the MySQL protocol, with the name for text (or numbers) and the one for bytes (or unsigned). */
const TYPES: Record<number, [plain: string, binaryOrUnsigned: string]> = {
  1: ['INT8', 'UINT8'],
  2: ['INT16', 'UINT16'],
  3: ['INT32', 'UINT32'],
  4: ['FLOAT32', 'FLOAT32'],
  5: ['FLOAT64', 'FLOAT64'],
  6: ['NULL_TYPE', 'NULL_TYPE'],
  8: ['INT64', 'UINT64'],
  9: ['INT24', 'UINT24'],
  245: ['JSON', 'JSON'],
  246: ['DECIMAL', 'DECIMAL'],
  252: ['TEXT', 'BLOB'],
  253: ['VARCHAR', 'VARBINARY'],
  254: ['CHAR', 'BINARY'],
}
const UNSIGNED_FLAG = 32

function engineField(packet: FieldPacket): EngineField {
  const isBinary = packet.characterSet === BINARY_CHARSET
  // What is not in the list (dates, for one) has the text of its value for a reader.
  const [plain, other] = TYPES[packet.columnType ?? packet.type ?? 253] ?? ['VARCHAR', 'VARBINARY']
  const special = plain.startsWith('INT') ? (Number(packet.flags) & UNSIGNED_FLAG) !== 0 : isBinary
  return {
    name: packet.name,
    type: special ? other : plain,
    // MariaDB and MySQL number their utf8mb4 collations differently; only binary or not is meant.
    charset: isBinary ? BINARY_CHARSET : UTF8MB4_CHARSET,
  }
}

/** A refusal as the server gave it; anything else means that there was no usable connection. */
function engineErrorFrom(error: unknown, otherwise: number, text: string): EngineError {
  if (error instanceof EngineError) return error
  const { errno, sqlState, sqlMessage } = error as {
    errno?: unknown
    sqlState?: unknown
    sqlMessage?: unknown
  }
  if (typeof errno === 'number' && typeof sqlState === 'string' && sqlState !== '' && errno > 0) {
    return new EngineError(errno, sqlState, typeof sqlMessage === 'string' ? sqlMessage : 'refused')
  }
  return new EngineError(otherwise, 'HY000', text)
}
