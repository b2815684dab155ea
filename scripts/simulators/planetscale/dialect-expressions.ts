/** MySQL expressions as SQLite expressions, token by token; literals are never looked into. */
import { notSupported, syntaxError } from './engine.ts'
import { closingBracket, isSign, isWord, splitOnCommas, type Token, wordsAt } from './sql-tokens.ts'

export interface SqliteStatement {
  sql: string
  parameters: (string | Uint8Array)[]
}

/** What `@@name` answers: a strict server, as PlanetScale's is. */
const SERVER_VARIABLES: Record<string, string> = {
  sql_mode:
    'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  version: '8.0.34-Vitess',
  version_comment: 'PlanetScale',
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  collation_connection: 'utf8mb4_0900_ai_ci',
  time_zone: '+00:00',
  system_time_zone: 'UTC',
  transaction_isolation: 'REPEATABLE-READ',
  autocommit: '1',
  innodb_lock_wait_timeout: '2',
}

/** Text put into the SQLite statement as it stands. */
export function verbatim(text: string): Token {
  return { kind: 'sign', text, start: -1, end: -1 }
}
export function nameToken(text: string): Token {
  return { kind: 'name', text, start: -1, end: -1 }
}

function call(name: string, ...parts: Token[][]): Token[] {
  return [verbatim(name), verbatim('('), ...joinWith(',', parts), verbatim(')')]
}

function joinWith(separator: string, parts: Token[][]): Token[] {
  return parts.flatMap((part, at) => (at === 0 ? part : [verbatim(separator), ...part]))
}

function argument(parts: Token[][], at: number): Token[] {
  const part = parts[at]
  if (part === undefined || part.length === 0) throw syntaxError(')')
  return part
}

function rename(name: string) {
  return (parts: Token[][]): Token[] => call(name, ...parts)
}

function asBlob(part: Token[]): Token[] {
  return [verbatim('cast('), ...part, verbatim('as blob)')]
}

/** MAX and MIN over several values; with one value MySQL refuses, while SQLite would aggregate. */
function scalar(name: string) {
  return (parts: Token[][]): Token[] => {
    if (parts.length < 2) throw syntaxError(')')
    return call(name, ...parts)
  }
}

const FUNCTIONS = new Map<string, (parts: Token[][]) => Token[]>([
  ['if', rename('iif')],
  ['greatest', scalar('max')],
  ['least', scalar('min')],
  // SQLite's own concat() takes NULL for an empty string; MySQL's answers NULL, as || does.
  ['concat', (parts) => [verbatim('('), ...joinWith('||', parts), verbatim(')')]],
  ['length', rename('octet_length')],
  ['octet_length', rename('octet_length')],
  // SQLite's length() stops at NUL.
  ['char_length', (parts) => call('mysql_char_length', asBlob(argument(parts, 0)))],
  ['character_length', (parts) => call('mysql_char_length', asBlob(argument(parts, 0)))],
  ['substring', rename('substr')],
  ['mid', rename('substr')],
  ['left', (parts) => call('substr', argument(parts, 0), [verbatim('1')], argument(parts, 1))],
  ['mod', (parts) => [verbatim('('), ...joinWith('%', parts), verbatim(')')]],
  ['hex', (parts) => hexCall(argument(parts, 0))],
  ['database', () => [verbatim("'miniscore'")]],
  ['schema', () => [verbatim("'miniscore'")]],
  ['connection_id', () => [verbatim('1')]],
  ['cast', (parts) => castCall(argument(parts, 0))],
])

/** SQLite's hex() makes NULL an empty text and takes a number for its digits. */
function hexCall(part: Token[]): Token[] {
  return [
    verbatim('case typeof('),
    ...part,
    verbatim(") when 'null' then null when 'integer' then printf('%X',"),
    ...part,
    verbatim(') else hex('),
    ...part,
    verbatim(') end'),
  ]
}

const CAST_TYPES: Record<string, string> = {
  signed: 'integer',
  unsigned: 'integer',
  char: 'text',
  nchar: 'text',
  binary: 'blob',
  decimal: 'numeric',
  double: 'real',
  float: 'real',
}

function castCall(part: Token[]): Token[] {
  const at = part.findLastIndex((token) => isWord(token, 'as'))
  const type = part[at + 1]
  const target = type === undefined ? undefined : CAST_TYPES[type.text]
  if (at < 1 || target === undefined) throw notSupported(`cast to ${type?.text ?? 'nothing'}`)
  return [verbatim('cast('), ...part.slice(0, at), verbatim(`as ${target})`)]
}

