/**
 * One MySQL statement, as the driver sends it, into what SQLite runs. Covers what store.md's rules
 * allow statements to use; anything else is refused with 1235 rather than run differently.
 */
import { translateDefinition } from './dialect-definitions.ts'
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
  tokenize,
  wordsAt,
} from './sql-tokens.ts'

/** What a column of the answer is made from, as far as its type follows from that. */
export type SelectItem =
  | { from: 'column'; qualifier: string | undefined; column: string }
  | { from: 'star'; qualifier: string | undefined }
  | { from: 'function'; name: string; of: SelectItem | undefined }
  | { from: 'division' }
  | { from: 'expression' }

export type Translation =
  | { kind: 'begin' | 'commit' | 'rollback' | 'nothing' }
  | { kind: 'select'; statement: SqliteStatement; items: SelectItem[]; tables: TableAlias[] }
  | { kind: 'write'; statement: SqliteStatement }
  | { kind: 'definition'; statements: SqliteStatement[] }

/** A table named in a FROM clause and the name it goes by. */
export interface TableAlias {
  table: string
  alias: string
}

/** @throws {EngineError} 1064 for what is not MySQL, 1235 for what this dialect does not cover */
export function translate(source: string): Translation {
  const tokens = tokenize(source)
  while (isSign(tokens.at(-1), ';')) tokens.pop()
  const first = tokens[0]
  if (first === undefined) throw syntaxError('')
  const stray = tokens.find((token) => isSign(token, ';') || isSign(token, '?'))
  if (stray) throw syntaxError(source.slice(stray.start))
  switch (first.kind === 'word' ? first.text : '') {
    case 'begin':
      return { kind: 'begin' }
    case 'start':
      return { kind: 'begin' }
    case 'commit':
      return { kind: 'commit' }
    case 'rollback':
      if (tokens.length > 1 && !isWord(tokens[1], 'work')) throw notSupported('savepoints')
      return { kind: 'rollback' }
    case 'set':
    case 'use':
      return { kind: 'nothing' }
    case 'select':
    case 'with':
      return translateSelect(tokens, source)
    case 'show':
      return translateShow(tokens)
    case 'insert':
      return { kind: 'write', statement: render(translateInsert(tokens)) }
    case 'update':
      return { kind: 'write', statement: render(translateUpdate(tokens)) }
    case 'delete':
      return { kind: 'write', statement: render(translateDelete(tokens)) }
    case 'truncate': {
      const table = tokens.slice(isWord(tokens[1], 'table') ? 2 : 1)
      return { kind: 'definition', statements: [render([verbatim('delete from'), ...table])] }
    }
    case 'create':
    case 'alter':
    case 'drop':
      return { kind: 'definition', statements: translateDefinition(tokens) }
    default:
      throw syntaxError(source.trim())
  }
}

function translateShow(tokens: Token[]): Translation {
  if (!isWord(tokens[1], 'tables') || tokens.length > 2) throw notSupported('this SHOW')
  const sql =
    "select name as Tables_in_miniscore from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name"
  return { kind: 'select', statement: { sql, parameters: [] }, items: [], tables: [] }
}

const END_OF_ITEMS = ['from', 'where', 'group', 'having', 'order', 'limit', 'union', 'for', 'lock']

function translateSelect(tokens: Token[], source: string): Translation {
  const select = findOutside(tokens, (token) => isWord(token, 'select'))
  if (select === -1) throw syntaxError(source)
  const start = isWord(tokens[select + 1], 'distinct', 'all') ? select + 2 : select + 1
  const found = findOutside(tokens, (token) => isWord(token, ...END_OF_ITEMS), start)
  const end = found === -1 ? tokens.length : found
  const parts = splitOnCommas(tokens.slice(start, end))
  const output = rewriteExpression(tokens.slice(0, start))
  for (const [at, part] of parts.entries()) {
    if (at > 0) output.push(verbatim(','))
    output.push(...rewriteExpression(part), ...impliedAlias(part, source))
  }
  output.push(...rewriteExpression(tokens.slice(end)))
  return {
    kind: 'select',
    statement: render(output),
    items: parts.map((part) => describeItem(withoutAlias(part))),
    tables: tablesOf(tokens.slice(end)),
  }
}

