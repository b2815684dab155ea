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
const LONE_SURROGATE = /\p{Surrogate}/u
const SMALLEST_INTEGER = -(2n ** 63n)
const LARGEST_INTEGER = 2n ** 63n - 1n

/**
 * A parameter as mysql2 shall send it. Integers go as BIGINT: mysql2 alone would send a number as
 * DOUBLE, which LIMIT refuses, and a bigint as text, which compares as a double.
 * @throws {TypeError} for what is not a `SqlValue`, not finite, beyond 64 bits, or a lone surrogate
 */
export function toDriverValue(value: SqlValue): DriverValue {
  if (value === null) return null
  switch (typeof value) {
    case 'string':
      if (LONE_SURROGATE.test(value)) throw new TypeError('a text parameter is not well formed')
      return value
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('a number parameter is not finite')
      return Number.isSafeInteger(value) ? mysql2.TypedParameter.BIGINT(value) : value
    case 'bigint':
      if (value < SMALLEST_INTEGER || value > LARGEST_INTEGER) {
        throw new TypeError('a bigint parameter has more than 64 bits')
      }
      return mysql2.TypedParameter.BIGINT(value)
    case 'boolean':
      return mysql2.TypedParameter.BIGINT(value ? 1 : 0)
    default:
      if (value instanceof Uint8Array) {
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      }
      throw new TypeError('a parameter is null, text, a number, a boolean or bytes')
  }
}

/**
 * A row as `SqlRow` promises it. mysql2 gives bytes as views of its network buffer (copied here, so
 * that they neither change nor pin it) and sums as decimal text (a number when whole and below 2^53).
 */
export function toSqlRow(values: readonly unknown[], columns: readonly MySqlColumn[]): SqlRow {
  const row: SqlRow = {}
  columns.forEach((column, index) => {
    row[column.name] = toSqlCell(values[index], column)
  })
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
