/**
 * CREATE, ALTER and DROP of MySQL for SQLite. Declared types are kept (readable again through
 * `pragma table_info`), and MySQL's strict mode becomes CHECK constraints named `<errno> <column>`.
 */
import {
  nameToken,
  render,
  rewriteExpression,
  type SqliteStatement,
  verbatim,
} from './dialect-expressions.ts'
import { notSupported, syntaxError } from './engine.ts'
import {
  closingBracket,
  findOutside,
  isName,
  isSign,
  isWord,
  splitOnCommas,
  type Token,
  wordsAt,
} from './sql-tokens.ts'

const INTEGER_BITS: Record<string, number> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  integer: 32,
  bigint: 64,
}
const TEXT_BYTES: Record<string, number> = {
  tinytext: 255,
  text: 65_535,
  mediumtext: 16_777_215,
  longtext: 4_294_967_295,
  json: 4_294_967_295,
}
const BLOB_BYTES: Record<string, number> = {
  tinyblob: 255,
  blob: 65_535,
  mediumblob: 16_777_215,
  longblob: 4_294_967_295,
}
const OTHER_TYPES = [
  'decimal',
  'numeric',
  'double',
  'float',
  'real',
  'date',
  'datetime',
  'timestamp',
  'time',
  'year',
  'boolean',
  'bool',
]

function definition(tokens: Token[]): SqliteStatement {
  return render(tokens, 'inline')
}

/** Index names are unique within a table in MySQL, within the file in SQLite. */
function indexName(table: string, index: string): Token {
  return nameToken(`${table}.${index}`)
}

export function translateDefinition(tokens: Token[]): SqliteStatement[] {
  const [first, second] = tokens
  if (tokens.length < 3) throw syntaxError(second?.text ?? '')
  if (isWord(first, 'create') && isWord(second, 'table')) return createTable(tokens)
  if (isWord(first, 'create') && isWord(second, 'index')) return createIndex(tokens, 1)
  if (wordsAt(tokens, 0, 'create', 'unique', 'index')) return createIndex(tokens, 2)
  if (isWord(first, 'drop') && isWord(second, 'table')) return dropTables(tokens)
  if (isWord(first, 'drop') && isWord(second, 'index'))
    return [dropIndex(nameAt(tokens, 4), nameAt(tokens, 2))]
  if (isWord(first, 'alter') && isWord(second, 'table')) return alterTable(tokens)
  throw notSupported(`${tokens[0]?.text ?? ''} ${tokens[1]?.text ?? ''}`.toUpperCase())
}

function nameAt(tokens: readonly Token[], at: number): string {
  const token = tokens[at]
  if (!isName(token)) throw syntaxError(tokens[at]?.text ?? '')
  return token.text
}

function createTable(tokens: Token[]): SqliteStatement[] {
  const guarded = wordsAt(tokens, 2, 'if', 'not', 'exists')
  const at = guarded ? 5 : 2
  const table = nameAt(tokens, at)
  if (!isSign(tokens[at + 1], '(')) throw notSupported('CREATE TABLE … LIKE or AS SELECT')
  const close = closingBracket(tokens, at + 1)
  if (tokens.slice(close).some((token) => isWord(token, 'partition')))
    throw notSupported('partitions')
  const columns: Token[][] = []
  const constraints: Token[][] = []
  const indexes: SqliteStatement[] = []
  for (const part of splitOnCommas(tokens.slice(at + 2, close))) {
    const key = readKey(part)
    if (key === undefined) columns.push(translateColumn(part))
    else if (key.kind === 'primary') constraints.push([verbatim('primary key'), ...key.columns])
    else if (key.kind === 'check') constraints.push(key.columns)
    else indexes.push(indexStatement(table, key, guarded))
  }
  const body = [...columns, ...constraints].flatMap((part, index) =>
    index === 0 ? part : [verbatim(','), ...part],
  )
  const head = [verbatim(guarded ? 'create table if not exists' : 'create table'), nameToken(table)]
  return [definition([...head, verbatim('('), ...body, verbatim(')')]), ...indexes]
}

interface Key {
  kind: 'primary' | 'unique' | 'plain' | 'check'
  name: string
  /** The bracketed column list, or the whole constraint of a check. */
  columns: Token[]
}

