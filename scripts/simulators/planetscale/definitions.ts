/**
 * CREATE TABLE, ALTER TABLE and DROP TABLE of the migrations for SQLite. Declared types are kept (readable again through
 * `pragma table_info`), and MySQL's strict mode becomes CHECK constraints named `<errno> <column>`.
 */
import { typeInSqlite } from './column-types.ts'
import { notTranslated } from './engine.ts'
import { splitList } from './literals.ts'

/** A statement of SQLite, or a column to define anew, for which SQLite has no statement. */
export type DefinitionStep = string | { table: string; column: string; definition: string }

const TABLE_OPTIONS = /^(?: ?(?:default )?(?:engine|charset|collate) ?= ?\w+)*$/i
const ATTRIBUTES =
  /^(?: (?:(?:character set|collate|after) \w+|not null|null|primary key|default (?:-?\d+|'[\w .-]*')|first))*$/i
const WITHOUT_MEANING_HERE = / (?:(?:character set|collate|after) \w+|first\b)/gi

/** `sql` has `?` in the place of `parameters`. @throws {EngineError} 1235 for a definition that is not translated */
export function translateDefinition(
  sql: string,
  parameters: readonly (string | Uint8Array)[],
): DefinitionStep[] {
  let used = 0
  const written = sql.replaceAll('?', () => inlineText(parameters[used++]))
  const drop = /^drop table (?:if exists )?\w+$/i.exec(written)
  if (drop) return [written]
  const create = /^create table (if not exists )?(\w+) ?\((.*)\)([^()]*)$/i.exec(written)
  if (create) {
    const [, guard = '', table = '', body = '', options = ''] = create
    if (!TABLE_OPTIONS.test(options)) throw notTranslated(`the table options${options}`)
    return createTable(table, guard, splitList(body))
  }
  const [, table, changes = ''] = /^alter table (\w+) (.*)$/i.exec(written) ?? []
  if (table === undefined) throw notTranslated(written.split(' ', 3).join(' '))
  return splitList(changes).map((change) => alterTable(table, change))
}

/** SQLite allows no parameters in definitions. */
function inlineText(value: string | Uint8Array | undefined): string {
  if (typeof value === 'string' && /^[\w .-]*$/.test(value)) return `'${value}'`
  throw notTranslated('this literal in a definition')
}

function createTable(table: string, guard: string, parts: readonly string[]): string[] {
  const indexes = parts.flatMap((part) => indexOf(table, part, guard) ?? [])
  const columns = parts
    .filter((part) => indexOf(table, part) === undefined)
    .map((part) => (/^primary key ?\([\w ,]+\)$/i.test(part) ? part : columnOf(part).definition))
  return [`create table ${guard}${table} (${columns.join(', ')})`, ...indexes]
}

function alterTable(table: string, change: string): DefinitionStep {
  const [, verb = '', what = ''] = /^(add|modify|drop) (?:column )?(.*)$/i.exec(change) ?? []
  switch (verb.toLowerCase()) {
    case 'add':
      return indexOf(table, what) ?? `alter table ${table} add column ${columnOf(what).definition}`
    case 'modify':
      return { table, ...columnOf(what) }
    case 'drop': {
      const index = /^(?:key|index) (\w+)$/i.exec(what)?.[1]
      if (index !== undefined) return `drop index \`${table}.${index}\``
      if (/^\w+$/.test(what)) return `alter table ${table} drop column ${what}`
    }
  }
  throw notTranslated(`ALTER TABLE … ${change}`)
}

/** Undefined when the part defines no index. Its name is unique within a table in MySQL, within the file in SQLite. */
function indexOf(table: string, part: string, guard = ''): string | undefined {
  const key = /^(unique )?(?:key|index) (\w+) ?(\([\w ,]+\))$/i.exec(part)
  if (!key) return undefined
  const [, unique = '', name, columns] = key
  return `create ${unique}index ${guard}\`${table}.${name}\` on ${table} ${columns}`
}

/** `name type[(n)] attributes`, with strict mode's checks at the end. */
function columnOf(part: string): { column: string; definition: string } {
  const [, column = '', type = '', size, attributes = ''] =
    /^(\w+) (\w+)(?: ?\( ?(\d+) ?\))?(.*)$/i.exec(part) ?? []
  const name = `\`${column}\``
  const found = typeInSqlite(name, type.toLowerCase(), {
    size: size === undefined ? undefined : Number(size),
    isAscii: / ascii/i.test(attributes),
  })
  if (found === undefined || !ATTRIBUTES.test(attributes)) throw notTranslated(`"${part}"`)
  const checks = found.limits.map(
    ([errno, condition]) =>
      ` constraint \`${errno} ${column}\` check (${name} is null or ${condition})`,
  )
  const kept = attributes.replaceAll(WITHOUT_MEANING_HERE, '')
  return { column, definition: `${name} ${found.declared}${kept}${checks.join('')}` }
}

/** The definition of a table as SQLite keeps it, for a table of another name and with one column defined anew. */
export function withColumnRedefined(
  tableSql: string,
  newName: string,
  { column, definition }: { column: string; definition: string },
): string | undefined {
  const parts = splitList(tableSql.slice(tableSql.indexOf('(') + 1, tableSql.lastIndexOf(')')))
  const at = parts.findIndex((part) => part.startsWith(`\`${column}\` `))
  if (at < 0) return undefined
  return `create table ${newName} (${parts.with(at, definition).join(', ')})`
}