const OPERATOR_WORDS =
  'and or not xor div mod is in like between distinct case when then else'.split(' ')

/** How many tokens at the end of a select item are its alias. */
function aliasLength(part: readonly Token[]): number {
  const last = part.at(-1)
  const before = part.at(-2)
  if (last === undefined || before === undefined) return 0
  if (isWord(before, 'as')) return 2
  if (
    !isName(last) ||
    isWord(last, 'end', 'null', 'true', 'false') ||
    isWord(before, ...OPERATOR_WORDS)
  )
    return 0
  return before.kind !== 'sign' || before.text === ')' ? 1 : 0
}

function withoutAlias(part: Token[]): Token[] {
  return part.slice(0, part.length - aliasLength(part))
}

/** MySQL calls a column without an alias by the text of its expression. */
function impliedAlias(part: readonly Token[], source: string): Token[] {
  const last = part.at(-1)
  const first = part[0]
  if (aliasLength(part) > 0 || first === undefined || last === undefined || isSign(last, '*'))
    return []
  if (isName(last) && (part.length === 1 || isSign(part.at(-2), '.'))) {
    const name = last.written ?? last.text
    return isWord(last, 'null', 'true', 'false')
      ? [verbatim('as'), nameToken(name.toUpperCase())]
      : [verbatim('as'), nameToken(name)]
  }
  const text =
    part.length === 1 && first.kind === 'text' ? first.text : source.slice(first.start, last.end)
  return [verbatim('as'), nameToken(text.replaceAll('\0', ''))]
}

function describeItem(part: readonly Token[]): SelectItem {
  const [first, second] = part
  const last = part.at(-1)
  const qualifier = isSign(second, '.') ? first?.text : undefined
  const plain = part.length === 1 || (part.length === 3 && qualifier !== undefined)
  if (plain && last !== undefined) {
    if (isSign(last, '*')) return { from: 'star', qualifier }
    const literal = isWord(last, 'null', 'true', 'false')
    if (isName(last) && !literal) return { from: 'column', qualifier, column: last.text }
    return { from: 'expression' }
  }
  if (
    first?.kind === 'word' &&
    isSign(second, '(') &&
    closingBracket(part, 1) === part.length - 1
  ) {
    const inside = part.slice(2, -1)
    return {
      from: 'function',
      name: first.text,
      of: inside.length === 0 ? undefined : describeItem(inside),
    }
  }
  const divides = findOutside(part, (token) => isSign(token, '/')) !== -1
  return { from: divides ? 'division' : 'expression' }
}

function tablesOf(tokens: readonly Token[]): TableAlias[] {
  const tables: TableAlias[] = []
  for (const [at, token] of tokens.entries()) {
    if (!isName(token)) continue
    const before = tokens[at - 1]
    if (!isWord(before, 'from', 'join') && !(isSign(before, ',') && tables.length > 0)) continue
    const next = isWord(tokens[at + 1], 'as') ? tokens[at + 2] : tokens[at + 1]
    const known =
      'where join inner left right cross on order group limit for use force ignore union having using'
    const alias = isName(next) && !known.split(' ').includes(next.text) ? next.text : token.text
    tables.push({ table: token.text, alias })
  }
  return tables
}

