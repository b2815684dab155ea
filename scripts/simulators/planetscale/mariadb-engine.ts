/**
 * The strict engine: MySQL or MariaDB itself behind the offline PlanetScale. The driver has already put
 * the values into the text, so statements go over as they are. For development and tests only.
 */
import mysql, {
  type FieldPacket,
  type Pool,
  type PoolConnection,
  type ResultSetHeader,
} from 'mysql2/promise'
import {
  type Engine,
  EngineError,
  type EngineField,
  type EngineResult,
  type EngineSession,
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
  const connections = new Connections(pool)
  try {
    connections.giveBack(await connections.take())
  } catch (error) {
    await pool.end()
    const reason = error instanceof EngineError ? `errno ${error.errno}` : 'unknown reason'
    throw new Error(`the database behind the offline PlanetScale cannot be reached (${reason})`)
  }
  const { host } = new URL(url)
  return {
    description: `MySQL ${host}`,
    openSession: () => new MariaDbSession(connections),
    close: () => pool.end(),
  }
}

class Connections {
  private readonly pool: Pool
  private readonly prepared = new WeakSet<object>()

  constructor(pool: Pool) {
    this.pool = pool
  }

  /** @throws {EngineError} */
  async take(): Promise<PoolConnection> {
    try {
      const connection = await this.pool.getConnection()
      if (!this.prepared.has(connection.connection)) {
        await connection.query(SESSION_SETTINGS)
        this.prepared.add(connection.connection)
      }
      return connection
    } catch (error) {
      throw engineErrorFrom(error, 2003, "Can't connect to MySQL server")
    }
  }

  giveBack(connection: PoolConnection): void {
    connection.release()
  }
}

class MariaDbSession implements EngineSession {
  inTransaction = false
  private pinned: PoolConnection | undefined
  private readonly connections: Connections

  constructor(connections: Connections) {
    this.connections = connections
  }

  async execute(sql: string): Promise<EngineResult> {
    const connection = this.pinned ?? (await this.connections.take())
    this.pinned = connection
    try {
      const result = await run(connection, sql)
      this.inTransaction = transactionAfter(sql, this.inTransaction)
      return result
    } catch (error) {
      const refused = engineErrorFrom(error, 2013, 'Lost connection to MySQL server during query')
      const lost = refused.errno === 2013
      // After a deadlock the server has rolled everything back, but the session may go on with ROLLBACK.
      if (lost) {
        this.inTransaction = false
        this.pinned = undefined
        connection.destroy()
      }
      throw refused
    } finally {
      if (!this.inTransaction && this.pinned) {
        this.pinned = undefined
        this.connections.giveBack(connection)
      }
    }
  }

  async close(): Promise<void> {
    const connection = this.pinned
    this.pinned = undefined
    this.inTransaction = false
    if (connection === undefined) return
    // A statement may still be waiting for a lock: ending the connection rolls back at once.
    connection.destroy()
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
    return { fields: [], rows: [], rowsAffected: affectedRows, insertId: String(insertId) }
  }
  return {
    fields: fields.map(engineField),
    rows: rows as unknown as (Uint8Array | null)[][],
    rowsAffected: 0,
  }
}

/** Type numbers of the MySQL protocol, with the name for text (or numbers) and the one for bytes (or unsigned). */
const TYPES: Record<number, [plain: string, binaryOrUnsigned: string]> = {
  0: ['DECIMAL', 'DECIMAL'],
  1: ['INT8', 'UINT8'],
  2: ['INT16', 'UINT16'],
  3: ['INT32', 'UINT32'],
  4: ['FLOAT32', 'FLOAT32'],
  5: ['FLOAT64', 'FLOAT64'],
  6: ['NULL_TYPE', 'NULL_TYPE'],
  7: ['TIMESTAMP', 'TIMESTAMP'],
  8: ['INT64', 'UINT64'],
  9: ['INT24', 'UINT24'],
  10: ['DATE', 'DATE'],
  11: ['TIME', 'TIME'],
  12: ['DATETIME', 'DATETIME'],
  13: ['YEAR', 'YEAR'],
  15: ['VARCHAR', 'VARBINARY'],
  16: ['BIT', 'BIT'],
  245: ['JSON', 'JSON'],
  246: ['DECIMAL', 'DECIMAL'],
  249: ['TEXT', 'BLOB'],
  250: ['TEXT', 'BLOB'],
  251: ['TEXT', 'BLOB'],
  252: ['TEXT', 'BLOB'],
  253: ['VARCHAR', 'VARBINARY'],
  254: ['CHAR', 'BINARY'],
  255: ['GEOMETRY', 'GEOMETRY'],
}
const UNSIGNED_FLAG = 32
const BINARY_CHARSET = 63
const UTF8MB4_CHARSET = 255

function engineField(packet: FieldPacket): EngineField {
  const flags = Number(packet.flags)
  const charset = packet.characterSet ?? 0
  const [plain, other] = TYPES[packet.columnType ?? packet.type ?? 253] ?? ['VARCHAR', 'VARBINARY']
  const numeric = plain.startsWith('INT')
  const special = numeric ? (flags & UNSIGNED_FLAG) !== 0 : charset === BINARY_CHARSET
  const field: EngineField = {
    name: packet.name,
    type: special ? other : plain,
    // MariaDB and MySQL number their utf8mb4 collations differently; only binary or not is meant.
    charset: charset === BINARY_CHARSET ? BINARY_CHARSET : UTF8MB4_CHARSET,
    flags,
  }
  if (packet.orgTable) field.table = packet.orgTable
  if (packet.orgName) field.column = packet.orgName
  if (packet.columnLength) field.columnLength = packet.columnLength
  return field
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
