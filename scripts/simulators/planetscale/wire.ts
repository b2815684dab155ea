/** The answers of PlanetScale's HTTP API, in the form its driver reads. */
import type { EngineError, EngineField, EngineResult } from './engine.ts'

interface WireField {
  name: string
  type?: string
  table?: string
  orgTable?: string
  database?: string
  orgName?: string
  columnLength?: number
  charset?: number
  flags?: number
  decimals?: number
  columnType?: string
}

export interface WireResult {
  fields?: WireField[]
  rows?: { lengths: string[]; values?: string }[]
  rowsAffected?: string
  insertId?: string
}

/** Zero values are left out and 64-bit numbers are strings, as protobuf's JSON has them; length -1 is NULL. */
export function wireResult(result: EngineResult): WireResult {
  const wire: WireResult = {}
  if (result.fields.length > 0) wire.fields = result.fields.map(wireField)
  if (result.rows.length > 0) wire.rows = result.rows.map(wireRow)
  if (result.rowsAffected > 0) wire.rowsAffected = String(result.rowsAffected)
  if (result.insertId !== undefined && result.insertId !== '0') wire.insertId = result.insertId
  return wire
}

function wireField(field: EngineField): WireField {
  const wire: WireField = { name: field.name }
  if (field.type !== 'NULL_TYPE') wire.type = field.type
  if (field.table !== undefined) {
    wire.table = field.table
    wire.orgTable = field.table
    wire.database = 'miniscore'
  }
  if (field.column !== undefined) wire.orgName = field.column
  if (field.columnLength) wire.columnLength = field.columnLength
  if (field.charset !== 0) wire.charset = field.charset
  if (field.flags !== 0) wire.flags = field.flags
  if (field.decimals) wire.decimals = field.decimals
  if (field.columnType !== undefined) wire.columnType = field.columnType
  return wire
}

function wireRow(row: (Uint8Array | null)[]): { lengths: string[]; values?: string } {
  const lengths = row.map((value) => (value === null ? '-1' : String(value.length)))
  const bytes = Buffer.concat(row.filter((value) => value !== null))
  return bytes.length === 0 ? { lengths } : { lengths, values: bytes.toString('base64') }
}

/** Vitess's name for the kind of error, as its answers carry it in front of the text. */
const CODES: Record<number, [name: string, text: string]> = {
  1062: ['ALREADY_EXISTS', 'AlreadyExists'],
  1064: ['INVALID_ARGUMENT', 'InvalidArgument'],
  1146: ['NOT_FOUND', 'NotFound'],
  1205: ['DEADLINE_EXCEEDED', 'DeadlineExceeded'],
  1213: ['ABORTED', 'Aborted'],
  1235: ['UNIMPLEMENTED', 'Unimplemented'],
  1317: ['ABORTED', 'Aborted'],
  1406: ['INVALID_ARGUMENT', 'InvalidArgument'],
}

/**
 * An error as the real service words it: number and state only as text, and the statement with its
 * values behind it, so that a client that repeats the text is found out here.
 */
export function wireError(
  error: EngineError,
  statement: string,
): { code: string; message: string } {
  const [name, text] = CODES[error.errno] ?? ['UNKNOWN', 'Unknown']
  const description = `${error.message} (errno ${error.errno}) (sqlstate ${error.sqlState})`
  const message = `target: miniscore.-.primary: vttablet: rpc error: code = ${text} desc = ${description} (CallerID: offline): Sql: "${statement}", BindVars: {REDACTED}`
  return { code: name, message }
}
