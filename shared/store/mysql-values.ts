/** Values on their way through mysql2: parameters going in, rows coming out. No I/O. */
import mysql2 from 'mysql2'
import type { SqlRow, SqlValue } from './db.ts'

/** A column as mysql2 describes it, as far as rows depend on it. */
export interface MySqlColumn {
  name: string
  columnType?: number
  decimals?: number
}

/** What mysql2 is given for a `?`. */
export type DriverValue =
  | ReturnType<typeof mysql2.TypedParameter.BIGINT>
  | string
  | number
  | Buffer
  | null

/** Decimal columns on the wire. https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html */
const DECIMAL_TYPES: ReadonlySet<number | undefined> = new Set([0, 246])

/**
 * A parameter that `checkParameters` let through, as mysql2 shall send it. Integers go as BIGINT: mysql2 alone would
 * send a number as DOUBLE, which LIMIT refuses, and a bigint as text, which compares as a double.
 */
export function toDriverValue(value: SqlValue): DriverValue {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  if (typeof value === 'boolean') return mysql2.TypedParameter.BIGINT(value ? 1 : 0)
  const isInteger = typeof value === 'bigint' || Number.isSafeInteger(value)
  return isInteger ? mysql2.TypedParameter.BIGINT(value) : value
}

/**
 * A row as `SqlRow` promises it. mysql2 gives bytes as views of its network buffer (copied here, so
 * that they neither change nor pin it) and sums as decimal text (a number when whole and below 2^53).
 */
export function toSqlRow(values: readonly unknown[], columns: readonly MySqlColumn[]): SqlRow {
  const row: SqlRow = {}
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column) row[column.name] = toSqlCell(values[index], column)
  }
  return row
}

function toSqlCell(value: unknown, column: MySqlColumn): SqlRow[string] {
  if (typeof value === 'number') return value
  if (typeof value === 'string') {
    const whole = DECIMAL_TYPES.has(column.columnType) && column.decimals === 0
    return whole && Number.isSafeInteger(Number(value)) ? Number(value) : value
  }
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return null
}
