/**
 * The offline PlanetScale: the HTTP API that `@planetscale/database` speaks, on loopback, in front of
 * an engine. Errors of SQL are HTTP 200 with only text, a session holds a transaction for at most
 * 20 seconds, zero values are left out: as the real service does, so that the deployed bundles run
 * against it unchanged. https://planetscale.com/docs/reference/planetscale-system-limits
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as v from 'valibot'
import { listen } from '../../../shared/transport/server/listen.ts'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../from-this-machine.ts'
import { readWholeBody } from '../request-body.ts'
import { type Engine, EngineError } from './engine.ts'
import { type Fault, FaultSchema, FaultSwitch } from './faults.ts'
import { type SessionState, Sessions } from './sessions.ts'
import { wireError, wireResult } from './wire.ts'

export interface OfflinePlanetScaleOptions {
  engine: Engine
  /** 0, the default, takes a free port. */
  port?: number
  username?: string
  password?: string
  /** 20,000 by default, as the real service. */
  transactionLimitMs?: number
  /** The largest request body; 16 MiB by default. */
  bodyLimitBytes?: number
}

export interface OfflinePlanetScale {
  /** `http://user:password@127.0.0.1:port`, a valid DATABASE_URL. */
  url: string
  faults: FaultSwitch
  /** How many sessions are in a transaction. */
  transactions(): number
  /** How many statements were received since the start, those hit by faults included. */
  statements(): number
  /** How many TCP connections were accepted since the start. */
  connections(): number
  /** Ends the TCP connections that are open, as a proxy does with idle ones. */
  dropConnections(): void
  /** Rolls back what is open, ends every connection, and closes the engine (which saves its file). */
  close(): Promise<void>
}

const SAFE_IN_URL = /^[A-Za-z0-9_.-]+$/
const EXECUTE = '/psdb.v1alpha1.Database/Execute'
const CREATE_SESSION = '/psdb.v1alpha1.Database/CreateSession'

const ExecuteCall = v.object({ query: v.string(), session: v.optional(v.unknown(), null) })

class HttpFailure extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

function invalid(message: string, status = 400): HttpFailure {
  return new HttpFailure(status, 'INVALID_ARGUMENT', message)
}

/** @throws {Error} when the port is taken, or a name would need escaping in the URL */
export async function startOfflinePlanetScale(
  options: OfflinePlanetScaleOptions,
): Promise<OfflinePlanetScale> {
  const { username = 'offline', password = 'pscale_pw_offline' } = options
  if (!SAFE_IN_URL.test(username) || !SAFE_IN_URL.test(password)) {
    throw new Error(
      'username and password of the offline PlanetScale are letters, digits, ".", "_" and "-"',
    )
  }
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const service = new Service(options, authorization)
  const server = createServer((request, response) => void service.handle(request, response))
  let connections = 0
  server.on('connection', () => connections++)
  const { port } = await listen(server, { port: options.port ?? 0 })
  return {
    url: `http://${username}:${password}@127.0.0.1:${port}`,
    faults: service.faults,
    transactions: () => service.sessions.open,
    statements: () => service.statements,
    connections: () => connections,
    dropConnections: () => server.closeAllConnections(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await service.sessions.close()
      await options.engine.close()
    },
  }
}

class Service {
  readonly faults = new FaultSwitch()
  readonly sessions: Sessions
  statements = 0
  readonly #authorization: string
  readonly #bodyLimitBytes: number

