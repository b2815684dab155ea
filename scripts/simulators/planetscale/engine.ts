/**
 * What stands behind the offline PlanetScale: something that runs MySQL statements given as
 * text (the driver has already put the values into it) and answers in MySQL's text form.
 */

/** A result column as Vitess describes it; `charset` 63 is binary, 255 is utf8mb4. */
export interface EngineField {
  name: string
  /** Vitess type name: INT64, VARCHAR, VARBINARY, DECIMAL, … `NULL_TYPE` is left out on the wire. */
  type: string
  charset: number
  /** MySQL column flags: 1 not null, 32 unsigned, 128 binary, 32768 number … */
  flags: number
  table?: string
  column?: string
  columnLength?: number
  decimals?: number
  columnType?: string
}

export interface EngineResult {
  fields: EngineField[]
  /** Values as the bytes of MySQL's text protocol; null is NULL. */
  rows: (Uint8Array | null)[][]
  rowsAffected: number
  insertId?: string
}

/** One client session; while `inTransaction` it must be kept, afterwards it holds nothing. */
export interface EngineSession {
  readonly inTransaction: boolean
  /** @throws {EngineError} when the database refuses the statement */
  execute(sql: string): Promise<EngineResult>
  /** Rolls back what is open and gives everything up; never throws. */
  close(): Promise<void>
}

export interface Engine {
  /** Shown to people, for example in a ready line; names no credentials. */
  readonly description: string
  openSession(): EngineSession
  close(): Promise<void>
}

/** A refused statement, as MySQL would refuse it. */
export class EngineError extends Error {
  readonly errno: number
  readonly sqlState: string

  constructor(errno: number, sqlState: string, message: string) {
    super(message)
    this.name = 'EngineError'
    this.errno = errno
    this.sqlState = sqlState
  }
}

export function syntaxError(near: string): EngineError {
  return new EngineError(
    1064,
    '42000',
    `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${near.slice(0, 80)}'`,
  )
}

/** For MySQL that is understood but that this engine does not do: said plainly, never half done. */
export function notSupported(what: string): EngineError {
  return new EngineError(
    1235,
    '42000',
    `The offline PlanetScale over SQLite does not support ${what}`,
  )
}

export const EMPTY_RESULT: EngineResult = { fields: [], rows: [], rowsAffected: 0 }

const BINARY_CHARSET = 63
const UTF8MB4_CHARSET = 255
export const NOT_NULL_FLAG = 1
export const BLOB_FLAG = 16
export const UNSIGNED_FLAG = 32
export const BINARY_FLAG = 128
const NUMBER_FLAG = 32_768

/** The field of a value of this Vitess type: which charset and flags the real one sends with it. */
export function fieldOfType(name: string, type: string, extraFlags = 0): EngineField {
  switch (type) {
    case 'VARCHAR':
    case 'CHAR':
      return { name, type, charset: UTF8MB4_CHARSET, flags: extraFlags }
    case 'TEXT':
      return { name, type, charset: UTF8MB4_CHARSET, flags: extraFlags | BLOB_FLAG }
    case 'JSON':
      return { name, type, charset: BINARY_CHARSET, flags: extraFlags | BLOB_FLAG | BINARY_FLAG }
    case 'BLOB':
      return { name, type, charset: BINARY_CHARSET, flags: extraFlags | BLOB_FLAG | BINARY_FLAG }
    case 'BINARY':
    case 'VARBINARY':
    case 'NULL_TYPE':
    case 'DATE':
    case 'TIME':
    case 'DATETIME':
    case 'TIMESTAMP':
    case 'BIT':
    case 'GEOMETRY':
      return { name, type, charset: BINARY_CHARSET, flags: extraFlags | BINARY_FLAG }
    default:
      return { name, type, charset: BINARY_CHARSET, flags: extraFlags | BINARY_FLAG | NUMBER_FLAG }
  }
}
