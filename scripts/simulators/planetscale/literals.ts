/**
 * Takes the literals out of a MySQL statement, so that nothing that reads the rest ever looks into a value. They are
 * understood as MySQL understands them with its default sql_mode: backslash escapes on, double quotes are texts.
 * https://dev.mysql.com/doc/refman/8.0/en/string-literals.html
 */
import { notTranslated, syntaxError } from './engine.ts'

export interface ParameterizedSql {
  /** With `?` in the place of every literal, and one blank wherever white space stood. */
  sql: string
  parameters: (string | Uint8Array)[]
}

/** Literals, quoted names and variables; what begins a comment; last, characters that stand nowhere else. */
const PIECE =
  /\bx'(?<hexString>[\da-f]*)'|\b0x(?<hexNumber>[\da-f]+)\b|(?<text>'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|"[^"\\]*(?:(?:\\[\s\S]|"")[^"\\]*)*")|(?<name>`[^`]+`)|@@(?:session\.|global\.)?(?<variable>\w+)|(?<comment>--|#|\/\*)|['"`\\?;:@]/gi

const ESCAPES: Record<string, string> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  // These two mean something only inside LIKE, and keep their backslash.
  '%': '\\%',
  _: '\\_',
}

/** What `@@name` answers: a strict server, as PlanetScale's is. */
const SERVER_VARIABLES: Record<string, string> = {
  sql_mode:
    'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  character_set_client: 'utf8mb4',
  character_set_connection: 'utf8mb4',
  character_set_results: 'utf8mb4',
  innodb_lock_wait_timeout: '2',
}

/** @throws {EngineError} for an unterminated literal, a second statement, a comment, or an unknown variable */
export function takeOutLiterals(source: string): ParameterizedSql {
  const parameters: (string | Uint8Array)[] = []
  let marked = ''
  let end = 0
  for (const { 0: piece, index, groups = {} } of source.matchAll(PIECE)) {
    marked += source.slice(end, index)
    end = index + piece.length
    if (groups.name === undefined) {
      const value = literalValue(groups)
      if (value === undefined) throw syntaxError(source.slice(index))
      parameters.push(value)
      marked += '?'
    } else marked += piece
  }
  const sql = (marked + source.slice(end)).replaceAll(/\s+/g, ' ').trim()
  return { sql, parameters }
}

/** The value a piece stands for, undefined when it is none. */
function literalValue(piece: Record<string, string | undefined>): string | Uint8Array | undefined {
  if (piece.comment !== undefined) throw notTranslated('comments')
  if (piece.text !== undefined) return textOf(piece.text)
  if (piece.variable !== undefined) return variableValue(piece.variable)
  const digits = piece.hexString ?? piece.hexNumber
  return digits === undefined || digits.length % 2 !== 0 ? undefined : Buffer.from(digits, 'hex')
}

function textOf(literal: string): string {
  const quote = literal.charAt(0)
  return literal
    .slice(1, -1)
    .replaceAll(/\\([\s\S])|''|""/g, (found, escaped?: string) =>
      escaped === undefined ? found.replace(quote + quote, quote) : (ESCAPES[escaped] ?? escaped),
    )
}

function variableValue(name: string): string {
  const value = SERVER_VARIABLES[name.toLowerCase()]
  if (value === undefined) throw notTranslated(`the variable @@${name}`)
  return value
}

/** Splits at commas that stand outside every bracket. */
export function splitList(sql: string): string[] {
  const parts = ['']
  let depth = 0
  for (const piece of sql.split(/([(),])/)) {
    if (piece === '(') depth++
    if (piece === ')') depth--
    if (piece === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += piece
  }
  return parts.map((part) => part.trim())
}
