/** What every column and key of the schema keeps to, read from the migrations or from a database. */
import type { Migration } from '../../scripts/database/migrations.ts'
import { shardKeys } from './statement-rules.ts'

export interface Column {
  table: string
  column: string
  /** Without length of text: `varchar`, `binary(16)`, `bigint`. */
  type: string
  /** Of character columns. */
  collation: string | undefined
}

export interface Key {
  table: string
  kind: 'primary' | 'unique' | 'plain'
  columns: string[]
}

/** Character columns that hold what people write; all others are identifiers. */
const TEXTS: ReadonlySet<string> = new Set(['txt1', 'txt2', 'txt3', 'device', 'counts'])

const TYPES = /^(?:varchar|text|binary\((?:16|32)\)|varbinary|bigint|int|smallint)$/

/** What no statement of a migration may hold. */
export const FOREIGN_DEFINITIONS =
  /\b(?:auto_increment|foreign key|references|trigger|view|procedure|enum|json|timestamp|datetime|check|float|double|decimal|current_timestamp|unsigned|default (?!charset|0))\b/i

/** What is wrong with a column; empty when nothing is. */
export function judgeColumn({ table, column, type, collation }: Column): string[] {
  const name = `${table}.${column}`
  const faults: string[] = []
  if (!shardKeys[table]) faults.push(`${table} has no shard key`)
  if (!TYPES.test(type)) faults.push(`${name} is ${type}`)
  if (/^(?:varchar|text)$/.test(type)) {
    const expected = TEXTS.has(column) ? 'utf8mb4_bin' : 'ascii_bin'
    if (collation !== expected) faults.push(`${name} is ${collation ?? 'without collation'}`)
  }
  if (/_(?:at|time|start)$/.test(column) && type !== 'bigint') faults.push(`${name} is no bigint`)
  if (
    /^(?:\w+_)?id$|^folded_through$/.test(column) &&
    type !== 'binary(16)' &&
    !/(?:app|open|union)id$/.test(column)
  ) {
    faults.push(`${name} is no binary(16)`)
  }
  if (/_(?:digest|hash)$/.test(column) && type !== 'binary(32)') {
    faults.push(`${name} is no binary(32)`)
  }
  return faults
}

/** What is wrong with a key: rows lie by shard key, and a shard can only see to what is unique within it. */
export function judgeKey({ table, kind, columns }: Key): string[] {
  const shardKey = shardKeys[table] ?? []
  const leads = shardKey.every((column, index) => columns[index] === column)
  return kind === 'plain' || leads
    ? []
    : [`a ${kind} key of ${table} does not start with its shard key`]
}

/** Every column the migrations make. */
export function columnsOf(migrations: readonly Pick<Migration, 'statements'>[]): Column[] {
  return definitionsOf(migrations).flatMap(({ table, definition }) => {
    const [, column, type = '', rest = ''] =
      /^(?:add column )?(?!(?:add )?(?:primary |unique )?key )(\w+) (\w+(?:\(\d+\))?)(.*)$/.exec(
        definition,
      ) ?? []
    if (column === undefined) return []
    const [, collation] = /collate (\w+)/.exec(rest) ?? []
    return {
      table,
      column,
      type: type.replace(/^(varchar|varbinary|text)\(\d+\)$/, '$1'),
      collation,
    }
  })
}

/** Every key the migrations make. */
export function keysOf(migrations: readonly Pick<Migration, 'statements'>[]): Key[] {
  return definitionsOf(migrations).flatMap(({ table, definition }) => {
    const [, kind, list] =
      /^(?:add )?(primary |unique )?key(?: \w+)? \(([^)]*)\)$/.exec(definition) ?? []
    if (list === undefined) return []
    const named = kind === undefined ? 'plain' : (kind.trim() as 'primary' | 'unique')
    return { table, kind: named, columns: list.split(',').map((column) => column.trim()) }
  })
}

function definitionsOf(
  migrations: readonly Pick<Migration, 'statements'>[],
): { table: string; definition: string }[] {
  return migrations
    .flatMap(({ statements }) => statements)
    .flatMap((statement) => {
      const sql = statement.replaceAll(/\s+/g, ' ').toLowerCase()
      const [, created, body] = /^create table if not exists (\w+) \((.*)\) engine/.exec(sql) ?? []
      const [, altered, changes] = /^alter table (\w+) (.*)$/.exec(sql) ?? []
      const table = created ?? altered
      if (table === undefined)
        throw new Error(`neither create table nor alter table: ${sql.slice(0, 40)}`)
      return (body ?? changes ?? '')
        .split(/,(?![^(]*\))/)
        .map((definition) => ({ table, definition: definition.trim() }))
    })
}
