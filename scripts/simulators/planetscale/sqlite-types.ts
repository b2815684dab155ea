/** Which Vitess type a result column has, from the declared columns and, failing that, from its values. */
import type { SelectItem, TableAlias } from './dialect.ts'
import {
  BINARY_FLAG,
  type EngineField,
  fieldOfType,
  NOT_NULL_FLAG,
  UNSIGNED_FLAG,
} from './engine.ts'

/** A column as SQLite stores its declaration. */
export interface DeclaredColumn {
  name: string
  /** As written by the definitions' translation: `bigint unsigned`, `blob binary(16)`, `varchar(20)`. */
  type: string
  notNull: boolean
}

export type SqliteValue = string | number | bigint | Uint8Array | null

const TYPE_NAMES: Record<string, string> = {
  tinyint: 'INT8',
  smallint: 'INT16',
  mediumint: 'INT24',
  int: 'INT32',
  integer: 'INT32',
  bigint: 'INT64',
  decimal: 'DECIMAL',
  numeric: 'DECIMAL',
  double: 'FLOAT64',
  real: 'FLOAT64',
  float: 'FLOAT32',
  boolean: 'INT8',
  bool: 'INT8',
  varchar: 'VARCHAR',
  char: 'CHAR',
  binary: 'BINARY',
  varbinary: 'VARBINARY',
  date: 'DATE',
  datetime: 'DATETIME',
  timestamp: 'TIMESTAMP',
  time: 'TIME',
  year: 'YEAR',
  json: 'JSON',
}

const TEXT_FUNCTIONS = [
  'hex',
  'concat',
  'lower',
  'upper',
  'substr',
  'substring',
  'left',
  'right',
  'trim',
  'replace',
]
const INT64_FUNCTIONS = ['length', 'char_length', 'character_length', 'octet_length']

export function declaredField(name: string, column: DeclaredColumn, table?: string): EngineField {
  const words = column.type.toLowerCase().replace(/\(.*$/, '').split(' ')
  const unsigned = words.includes('unsigned')
  const word =
    words[0] === 'blob' || words[0] === 'text' ? (words[1] ?? words[0]) : (words[0] ?? '')
  const blobs = word.endsWith('blob') ? 'BLOB' : 'TEXT'
  const named = TYPE_NAMES[word] ?? blobs
  const type = unsigned ? named.replace(/^INT/, 'UINT') : named
  // Text here always compares as *_bin, which MySQL marks with the same flag as bytes: the charset tells them apart.
  const text = type === 'VARCHAR' || type === 'CHAR' || type === 'TEXT'
  const flags =
    (column.notNull ? NOT_NULL_FLAG : 0) | (unsigned ? UNSIGNED_FLAG : 0) | (text ? BINARY_FLAG : 0)
  const columnType = column.type.replace(/^(?:blob|text) (?=\w)/, '')
  const field: EngineField = { ...fieldOfType(name, type, flags), column: column.name, columnType }
  const scale = type === 'DECIMAL' ? Number(/,(\d+)\)/.exec(column.type)?.[1] ?? 0) : undefined
  if (scale !== undefined) field.decimals = scale
  return table === undefined ? field : { ...field, table }
}

function typeOfValue(value: SqliteValue | undefined): string {
  if (value === null || value === undefined) return 'NULL_TYPE'
  if (typeof value === 'bigint') return 'INT64'
  if (typeof value === 'number') return 'FLOAT64'
  return typeof value === 'string' ? 'VARCHAR' : 'VARBINARY'
}

export interface ResultShape {
  names: string[]
  items: SelectItem[]
  tables: TableAlias[]
  /** The declared columns of a table, or undefined when there is none of that name. */
  columnsOf(table: string): DeclaredColumn[] | undefined
}

/** The fields of a result; `sample(i)` gives the first value of column i that is not NULL. */
export function resultFields(
  shape: ResultShape,
  sample: (at: number) => SqliteValue | undefined,
): EngineField[] {
  const items = expandStars(shape)
  return shape.names.map((name, at) => {
    const item = items?.[at]
    const field = item === undefined ? undefined : itemField(name, item, shape)
    return field ?? fieldOfType(name, typeOfValue(sample(at)))
  })
}

function expandStars(shape: ResultShape): SelectItem[] | undefined {
  const items = shape.items.flatMap((item): SelectItem[] => {
    if (item.from !== 'star') return [item]
    const tables = shape.tables.filter(
      ({ alias }) => item.qualifier === undefined || alias === item.qualifier,
    )
    return tables.flatMap(({ table, alias }) =>
      (shape.columnsOf(table) ?? []).map(({ name }) => ({
        from: 'column' as const,
        qualifier: alias,
        column: name,
      })),
    )
  })
  return items.length === shape.names.length ? items : undefined
}

function itemField(name: string, item: SelectItem, shape: ResultShape): EngineField | undefined {
  if (item.from === 'division') return { ...fieldOfType(name, 'DECIMAL'), decimals: 4 }
  if (item.from === 'column') {
    for (const { table, alias } of shape.tables) {
      if (item.qualifier !== undefined && alias !== item.qualifier) continue
      const wanted = item.column.toLowerCase()
      const column = shape
        .columnsOf(table)
        ?.find((candidate) => candidate.name.toLowerCase() === wanted)
      if (column) return declaredField(name, column, table)
    }
  }
  if (item.from !== 'function') return undefined
  const inner = item.of === undefined ? undefined : itemField(name, item.of, shape)
  if (item.name === 'count') return fieldOfType(name, 'INT64', NOT_NULL_FLAG)
  if (item.name === 'sum') {
    const sum = fieldOfType(name, inner?.type.startsWith('FLOAT') ? 'FLOAT64' : 'DECIMAL')
    return inner?.decimals === undefined ? sum : { ...sum, decimals: inner.decimals }
  }
  if (item.name === 'avg') return { ...fieldOfType(name, 'DECIMAL'), decimals: 4 }
  if (item.name === 'min' || item.name === 'max') return inner
  if (INT64_FUNCTIONS.includes(item.name)) return fieldOfType(name, 'INT64')
  return TEXT_FUNCTIONS.includes(item.name) && inner?.charset !== 63
    ? fieldOfType(name, 'VARCHAR')
    : undefined
}

/** A value as the bytes of MySQL's text protocol. `text` gives the exact bytes of a string. */
export function valueBytes(
  value: SqliteValue,
  field: EngineField,
  text: () => Uint8Array,
): Uint8Array | null {
  if (value === null) return null
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return text()
  if (typeof value === 'bigint' && field.decimals) {
    return Buffer.from(`${value}.${'0'.repeat(field.decimals)}`)
  }
  if (typeof value === 'number' && field.decimals !== undefined)
    return Buffer.from(value.toFixed(field.decimals))
  return Buffer.from(String(value))
}
