/**
 * The Db door over PlanetScale's HTTP API, through `@planetscale/database`. What the driver leaves out is
 * added here: a deadline, one retry on a stale connection, a check of every answer (it takes `{}` for
 * success), error numbers, exact text and numbers. https://github.com/planetscale/database-js
 */
import { type Cast, Client, type Connection, DatabaseError } from '@planetscale/database'
import {
  type Db,
  DbError,
  type Queryable,
  RETRYABLE_ERRNOS,
  type SqlResult,
  type SqlRow,
  type SqlValue,
} from './db.ts'
import { ExchangeError, type HttpsClient, openHttpsClient } from './https-fetch.ts'
import { checkParameterCount, checkParameters, countPlaceholders } from './parameters.ts'
import { answerProblem, castValue, refusalFrom } from './planetscale-answer.ts'
import { checkPlanetScaleUrl } from './planetscale-url.ts'

const TRANSACTION_ATTEMPTS = 3

/** Before a repeated transaction, times the attempt, of which a random half is waited. */
const RETRY_PAUSE_MS = 40

/** A ROLLBACK only frees locks earlier than the server would: it may not use up the caller's time. */
const ROLLBACK_DEADLINE_MS = 1000

/** Where the database is and how long it may take. */
export interface PlanetScaleOptions {
  /** `https://user:password@host`, or `http:` on loopback. */
  url: string
  /** Milliseconds one statement may take; asked anew for each. */
  timeoutMs: () => number
  /** A certificate authority (PEM) to trust in place of Node's roots. */
  ca?: string
}

/** How one statement is sent, and what it means when its answer does not come. */
interface Sending {
  timeoutMs: () => number
  retryStale: boolean
  outcomeWhenLost: 'none' | 'unknown'
  /** Transaction control and definitions may be answered with a session alone. */
  control: boolean
}

/** @throws {DatabaseUrlError} when the URL cannot be used */
export function openPlanetScale(options: PlanetScaleOptions): Db {
  const secure = checkPlanetScaleUrl(options.url)
  const door = new PlanetScale(options, openHttpsClient(secure, options.ca))
  return {
    query: (sql, parameters) => door.query(sql, parameters),
    transaction: (work) => door.transaction(work),
    close: () => door.close(),
  }
}

class PlanetScale implements Db {
  private readonly url: string
  private readonly timeoutMs: () => number
  private readonly https: HttpsClient

  constructor(options: PlanetScaleOptions, https: HttpsClient) {
    this.url = options.url
    this.timeoutMs = options.timeoutMs
    this.https = https
  }

  async query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    const sending: Sending = {
      timeoutMs: this.timeoutMs,
      retryStale: true,
      outcomeWhenLost: isRead(sql) ? 'none' : 'unknown',
      control: isDefinition(sql),
    }
    return execute(this.connect(sending), sql, parameters, sending)
  }

  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactOnce(work)
      } catch (error) {
        if (attempt >= TRANSACTION_ATTEMPTS || !mayRunAgain(error)) throw error
        const pauseMs = RETRY_PAUSE_MS * attempt * (0.5 + Math.random() / 2)
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  async close(): Promise<void> {
    this.https.close()
  }

  private async transactOnce<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    const sending: Sending = {
      timeoutMs: this.timeoutMs,
      retryStale: true,
      // Nothing of a transaction is applied before COMMIT.
      outcomeWhenLost: 'none',
      control: true,
    }
    const connection = this.connect(sending)
    await execute(connection, 'BEGIN', [], sending)
    // From here on a repeated request could run twice inside the transaction.
    sending.retryStale = false
    sending.control = false
    const statements = new TransactionStatements(connection, sending)
    try {
      const value = await work(statements)
      await statements.finish()
      sending.control = true
      sending.outcomeWhenLost = 'unknown'
      await execute(connection, 'COMMIT', [], sending)
      return value
    } catch (error) {
      await statements.finish().catch(() => undefined)
      const first = mayRunAgain(statements.fatal) ? statements.fatal : error
      sending.control = true
      sending.timeoutMs = () => Math.min(this.timeoutMs(), ROLLBACK_DEADLINE_MS)
      // Harmless twice, and without it the locks stay until the server's limit.
      sending.retryStale = true
      // The first error is the one that tells what happened.
      await execute(connection, 'ROLLBACK', [], sending).catch(() => undefined)
      throw first
    }
  }

  /** A fresh session whose requests go out as `sending` says at that moment. */
  private connect(sending: Sending): Connection {
    const fetch = async (
      url: string,
      request: { headers: Record<string, string>; body: string } = { headers: {}, body: '' },
    ) => {
      const { status, body } = await this.https.post(url, {
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
    return new Client({ url: this.url, fetch, cast: castValue as Cast }).connection()
  }
}

/** The statements of one transaction, in the order they were asked for. */
class TransactionStatements implements Queryable {
  /** The first failure after which the transaction must not be committed, even if `work` caught it. */
  fatal: DbError | undefined
  private last: Promise<unknown> = Promise.resolve()
  private over = false
  private readonly connection: Connection
  private readonly sending: Sending

  constructor(connection: Connection, sending: Sending) {
    this.connection = connection
    this.sending = sending
  }

  query(sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    if (this.over) return Promise.reject(new Error('the transaction is over'))
    const result = this.last.then(() => this.run(sql, parameters))
    this.last = result.catch(() => undefined)
    return result
  }

  /** Waits for statements nobody waited for. @throws {DbError} when the transaction must not be committed */
  async finish(): Promise<void> {
    this.over = true
    await this.last
    if (this.fatal) throw this.fatal
  }

  private async run(sql: string, parameters: readonly SqlValue[]): Promise<SqlResult> {
    if (this.fatal) throw this.fatal
    try {
      return await execute(this.connection, sql, parameters, this.sending)
    } catch (error) {
      if (error instanceof DbError && !leavesTransactionUsable(error)) this.fatal = error
      throw error
    }
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
    const { rows, rowsAffected } = await connection.execute<SqlRow>(sql, bound)
    return { rows, rowsAffected }
  } catch (error) {
    throw dbErrorFrom(error, sending.outcomeWhenLost)
  }
}

/** The driver's errors repeat SQL and values: only number and state are taken over. */
function dbErrorFrom(error: unknown, outcomeWhenLost: 'none' | 'unknown'): DbError {
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

function mayRunAgain(error: unknown): boolean {
  return (
    error instanceof DbError && error.outcome === 'none' && RETRYABLE_ERRNOS.has(error.errno ?? 0)
  )
}

/** After a duplicate key, say, the transaction goes on; after a deadlock or a lost answer it is not known what it holds. */
function leavesTransactionUsable(error: DbError): boolean {
  return (
    error.failure === 'refused' && error.errno !== undefined && !RETRYABLE_ERRNOS.has(error.errno)
  )
}
