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

/** What a quote, a comment or a marker may begin; whatever is left of these characters is a mistake. */
const PIECE =
  /\bx'([\da-f]*)'|\b0x([\da-f]+)\b|'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*'|"[^"\\]*(?:(?:\\[\s\S]|"")[^"\\]*)*"|`[^`]+`|@@(?:session\.|global\.)?(\w+)|--|#|\/\*|['"`\\?;:@]/gi

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
  const marked = source.replace(PIECE, (piece, hexString, hexNumber, variable, at: number) => {
    const isWhole = piece.length > 1
    if (isWhole && piece.startsWith('`')) return piece
    if (isWhole && /^['"]/.test(piece)) parameters.push(textOf(piece))
    else if (variable !== undefined) parameters.push(variableValue(variable))
    else {
      const digits: string | undefined = hexString ?? hexNumber
      if (/^(?:--|#|\/\*)$/.test(piece)) throw notTranslated('comments')
      if (digits === undefined || digits.length % 2 !== 0) throw syntaxError(source.slice(at))
      parameters.push(Buffer.from(digits, 'hex'))
    }
    return '?'
  })
  return { sql: marked.replaceAll(/\s+/g, ' ').trim(), parameters }
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
