/** The answers of PlanetScale's HTTP API, in the form its driver reads. */
import type { EngineError, EngineField, EngineResult } from './engine.ts'

/** A field of an EngineResult, without members that are zero. */
type WireField = { name: string } & Partial<EngineField>

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
  if (result.insertId > 0) wire.insertId = String(result.insertId)
  return wire
}

function wireField({ name, type, charset }: EngineField): WireField {
  return type === 'NULL_TYPE' ? { name, charset } : { name, type, charset }
}

function wireRow(row: (Uint8Array | null)[]): { lengths: string[]; values?: string } {
  const lengths = row.map((value) => (value === null ? '-1' : String(value.length)))
  const bytes = Buffer.concat(row.filter((value) => value !== null))
  return bytes.length === 0 ? { lengths } : { lengths, values: bytes.toString('base64') }
}

/** The kind of error, as the real service's answers carry it in front of the text. */
const CODES: Record<number, string> = {
  1062: 'AlreadyExists',
  1064: 'InvalidArgument',
  1146: 'NotFound',
  1205: 'DeadlineExceeded',
  1213: 'Aborted',
  1235: 'Unimplemented',
  1317: 'Aborted',
  1406: 'InvalidArgument',
}

/**
 * An error as the real service words it: number and state only as text, and the statement with its
 * values behind it, so that a client that repeats the text is found out here.
 */
export function wireError(
  error: EngineError,
  statement: string,
): { code: string; message: string } {
  const code = CODES[error.errno] ?? 'Unknown'
  const description = `${error.message} (errno ${error.errno}) (sqlstate ${error.sqlState})`
  const message = `target: miniscore.-.primary: vttablet: rpc error: code = ${code} desc = ${description} (CallerID: offline): Sql: "${statement}", BindVars: {REDACTED}`
  return { code: code.replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase(), message }
}