  constructor(options: OfflinePlanetScaleOptions, authorization: string) {
    this.sessions = new Sessions(options.engine, options.transactionLimitMs ?? 20_000)
    this.#authorization = authorization
    this.#bodyLimitBytes = options.bodyLimitBytes ?? 16 * 1024 * 1024
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!isFromThisMachine(request.headers)) {
        throw new HttpFailure(403, 'PERMISSION_DENIED', NOT_FROM_THIS_MACHINE)
      }
      const path = new URL(request.url ?? '/', `http://127.0.0.1`).pathname
      if (path === '/sim/faults') await this.#changeFaults(request, response)
      else if (path === EXECUTE) await this.#serve(request, response)
      else if (path === CREATE_SESSION) {
        await this.#readCall(request, v.unknown())
        const { id, inTransaction } = this.sessions.newSession()
        send(response, 200, { session: this.sessions.sign(id, inTransaction) })
      } else throw new HttpFailure(404, 'NOT_FOUND', 'no such path')
    } catch (error) {
      const failure =
        error instanceof HttpFailure
          ? error
          : new HttpFailure(500, 'INTERNAL', 'the offline PlanetScale failed')
      const { status, code, message } = failure
      if (response.headersSent) response.destroy()
      else send(response, status, { error: { code, message } })
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await this.#readCall(request, ExecuteCall)
    const session = this.sessions.verify(call.session)
    if (session === undefined) throw invalid('the session is not one of this server')
    this.statements++
    // The real service is written in Go, whose JSON reader replaces lone surrogates.
    await this.#answer(call.query.toWellFormed(), session, response)
  }

  async #answer(query: string, session: SessionState, response: ServerResponse): Promise<void> {
    const fault = this.faults.take(query)
    switch (fault?.kind) {
      case 'hang':
        return
      case 'close':
        return void response.destroy()
      case 'empty':
        return send(response, 200, {})
      case 'http-error':
        return sendPage(response, fault.status ?? 502)
    }
    const answer = await this.#execute(query, session, fault)
    switch (fault?.kind) {
      case 'drop-answer':
        return void response.destroy()
      case 'cut':
        return cut(response, answer, fault.afterBytes ?? 1)
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 1000))
    }
    send(response, 200, answer)
  }

  async #execute(query: string, session: SessionState, fault?: Fault): Promise<object> {
    const startedAt = performance.now()
    const signed = () => this.sessions.sign(session.id, this.sessions.isInTransaction(session.id))
    try {
      const used = await this.sessions.use(session, (open) => {
        if (fault?.kind === 'sql-error') {
          throw new EngineError(fault.errno ?? 1105, fault.sqlState ?? 'HY000', 'refused on demand')
        }
        return open.execute(query)
      })
      if (used === undefined) return { session: signed(), error: endedError() }
      const timing = (performance.now() - startedAt) / 1000
      return { session: signed(), result: wireResult(used.value), timing }
    } catch (error) {
      const refused =
        error instanceof EngineError
          ? error
          : new EngineError(1105, 'HY000', 'the engine failed unexpectedly')
      return { session: signed(), error: wireError(refused, query) }
    }
  }

  async #changeFaults(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'DELETE') this.faults.clear()
    else if (request.method !== 'POST') throw invalid('only POST and DELETE', 405)
    else {
      const fault = await this.#readJson(request, FaultSchema)
      try {
        this.faults.add(fault)
      } catch {
        throw invalid('match: is not a regular expression')
      }
    }
    response.writeHead(204).end()
  }

  async #readCall<Schema extends v.GenericSchema>(request: IncomingMessage, schema: Schema) {
    if (request.method !== 'POST') throw invalid('only POST', 405)
    if (request.headers.authorization !== this.#authorization) {
      throw new HttpFailure(401, 'UNAUTHENTICATED', 'invalid username or password')
    }
    return this.#readJson(request, schema)
  }

  async #readJson<Schema extends v.GenericSchema>(
    request: IncomingMessage,
    schema: Schema,
  ): Promise<v.InferOutput<Schema>> {
    const bytes = await readWholeBody(request, this.#bodyLimitBytes)
    if (bytes === undefined) {
      throw new HttpFailure(413, 'RESOURCE_EXHAUSTED', 'the request is too large')
    }
    let body: unknown
    try {
      body = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    } catch {
      throw invalid('the request is not JSON in UTF-8')
    }
    const parsed = v.safeParse(schema, body)
    if (parsed.success) return parsed.output
    const [issue] = parsed.issues
    throw invalid(`${v.getDotPath(issue) ?? 'the request'}: ${issue.message}`)
  }
}

/** Vitess says this without an error number. */
function endedError(): { code: string; message: string } {
  const message = `target: miniscore.-.primary: vttablet: rpc error: code = Aborted desc = transaction 1: ended at ${new Date().toISOString()} (exceeded timeout: 20s) (CallerID: offline)`
  return { code: 'ABORTED', message }
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    .end(text)
}

function sendPage(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end(`<html><h1>${status}</h1></html>`)
}

/** Promises the whole answer, sends the first bytes of it, and ends the connection. */
function cut(response: ServerResponse, body: object, afterBytes: number): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.write(bytes.subarray(0, Math.min(afterBytes, bytes.length - 1)), () =>
    response.destroy(),
  )
}