const OPERATORS: Record<string, Token[]> = {
  '||': [verbatim('or')],
  '&&': [verbatim('and')],
  '<=>': [verbatim('is')],
  // Whole numbers divide to a fraction in MySQL.
  '/': [verbatim('* 1.0 /')],
}

/**
 * Rewrites functions, operators, index hints, locking clauses and collations.
 * @throws {EngineError} for what SQLite cannot do in the same way
 */
export function rewriteExpression(tokens: readonly Token[]): Token[] {
  const output: Token[] = []
  let at = 0
  while (at < tokens.length) {
    const token = tokens[at] as Token
    const skipTo = skippable(tokens, at)
    if (skipTo > at) {
      at = skipTo
      continue
    }
    const translate = FUNCTIONS.get(token.text)
    if (
      token.kind === 'word' &&
      translate &&
      isSign(tokens[at + 1], '(') &&
      !isSign(tokens[at - 1], '.')
    ) {
      const close = closingBracket(tokens, at + 1)
      const inside = tokens.slice(at + 2, close)
      output.push(
        ...translate(inside.length === 0 ? [] : splitOnCommas(inside).map(rewriteExpression)),
      )
      at = close + 1
      continue
    }
    if (
      isWord(token, 'like') &&
      tokens[at + 1] !== undefined &&
      !isWord(tokens[at + 2], 'escape')
    ) {
      const end = isSign(tokens[at + 2], '(') ? closingBracket(tokens, at + 2) + 1 : at + 2
      output.push(token, ...rewriteExpression(tokens.slice(at + 1, end)), verbatim("escape '\\'"))
      at = end
      continue
    }
    output.push(...rewriteToken(tokens, at))
    at++
  }
  return output
}

function rewriteToken(tokens: readonly Token[], at: number): Token[] {
  const token = tokens[at] as Token
  if (token.kind === 'variable') return [variable(token)]
  if (isSign(token, '?') || isSign(token, ':') || isSign(token, ';')) throw syntaxError(token.text)
  if (isWord(token, 'div') && at > 0) return [verbatim('/')]
  // `(a, b) in ((1, 2), (3, 4))` is `(a, b) in (values (1, 2), (3, 4))` in SQLite.
  const rowList = isWord(tokens[at - 1], 'in') && isSign(tokens[at - 2], ')')
  if (
    isSign(token, '(') &&
    rowList &&
    isSign(tokens[at + 1], '(') &&
    !isWord(tokens[at + 2], 'select')
  ) {
    return [token, verbatim('values')]
  }
  return token.kind === 'sign' ? (OPERATORS[token.text] ?? [token]) : [token]
}

function variable(token: Token): Token {
  const name = token.text.replace(/^@@(?:session\.|global\.|local\.)?/, '')
  const value = SERVER_VARIABLES[name]
  if (!token.text.startsWith('@@')) throw notSupported('user variables')
  if (value === undefined) throw notSupported(`the variable @@${name}`)
  return { kind: 'text', text: value, start: token.start, end: token.end }
}

/** Clauses with no meaning here: index hints, row locks (the whole database is locked), collations (all text is binary). */
function skippable(tokens: readonly Token[], at: number): number {
  const hint =
    isWord(tokens[at], 'use', 'force', 'ignore') && isWord(tokens[at + 1], 'index', 'key')
  if (hint && isSign(tokens[at + 2], '(')) return closingBracket(tokens, at + 2) + 1
  if (wordsAt(tokens, at, 'for', 'update')) return at + 2
  if (wordsAt(tokens, at, 'for', 'share')) return at + 2
  if (wordsAt(tokens, at, 'lock', 'in', 'share', 'mode')) return at + 4
  if (wordsAt(tokens, at, 'from', 'dual')) return at + 2
  if (isWord(tokens[at], 'collate')) return at + 2
  return at
}

/**
 * Writes the tokens as SQLite text with literals as parameters, or in the text itself where
 * SQLite allows no parameters (definitions).
 */
export function render(
  tokens: readonly Token[],
  literals: 'bound' | 'inline' = 'bound',
): SqliteStatement {
  const parameters: (string | Uint8Array)[] = []
  const words = tokens.map((token) => {
    if (token.kind === 'name') return `\`${token.text.replaceAll('`', '``')}\``
    if (token.kind !== 'text' && token.kind !== 'bytes') return token.written ?? token.text
    if (literals === 'inline') return inlineLiteral(token)
    parameters.push(token.bytes ?? token.text)
    return '?'
  })
  return { sql: words.join(' '), parameters }
}

function inlineLiteral(token: Token): string {
  if (token.bytes) return `x'${Buffer.from(token.bytes).toString('hex')}'`
  if (token.text.includes('\0')) throw notSupported('NUL in a definition')
  return `'${token.text.replaceAll("'", "''")}'`
}
