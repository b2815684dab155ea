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
}

export interface EngineResult {
  fields: EngineField[]
  /** Values as the bytes of MySQL's text protocol; null is NULL. */
  rows: (Uint8Array | null)[][]
  rowsAffected: number
  /** What a write handed to last_insert_id, or zero. */
  insertId: number
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

const REAL_MYSQL_NEEDED =
  'The offline PlanetScale over SQLite translates only what this project uses; the rest needs a real MySQL (--database mysql://…)'

export function syntaxError(near: string): EngineError {
  const text = `You have an error in your SQL syntax near '${near.slice(0, 80)}'`
  return new EngineError(1064, '42000', `${text}. ${REAL_MYSQL_NEEDED}`)
}

/** For MySQL that SQLite would run differently, or not at all: said plainly, never half done. */
export function notTranslated(what: string): EngineError {
  return new EngineError(
    1235,
    '42000',
    `Not translated: ${what.slice(0, 80)}. ${REAL_MYSQL_NEEDED}`,
  )
}

export const EMPTY_RESULT: EngineResult = { fields: [], rows: [], rowsAffected: 0, insertId: 0 }

export const BINARY_CHARSET = 63
export const UTF8MB4_CHARSET = 255

/** The field of a value of this Vitess type, with the charset that the real one sends with it. */
export function fieldOfType(name: string, type: string): EngineField {
  const isText = type === 'VARCHAR' || type === 'TEXT'
  return { name, type, charset: isText ? UTF8MB4_CHARSET : BINARY_CHARSET }
}
