/** Reading PlanetScale's answers more strictly than its driver does. */
import type { Field } from '@planetscale/database'
import { DbError, type DbOutcome } from './db.ts'

interface Expectation {
  outcomeWhenLost: DbOutcome
  control: boolean
}

/** Access denied. https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
const ACCESS_DENIED_ERRNO = 1045

/**
 * Refusals that leave open whether the statement was applied: server shutdown, unknown error (Vitess
 * uses it for its own failures), interrupted, server gone, connection lost.
 */
const UNCERTAIN_ERRNOS: ReadonlySet<number> = new Set([1053, 1105, 1317, 2006, 2013])

/** What is wrong with an answer before the driver sees it; undefined when nothing is. */
export function answerProblem(
  status: number,
  body: string,
  { outcomeWhenLost, control }: Expectation,
): DbError | undefined {
  if (status === 401 || status === 403) {
    return new DbError('refused', {
      errno: ACCESS_DENIED_ERRNO,
      sqlState: '28000',
      outcome: 'none',
    })
  }
  const answer = parseObject(body)
  // The driver reads errors from any status, and takes over the session that comes with them.
  if (typeof asObject(answer?.error)?.message === 'string') return undefined
  if (status !== 200) {
    const outcome = status >= 500 ? outcomeWhenLost : 'none'
    return new DbError('bad-answer', { outcome })
  }
  const result = answer?.result
  const complete =
    answer !== undefined &&
    !answer.error &&
    (isResult(result) || (control && result === undefined && hasSession(answer.session)))
  return complete ? undefined : new DbError('bad-answer', { outcome: outcomeWhenLost })
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(body))
  } catch {
    return undefined
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function hasSession(value: unknown): boolean {
  return typeof value === 'string' || asObject(value) !== undefined
}

function isResult(value: unknown): boolean {
  const result = asObject(value)
  if (result === undefined) return false
  const { fields = [], rows = [], rowsAffected = '0' } = result
  if (!Array.isArray(fields) || !Array.isArray(rows)) return false
  const counted = typeof rowsAffected === 'string' && /^\d{1,15}$/.test(rowsAffected)
  return counted && rows.every((row) => isRow(row, fields.length))
}

/** A row whose values are as long as its lengths say: the driver would cut silently. */
function isRow(value: unknown, columns: number): boolean {
  const row = asObject(value)
  if (row === undefined) return false
  const { lengths, values = '' } = row
  if (!Array.isArray(lengths) || lengths.length !== columns || typeof values !== 'string')
    return false
  let bytes = 0
  for (const length of lengths) {
    const width = Number(length)
    if (!Number.isInteger(width)) return false
    if (width > 0) bytes += width
  }
  return bytes === Buffer.byteLength(values, 'base64')
}

/** A refusal from its text, of which nothing but number and state is kept. */
export function refusalFrom(message: string, outcomeWhenLost: DbOutcome): DbError {
  // Behind `Sql:` comes the statement, in front of it MySQL's text, which may quote a value.
  const [text = ''] = message.split(': Sql: "')
  const found = new Map(
    [...text.matchAll(/\(errno (\d{1,5})\) \(sqlstate ([0-9A-Z]{5})\)/g)].map((match) => [
      match[0],
      match,
    ]),
  )
  const only = found.size === 1 ? [...found.values()][0] : undefined
  const errno = only === undefined ? undefined : Number(only[1])
  const uncertain = errno === undefined || UNCERTAIN_ERRNOS.has(errno)
  return new DbError('refused', {
    errno,
    sqlState: only?.[2],
    outcome: uncertain ? outcomeWhenLost : 'none',
  })
}

const NUMBER_TYPE = /^(?:U?INT(?:8|16|24|32|64)|YEAR|DECIMAL|FLOAT(?:32|64))$/
const BYTES_TYPE = /^(?:BINARY|VARBINARY|BLOB|BIT|GEOMETRY|CHAR|VARCHAR|TEXT)$/
const BINARY_CHARSET = 63

/**
 * A value as the Db door promises it; `value` holds one character per byte. The driver's own cast drops
 * a byte order mark and leaves counts as strings.
 * @throws {DbError} for a whole number beyond 2^53, which would arrive as another one
 */
export function castValue(field: Field, value: string | null): string | number | Uint8Array | null {
  if (value === null) return null
  if (NUMBER_TYPE.test(field.type)) {
    const number = Number(value)
    const exact = !Number.isInteger(number) || Number.isSafeInteger(number)
    if (Number.isFinite(number) && exact) return number
    throw new DbError('bad-answer', { outcome: 'none' })
  }
  const bytes = Buffer.from(value, 'latin1')
  if (field.charset === BINARY_CHARSET && BYTES_TYPE.test(field.type)) return new Uint8Array(bytes)
  return bytes.toString('utf8')
}
