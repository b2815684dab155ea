/**
 * The door over PlanetScale's HTTP API, through `@planetscale/database`. What the driver leaves out is
 * added here: a deadline, one retry on a stale connection, a check of every answer (it takes `{}` for
 * success), error numbers, exact text and numbers. https://github.com/planetscale/database-js
 */
import { type Cast, Client, type Connection, DatabaseError } from '@planetscale/database'
import {
  type Database,
  DbError,
  type DbOutcome,
  type DoorOptions,
  type SqlResult,
  type SqlRow,
  type SqlValue,
} from './db.ts'
import { ExchangeError, openHttpsClient } from './https-fetch.ts'
import { checkParameterCount, checkParameters, countPlaceholders } from './parameters.ts'
import { answerProblem, castValue, refusalFrom } from './planetscale-answer.ts'
import { checkPlanetScaleUrl } from './planetscale-url.ts'
import { type BegunTransaction, runTransaction } from './transactions.ts'

/** How one statement is sent, and what it means when its answer does not come. */
interface Sending {
  timeoutMs: () => number
  retryStale: boolean
  outcomeWhenLost: DbOutcome
  /** Transaction control and definitions may be answered with a session alone. */
  control: boolean
}

/** Gives a fresh session whose requests go out as `sending` says at that moment. */
type Connect = (sending: Sending) => Connection

/**
 * A database behind `https://user:password@host`, or `http:` on loopback. `ca` is a certificate authority (PEM) to trust
 * in place of Node's roots.
 * @throws {DatabaseUrlError} when the URL cannot be used
 */
export function openPlanetScale(options: DoorOptions, ca?: string): Database {
  const { url, random } = options
  const https = openHttpsClient(checkPlanetScaleUrl(url), { ...options, ca })
  const connect: Connect = (sending) => {
    const fetch = async (
      requestUrl: string,
      request: { headers: Record<string, string>; body: string } = { headers: {}, body: '' },
    ) => {
      const { status, body } = await https.post(requestUrl, {
        headers: request.headers,
        body: request.body,
        deadlineMs: sending.timeoutMs(),
        retryStale: sending.retryStale,
      })
      const problem = answerProblem(status, body, sending)
      if (problem) throw problem
      return {
        ok: status >= 200 && status < 300,
        status,
        statusText: '',
        text: () => Promise.resolve(body),
      }
    }
    return new Client({ url, fetch, cast: castValue as Cast }).connection()
  }
  const close = async (): Promise<void> => https.close()

  return {
    within: (timeoutMs) => ({
      async query(sql, parameters = []) {
        const sending: Sending = {
          timeoutMs,
          retryStale: true,
          outcomeWhenLost: isRead(sql) ? 'none' : 'unknown',
          control: isDefinition(sql),
        }
        return execute(connect(sending), sql, parameters, sending)
      },
      transaction: (work) =>
        runTransaction(work, { begin: () => begin(connect, timeoutMs), timeoutMs, random }),
      close,
    }),
    close,
  }
}

async function begin(connect: Connect, timeoutMs: () => number): Promise<BegunTransaction> {
  const sending: Sending = {
    timeoutMs,
    retryStale: true,
    // Nothing of a transaction is applied before COMMIT.
    outcomeWhenLost: 'none',
    control: true,
  }
  const connection = connect(sending)
  await execute(connection, 'BEGIN', [], sending)
  // From here on a repeated request could run twice inside the transaction.
  sending.retryStale = false
  sending.control = false
  return {
    query: (sql, parameters) => execute(connection, sql, parameters, sending),
    async commit() {
      sending.control = true
      sending.outcomeWhenLost = 'unknown'
      await execute(connection, 'COMMIT', [], sending)
    },
    async rollback(rollbackTimeoutMs) {
      sending.control = true
      sending.timeoutMs = () => rollbackTimeoutMs
      // Harmless twice, and without it the locks stay until the server's limit.
      sending.retryStale = true
      await execute(connection, 'ROLLBACK', [], sending)
    },
  }
}

async function execute(
  connection: Connection,
  sql: string,
  parameters: readonly SqlValue[],
  sending: Sending,
): Promise<SqlResult> {
  checkParameters(parameters)
  if (parameters.length > 0) checkParameterCount(countPlaceholders(sql), parameters.length)
  try {
    const bound = parameters.length === 0 ? null : [...parameters]
    const { rows, rowsAffected, insertId } = await connection.execute<SqlRow>(sql, bound)
    return { rows, rowsAffected, lastInsertId: Number(insertId) }
  } catch (error) {
    throw dbErrorFrom(error, sending.outcomeWhenLost)
  }
}

/** The driver's errors repeat SQL and values: only number and state are taken over. */
function dbErrorFrom(error: unknown, outcomeWhenLost: DbOutcome): DbError {
  if (error instanceof DbError) return error
  if (error instanceof ExchangeError) {
    return new DbError(error.failure, { outcome: error.sent ? outcomeWhenLost : 'none' })
  }
  if (error instanceof DatabaseError) return refusalFrom(error.body.message, outcomeWhenLost)
  return new DbError('bad-answer', { outcome: outcomeWhenLost })
}

function isRead(sql: string): boolean {
  return /^\s*(?:select|show|explain)\b/i.test(sql)
}

function isDefinition(sql: string): boolean {
  return /^\s*(?:create|alter|drop)\b/i.test(sql)
}
