/**
 * The offline PlanetScale: the HTTP API that `@planetscale/database` speaks, on loopback, in front of
 * an engine. Errors of SQL are HTTP 200 with only text, a session holds a transaction for at most
 * 20 seconds, zero values are left out: as the real service does, so that the deployed bundles run
 * against it unchanged. https://planetscale.com/docs/reference/planetscale-system-limits
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { listen } from '../../../shared/transport/server/listen.ts'
import { type Engine, EngineError } from './engine.ts'
import { type Fault, FaultSwitch, readFault } from './faults.ts'
import { Sessions } from './sessions.ts'
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

class HttpFailure extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** @throws {Error} when the port is taken, or a name would need escaping in the URL */
export async function startOfflinePlanetScale(
  options: OfflinePlanetScaleOptions,
): Promise<OfflinePlanetScale> {
  const username = options.username ?? 'offline'
  const password = options.password ?? 'pscale_pw_offline'
  if (!SAFE_IN_URL.test(username) || !SAFE_IN_URL.test(password)) {
    throw new Error(
      'username and password of the offline PlanetScale are letters, digits, ".", "_" and "-"',
    )
  }
  const service = new Service(
    options,
    `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  )
  const server = createServer((request, response) => void service.handle(request, response))
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const { port } = await listen(server, { port: options.port ?? 0 })
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://${username}:${password}@127.0.0.1:${port}`,
    faults: service.faults,
    transactions: () => service.sessions.inTransaction,
    statements: () => service.statements,
    connections: () => connections,
    dropConnections,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      dropConnections()
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
  private readonly authorization: Buffer
  private readonly bodyLimitBytes: number

  constructor(options: OfflinePlanetScaleOptions, authorization: string) {
    this.sessions = new Sessions(options.engine, options.transactionLimitMs ?? 20_000)
    this.authorization = digest(authorization)
    this.bodyLimitBytes = options.bodyLimitBytes ?? 16 * 1024 * 1024
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
      if (path === '/sim/faults') await this.changeFaults(request, response)
      else if (path === EXECUTE || path === CREATE_SESSION)
        await this.serve(path, request, response)
      else throw new HttpFailure(404, 'NOT_FOUND', 'no such path')
    } catch (error) {
      const failure =
        error instanceof HttpFailure
          ? error
          : new HttpFailure(500, 'INTERNAL', 'the offline PlanetScale failed')
      if (response.headersSent) response.destroy()
      else
        send(response, failure.status, { error: { code: failure.code, message: failure.message } })
    }
  }

  private async serve(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== 'POST') throw new HttpFailure(405, 'INVALID_ARGUMENT', 'only POST')
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), this.authorization)) {
      throw new HttpFailure(401, 'UNAUTHENTICATED', 'invalid username or password')
    }
    const body = await this.readBody(request)
    if (path === CREATE_SESSION) {
      return send(response, 200, { session: this.sessions.sign(this.sessions.newId(), false) })
    }
    const { query, session } = readCall(body)
    const known =
      session === null
        ? { id: this.sessions.newId(), inTransaction: false }
        : this.sessions.verify(session)
    if (known === undefined)
      throw new HttpFailure(400, 'INVALID_ARGUMENT', 'the session is not one of this server')
    this.statements++
    await this.answer(query, known, response)
  }

  private async answer(
    query: string,
    session: { id: string; inTransaction: boolean },
    response: ServerResponse,
  ): Promise<void> {
    const fault = this.faults.take(query)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'close') return void response.destroy()
    if (fault?.kind === 'empty') return send(response, 200, {})
    if (fault?.kind === 'http-error') return sendPage(response, fault.status ?? 502)
    const answer = await this.execute(query, session, fault)
    if (fault?.kind === 'slow')
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 1000))
    if (fault?.kind === 'drop-answer') return void response.destroy()
    if (fault?.kind === 'cut') return cut(response, answer, fault.afterBytes ?? 1)
    send(response, 200, answer)
  }

  private async execute(
    query: string,
    { id, inTransaction }: { id: string; inTransaction: boolean },
    fault: Fault | undefined,
  ): Promise<object> {
    const startedAt = performance.now()
    try {
      const used = await this.sessions.use(id, inTransaction, (session) => {
        if (fault?.kind === 'sql-error') {
          throw new EngineError(fault.errno ?? 1105, fault.sqlState ?? 'HY000', 'refused on demand')
        }
        return session.execute(query)
      })
      if (used === undefined) return this.ended(id)
      const timing = (performance.now() - startedAt) / 1000
      return {
        session: this.sessions.sign(id, used.inTransaction),
        result: wireResult(used.value),
        timing,
      }
    } catch (error) {
      const refused =
        error instanceof EngineError
          ? error
          : new EngineError(1105, 'HY000', 'the engine failed unexpectedly')
      const session = this.sessions.sign(id, this.sessions.isInTransaction(id))
      return { session, error: wireError(refused, query) }
    }
  }

  /** Vitess says this without an error number. */
  private ended(id: string): object {
    const message = `target: miniscore.-.primary: vttablet: rpc error: code = Aborted desc = transaction 1: ended at ${new Date().toISOString()} (exceeded timeout: 20s) (CallerID: offline)`
    return { session: this.sessions.sign(id, false), error: { code: 'ABORTED', message } }
  }

  private async changeFaults(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'DELETE') {
      this.faults.clear()
      return void response.writeHead(204).end()
    }
    if (request.method !== 'POST')
      throw new HttpFailure(405, 'INVALID_ARGUMENT', 'only POST and DELETE')
    const body = await this.readBody(request)
    try {
      this.faults.add(readFault(JSON.parse(body)))
    } catch (error) {
      throw new HttpFailure(
        400,
        'INVALID_ARGUMENT',
        error instanceof Error ? error.message : 'not a fault',
      )
    }
    response.writeHead(204).end()
  }

  private async readBody(request: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length
      if (bytes > this.bodyLimitBytes)
        throw new HttpFailure(413, 'RESOURCE_EXHAUSTED', 'the request is too large')
      chunks.push(chunk as Buffer)
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        Buffer.concat(chunks),
      )
    } catch {
      throw new HttpFailure(400, 'INVALID_ARGUMENT', 'the request is not UTF-8')
    }
  }
}

function readCall(body: string): { query: string; session: unknown } {
  let call: unknown
  try {
    call = JSON.parse(body)
  } catch {
    throw new HttpFailure(400, 'INVALID_ARGUMENT', 'the request is not JSON')
  }
  const { query, session = null } = (call ?? {}) as { query?: unknown; session?: unknown }
  if (typeof query !== 'string')
    throw new HttpFailure(400, 'INVALID_ARGUMENT', '"query" is a string')
  // The real service is written in Go, whose JSON reader replaces lone surrogates.
  return { query: query.toWellFormed(), session }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
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
