/** Reading columns of a row; a column of another type than expected is a bad answer, not data. */

import { stringify as bytesToUuid, parse as uuidToBytes } from 'uuid'
import { DbError, type SqlRow } from './db.ts'

export { uuidToBytes }

/** A `binary(16)` column as a UUID. */
export function uuid(row: SqlRow, column: string): string {
  return bytesToUuid(bytes(row, column))
}

/** A nullable `binary(16)` column as a UUID. */
export function uuidOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : uuid(row, column)
}

/** A binary column. */
export function bytes(row: SqlRow, column: string): Uint8Array {
  const value = row[column]
  if (value instanceof Uint8Array) return value
  throw unexpected()
}

/** A nullable binary column. */
export function bytesOrNull(row: SqlRow, column: string): Uint8Array | null {
  return row[column] === null ? null : bytes(row, column)
}

/** A text column. */
export function text(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw unexpected()
}

/** An integer column or count, below 2^53. */
export function integer(row: SqlRow, column: string): number {
  const value = row[column]
  if (Number.isSafeInteger(value)) return value as number
  throw unexpected()
}

/** A nullable integer column. */
export function integerOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}

/** Whether two byte strings are equal; not for secrets. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function unexpected(): DbError {
  return new DbError('bad-answer', { outcome: 'none' })
}