/** A key or constraint inside CREATE TABLE or after ADD; undefined when the part defines a column. */
function readKey(part: Token[]): Key | undefined {
  const named = isWord(part[0], 'constraint')
  const explicitName =
    named && !isWord(part[1], 'check', 'primary', 'unique') ? nameAt(part, 1) : undefined
  const rest = named ? part.slice(explicitName === undefined ? 1 : 2) : part
  const [first, second] = rest
  if (isWord(first, 'foreign')) throw notSupported('foreign keys')
  if (isWord(first, 'fulltext', 'spatial')) throw notSupported('full-text and spatial keys')
  if (isWord(first, 'check')) {
    const name = [verbatim('constraint'), nameToken(`3819 ${explicitName ?? 'check'}`)]
    const condition = rest.slice(0, closingBracket(rest, 1) + 1)
    return { kind: 'check', name: '', columns: [...name, ...rewriteExpression(condition)] }
  }
  const open = rest.findIndex((token) => isSign(token, '('))
  if (isWord(first, 'primary') && isWord(second, 'key'))
    return { kind: 'primary', name: 'PRIMARY', columns: keyColumns(rest, open) }
  const unique = isWord(first, 'unique')
  if (!unique && !isWord(first, 'key', 'index')) return undefined
  const before = rest[open - 1]
  const anonymous = !isName(before) || isWord(before, 'unique', 'key', 'index')
  const columns = keyColumns(rest, open)
  const name = explicitName ?? (anonymous ? (columns[1]?.text ?? 'key') : nameAt(rest, open - 1))
  return { kind: unique ? 'unique' : 'plain', name, columns }
}

/** `(a(10), b desc)` without the prefix lengths, which SQLite's indexes do not have. */
function keyColumns(part: readonly Token[], open: number): Token[] {
  if (open === -1) throw syntaxError('key')
  const list = splitOnCommas(part.slice(open + 1, closingBracket(part, open)))
  const columns = list.map((column) => column.filter((token) => isName(token)))
  const joined = columns.flatMap((column, at) => (at === 0 ? column : [verbatim(','), ...column]))
  return [verbatim('('), ...joined, verbatim(')')]
}

function indexStatement(table: string, key: Key, guarded = false): SqliteStatement {
  const verb = `create ${key.kind === 'unique' ? 'unique ' : ''}index${guarded ? ' if not exists' : ''}`
  return definition([
    verbatim(verb),
    indexName(table, key.name),
    verbatim('on'),
    nameToken(table),
    ...key.columns,
  ])
}

function createIndex(tokens: Token[], at: number): SqliteStatement[] {
  const on = findOutside(tokens, (token) => isWord(token, 'on'))
  const open = tokens.findIndex((token) => isSign(token, '('))
  const kind = isWord(tokens[1], 'unique') ? 'unique' : 'plain'
  const key: Key = { kind, name: nameAt(tokens, at + 1), columns: keyColumns(tokens, open) }
  return [indexStatement(nameAt(tokens, on + 1), key)]
}

function dropIndex(table: string, index: string): SqliteStatement {
  return definition([verbatim('drop index'), indexName(table, index)])
}

function dropTables(tokens: Token[]): SqliteStatement[] {
  const guarded = wordsAt(tokens, 2, 'if', 'exists')
  const names = splitOnCommas(tokens.slice(guarded ? 4 : 2))
  const verb = verbatim(guarded ? 'drop table if exists' : 'drop table')
  return names.map((name) => definition([verb, nameToken(nameAt(name, 0))]))
}

function alterTable(tokens: Token[]): SqliteStatement[] {
  const table = nameAt(tokens, 2)
  const head = [verbatim('alter table'), nameToken(table)]
  return splitOnCommas(tokens.slice(3)).flatMap((part) => {
    const [verb, next] = part
    if (isWord(verb, 'add')) {
      const key = readKey(part.slice(1))
      if (key?.kind === 'primary' || key?.kind === 'check')
        throw notSupported('adding this constraint')
      if (key !== undefined) return [indexStatement(table, key)]
      const column = part.slice(isWord(next, 'column') ? 2 : 1)
      const columns = isSign(column[0], '(') ? splitOnCommas(column.slice(1, -1)) : [column]
      return columns.map((one) =>
        definition([...head, verbatim('add column'), ...translateColumn(one)]),
      )
    }
    if (isWord(verb, 'drop') && isWord(next, 'key', 'index'))
      return [dropIndex(table, nameAt(part, 2))]
    if (isWord(verb, 'drop')) {
      const column = nameAt(part, isWord(next, 'column') ? 2 : 1)
      return [definition([...head, verbatim('drop column'), nameToken(column)])]
    }
    if (isWord(verb, 'rename')) {
      return [
        definition([
          ...head,
          verbatim('rename to'),
          nameToken(nameAt(part, isWord(next, 'to', 'as') ? 2 : 1)),
        ]),
      ]
    }
    if (isWord(verb, 'engine', 'comment', 'default', 'character', 'collate', 'algorithm', 'lock'))
      return []
    throw notSupported(`ALTER TABLE … ${verb?.text.toUpperCase() ?? ''}`)
  })
}

