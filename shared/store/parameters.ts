/** What may be bound to a `?`, for every door: drivers take arrays and objects, which change a statement's structure. */
import type { SqlValue } from './db.ts'

/** Parameters that a statement cannot take; never their values. */
export class ParameterError extends TypeError {
  readonly code: 'not-bindable' | 'count'

  constructor(code: 'not-bindable' | 'count', sentence: string) {
    super(sentence)
    this.name = 'ParameterError'
    this.code = code
  }
}

/** @throws {ParameterError} `not-bindable`, before anything is sent */
export function checkParameters(parameters: readonly SqlValue[]): void {
  for (const [at, value] of parameters.entries()) {
    if (!isBindable(value)) {
      throw new ParameterError('not-bindable', `parameter ${at + 1} cannot be bound`)
    }
  }
}

/** @throws {ParameterError} `count`, when a statement has not as many placeholders as parameters */
export function checkParameterCount(placeholders: number, parameters: number): void {
  if (placeholders === parameters) return
  throw new ParameterError(
    'count',
    `the statement has ${placeholders} parameters, not ${parameters}`,
  )
}

/** `unknown`, because a caller's types are a promise and the value may come from outside. */
function isBindable(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return Number.isFinite(value)
    case 'bigint':
      return BigInt.asIntN(64, value) === value
    case 'boolean':
      return true
    default:
      return value === null || value instanceof Uint8Array
  }
}

const counts = new Map<string, number>()

/** The `?` of a statement outside of quotes. Statements are few and constant, so each is counted once. */
export function countPlaceholders(sql: string): number {
  const known = counts.get(sql)
  if (known !== undefined) return known
  const bare = sql.replaceAll(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`/gs, '')
  const count = bare.split('?').length - 1
  if (counts.size < 200) counts.set(sql, count)
  return count
}
