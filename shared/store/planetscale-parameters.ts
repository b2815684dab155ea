/** What may be bound. The driver itself takes arrays and objects, which change a statement's structure. */
import type { SqlValue } from './db.ts'

const placeholderCounts = new Map<string, number>()

/** @throws {TypeError} naming the position only, before anything is sent */
export function checkParameters(sql: string, parameters: readonly SqlValue[]): void {
  if (parameters.length > 0 && parameters.length !== countPlaceholders(sql)) {
    throw new TypeError('a statement needs exactly one parameter for each placeholder')
  }
  for (const [at, value] of parameters.entries()) {
    if (!isBindable(value)) throw new TypeError(`parameter ${at + 1} cannot be bound`)
  }
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

/** Statements are few and constant, so each is counted once. Quoted parts are skipped. */
function countPlaceholders(sql: string): number {
  const known = placeholderCounts.get(sql)
  if (known !== undefined) return known
  const bare = sql.replaceAll(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`/gs, '')
  const count = bare.split('?').length - 1
  if (placeholderCounts.size < 200) placeholderCounts.set(sql, count)
  return count
}