/** One column: `name type [(n)] attributes`, with strict mode's checks at the end. */
function translateColumn(part: Token[]): Token[] {
  const name = nameAt(part, 0)
  const type = nameAt(part, 1)
  const close = isSign(part[2], '(') ? closingBracket(part, 2) : 1
  const size = close === 1 ? [] : part.slice(3, close)
  const rest = part.slice(close + 1)
  const unsigned = rest.some((token) => isWord(token, 'unsigned'))
  const ascii = rest.some((token) => isWord(token, 'ascii') || token.text.startsWith('ascii_'))
  const checks = strictChecks(name, type, Number(size[0]?.text ?? Number.NaN), unsigned, ascii)
  return [
    nameToken(name),
    verbatim(declaredType(type, size, unsigned)),
    ...columnAttributes(rest),
    ...checks,
  ]
}

function declaredType(type: string, size: readonly Token[], unsigned: boolean): string {
  const suffix = size.length === 0 ? '' : `(${size.map((token) => token.text).join('')})`
  // "blob" gives the column SQLite's affinity for bytes; without it `binary(16)` would be a number.
  if (type === 'binary' || type === 'varbinary') return `blob ${type}${suffix}`
  if (type in INTEGER_BITS) return unsigned ? `${type} unsigned` : type
  if (type === 'json') return 'text json'
  const known = type in TEXT_BYTES || type in BLOB_BYTES || OTHER_TYPES.includes(type)
  if (!known && type !== 'varchar' && type !== 'char') throw notSupported(`the type ${type}`)
  return `${type}${suffix}`
}

function columnAttributes(rest: readonly Token[]): Token[] {
  const output: Token[] = []
  for (let at = 0; at < rest.length; at++) {
    const token = rest[at] as Token
    if (isWord(token, 'unsigned', 'zerofill', 'first')) continue
    if (isWord(token, 'charset', 'collate', 'comment', 'after'))
      at += isSign(rest[at + 1], '=') ? 2 : 1
    else if (wordsAt(rest, at, 'character', 'set')) at += 2
    else if (isWord(token, 'auto_increment')) throw notSupported('AUTO_INCREMENT')
    else if (isWord(token, 'generated', 'as', 'on', 'references'))
      throw notSupported(`the attribute ${token.text}`)
    else if (isWord(token, 'check')) {
      const end = closingBracket(rest, at + 1)
      output.push(
        verbatim("constraint '3819 check'"),
        ...rewriteExpression(rest.slice(at, end + 1)),
      )
      at = end
    } else output.push(token)
  }
  return output
}

function strictChecks(
  name: string,
  type: string,
  size: number,
  unsigned: boolean,
  ascii: boolean,
): Token[] {
  const column = nameToken(name)
  /** `parts` are joined by the column's name. */
  const check = (errno: number, ...parts: string[]): Token[] => [
    verbatim('constraint'),
    nameToken(`${errno} ${name}`),
    verbatim('check ('),
    ...parts.flatMap((part, at) => (at === 0 ? [verbatim(part)] : [column, verbatim(part)])),
    verbatim(')'),
  ]
  const typed = (kind: string, errno: number) =>
    check(errno, '', 'is null or typeof(', `) = '${kind}'`)
  const measured = (measure: string, limit: string) => check(1406, `${measure}(`, `) ${limit}`)
  const bits = INTEGER_BITS[type]
  if (bits !== undefined) {
    const range = integerRange(bits, unsigned)
    return [
      ...typed('integer', 1264),
      ...check(1264, '', `between ${range.smallest} and ${range.largest}`),
    ]
  }
  if (type === 'varchar' || type === 'char') {
    const onlyAscii = ascii ? check(1366, 'octet_length(', ') = length(', ')') : []
    const limit = Number.isNaN(size) ? 1 : size
    return [
      ...typed('text', 1366),
      ...onlyAscii,
      ...measured('length', `<= ${limit}`),
      ...measured('octet_length', `<= ${limit * 4}`),
    ]
  }
  const textBytes = TEXT_BYTES[type]
  if (textBytes !== undefined)
    return [...typed('text', 1366), ...measured('octet_length', `<= ${textBytes}`)]
  const blobBytes = BLOB_BYTES[type]
  if (blobBytes !== undefined)
    return [...typed('blob', 1366), ...measured('length', `<= ${blobBytes}`)]
  // A shorter value would be padded with zero bytes by MySQL: refused instead.
  if (type === 'binary')
    return [...typed('blob', 1366), ...measured('length', `= ${Number.isNaN(size) ? 1 : size}`)]
  if (type === 'varbinary') return [...typed('blob', 1366), ...measured('length', `<= ${size}`)]
  return []
}

/** MySQL's limits, cut to what SQLite's 64-bit integers hold. */
function integerRange(bits: number, unsigned: boolean): { smallest: bigint; largest: bigint } {
  const signedLargest = 2n ** BigInt(bits - 1) - 1n
  if (!unsigned) return { smallest: -signedLargest - 1n, largest: signedLargest }
  return { smallest: 0n, largest: bits === 64 ? 2n ** 63n - 1n : 2n ** BigInt(bits) - 1n }
}