function translateInsert(tokens: Token[]): Token[] {
  const ignore = isWord(tokens[1], 'ignore')
  const afterIgnore = ignore ? 2 : 1
  const body = isWord(tokens[afterIgnore], 'into') ? afterIgnore + 1 : afterIgnore
  if (isWord(tokens[body + 1], 'set')) throw notSupported('INSERT … SET')
  const conflict = findOutside(tokens, (_, at) =>
    wordsAt(tokens, at, 'on', 'duplicate', 'key', 'update'),
  )
  const end = conflict === -1 ? tokens.length : conflict
  const output = [
    verbatim(ignore ? 'insert or ignore into' : 'insert into'),
    ...rewriteExpression(tokens.slice(body, end)),
  ]
  if (conflict === -1) return output
  const select = findOutside(tokens, (token) => isWord(token, 'select'))
  const filtered = findOutside(tokens, (token) => isWord(token, 'where', 'group', 'order', 'limit'))
  // Without a WHERE, SQLite would read `on conflict` as the condition of a join.
  if (select !== -1 && (filtered === -1 || filtered > end)) output.push(verbatim('where true'))
  const assignments = insertedValues(tokens.slice(end + 4))
  refuseReadAfterAssignment(assignments)
  return [...output, verbatim('on conflict do update set'), ...rewriteExpression(assignments)]
}

/** `values(column)` of an upsert is `excluded.column`. */
function insertedValues(tokens: readonly Token[]): Token[] {
  const output: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    const column = tokens[at + 2]
    if (
      isWord(token, 'values') &&
      isSign(tokens[at + 1], '(') &&
      column &&
      isSign(tokens[at + 3], ')')
    ) {
      output.push(verbatim('excluded'), verbatim('.'), column)
      at += 3
    } else output.push(token)
  }
  return output
}

/** MySQL assigns from left to right and later expressions see the new value; SQLite's see the old one. */
function refuseReadAfterAssignment(assignments: readonly Token[]): void {
  const assigned = new Set<string>()
  for (const part of splitOnCommas(assignments)) {
    const equals = part.findIndex((token) => isSign(token, '='))
    const target = part[equals - 1]
    if (target === undefined) throw syntaxError('=')
    const reads = part.slice(equals + 1).some((token, at, expression) => {
      const inserted = isSign(expression[at - 1], '.') && expression[at - 2]?.text === 'excluded'
      return isName(token) && assigned.has(token.text) && !inserted
    })
    if (reads) throw notSupported('an assignment that reads a column assigned before it')
    assigned.add(target.text)
  }
}

function translateUpdate(tokens: Token[]): Token[] {
  const ignore = isWord(tokens[1], 'ignore')
  const set = findOutside(tokens, (token) => isWord(token, 'set'))
  if (set === -1) throw syntaxError('update')
  const table = tokens.slice(ignore ? 2 : 1, set)
  if (table.length !== 1) throw notSupported('UPDATE of several tables or with an alias')
  const found = findOutside(tokens, (token) => isWord(token, 'where', 'order', 'limit'), set)
  const end = found === -1 ? tokens.length : found
  refuseReadAfterAssignment(tokens.slice(set + 1, end))
  const head = [verbatim(ignore ? 'update or ignore' : 'update'), ...table]
  return [
    ...head,
    ...rewriteExpression(tokens.slice(set, end)),
    ...limited(table, tokens.slice(end)),
  ]
}

function translateDelete(tokens: Token[]): Token[] {
  const table = tokens.slice(2, 3)
  const next = tokens[3]
  if (!isWord(tokens[1], 'from')) throw notSupported('DELETE of several tables')
  if (next !== undefined && !isWord(next, 'where', 'order', 'limit'))
    throw notSupported('DELETE with an alias or join')
  return [verbatim('delete from'), ...table, ...limited(table, tokens.slice(3))]
}

/** `where … order by … limit n` of an UPDATE or DELETE; this SQLite is built without LIMIT there. */
function limited(table: readonly Token[], tail: readonly Token[]): Token[] {
  const rewritten = rewriteExpression(tail)
  if (findOutside(tail, (token) => isWord(token, 'limit')) === -1) {
    const order = findOutside(rewritten, (token) => isWord(token, 'order'))
    return order === -1 ? rewritten : rewritten.slice(0, order)
  }
  return [verbatim('where rowid in (select rowid from'), ...table, ...rewritten, verbatim(')')]
}
