/** The column types of the migrations: how SQLite declares and limits them, and what Vitess calls them. */
import { type EngineField, fieldOfType } from './engine.ts'

const INTEGER_BITS: Record<string, number> = { tinyint: 8, smallint: 16, int: 32, bigint: 64 }
const TEXT_BYTES = 65_535

export interface TypeInSqlite {
  declared: string
  /** What MySQL's strict mode demands of a value, and the error number that refuses another. */
  limits: [errno: number, condition: string][]
}

/**
 * `column` is its quoted name, `size` the number in brackets. Undefined for a type that no migration uses: it is not
 * translated.
 */
export function typeInSqlite(
  column: string,
  type: string,
  { size, isAscii }: { size: number | undefined; isAscii: boolean },
): TypeInSqlite | undefined {
  const isOfType = (name: string): string => `typeof(${column}) = '${name}'`
  const bits = INTEGER_BITS[type]
  if (bits !== undefined) {
    const largest = 2n ** BigInt(bits - 1) - 1n
    const range = `${column} between ${-largest - 1n} and ${largest}`
    return { declared: type, limits: [[1264, `(${isOfType('integer')} and ${range})`]] }
  }
  // Each of the others either has a size or is without one.
  if ((type === 'text') !== (size === undefined)) return undefined
  if (type === 'varchar' || type === 'text') {
    // SQLite's length() counts characters up to the first NUL, so bytes are limited as well.
    const bytes = `octet_length(${column})`
    const limits: TypeInSqlite['limits'] = [[1366, isOfType('text')]]
    if (isAscii) limits.push([1366, `${bytes} = length(${column})`])
    if (type === 'text') limits.push([1406, `${bytes} <= ${TEXT_BYTES}`])
    else limits.push([1406, `(length(${column}) <= ${size} and ${bytes} <= 4 * ${size})`])
    return { declared: type === 'text' ? type : `${type}(${size})`, limits }
  }
  if (type === 'binary' || type === 'varbinary') {
    // A shorter value of a fixed length would be padded with zero bytes by MySQL: refused instead.
    const fits = `length(${column}) ${type === 'binary' ? '=' : '<='} ${size}`
    // "blob" gives a column SQLite's affinity for bytes; without it `binary(16)` would be a number.
    const limits: TypeInSqlite['limits'] = [
      [1366, isOfType('blob')],
      [1406, fits],
    ]
    return { declared: `blob ${type}(${size})`, limits }
  }
  return undefined
}

/** A column as SQLite tells its declaration. */
export interface DeclaredColumn {
  name: string
  /** `TypeInSqlite.declared` */
  type: string
}

export type SqliteValue = string | number | bigint | Uint8Array | null

/** The field of a result column that is a column of a table. */
export function fieldOfColumn({ name, type }: DeclaredColumn): EngineField {
  // SQLite tells some types in capitals, however they were written.
  const word = type
    .toLowerCase()
    .replace(/^blob /, '')
    .replace(/\(.*$/, '')
  const bits = INTEGER_BITS[word]
  const vitessType = bits === undefined ? word.toUpperCase() : `INT${bits}`
  return fieldOfType(name, vitessType)
}

/** The field of a result column that is an expression; `value` is the first one that is not NULL. */
export function fieldOfValue(name: string, value: SqliteValue | undefined): EngineField {
  if (value === null || value === undefined) return fieldOfType(name, 'NULL_TYPE')
  if (typeof value === 'bigint') return fieldOfType(name, 'INT64')
  if (typeof value === 'number') return fieldOfType(name, 'FLOAT64')
  return fieldOfType(name, typeof value === 'string' ? 'VARCHAR' : 'VARBINARY')
}
