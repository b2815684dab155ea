/**
 * The offline PlanetScale: the HTTP API that `@planetscale/database` speaks, on loopback, in front of
 * an engine. Errors of SQL are HTTP 200 with only text, a session holds a transaction for at most
 * 20 seconds, zero values are left out: as the real service does, so that the deployed bundles run
 * against it unchanged. https://planetscale.com/docs/reference/planetscale-system-limits
 */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as v from 'valibot'
import { listen } from '../../../shared/transport/server/listen.ts'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../from-this-machine.ts'
import { readWholeBody } from '../request-body.ts'
import { type Engine, EngineError } from './engine.ts'
import { FaultSwitch, type StatementFault } from './faults.ts'
import { type SessionState, VitessSessions } from './sessions.ts'
import { wireError, wireResult } from './wire.ts'

export interface OfflinePlanetScaleOptions {
  engine: Engine
  /** 0, the default, takes a free port. */
  port?: number
  /** 20,000 by default, as the real service. */
  transactionLimitMs?: number
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

/** The largest request body. */
const BODY_MAX_BYTES = 16 * 1024 * 1024
const EXECUTE = '/psdb.v1alpha1.Database/Execute'

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

/** @throws {Error} when the port is taken */
export async function startOfflinePlanetScale({
  engine,
  port: wantedPort = 0,
  transactionLimitMs = 20_000,
}: OfflinePlanetScaleOptions): Promise<OfflinePlanetScale> {
  const user = `offline:pscale_pw_${randomBytes(12).toString('hex')}`
  const authorization = `Basic ${Buffer.from(user).toString('base64')}`
  const sessions = new VitessSessions(engine, transactionLimitMs)
  const faults = new FaultSwitch()
  let statements = 0
  let connections = 0
  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      const call = await readCall(request, authorization)
      const session = sessions.verify(call.session)
      if (session === undefined) throw invalid('the session is not one of this server')
      statements++
      // The real service is written in Go, whose JSON reader replaces lone surrogates.
      const query = call.query.toWellFormed()
      const fault = faults.take(query)
      await answer(response, fault, () => execute(sessions, session, query, fault))
    }
    serve().catch((error: unknown) => {
      const isOurs = error instanceof HttpFailure
      const { status, code, message } = isOurs
        ? error
        : new HttpFailure(500, 'INTERNAL', 'the offline PlanetScale failed')
      if (response.headersSent) response.destroy()
      else send(response, status, { error: { code, message } })
    })
  })
  server.on('connection', () => connections++)
  const { port } = await listen(server, { port: wantedPort })
  return {
    url: `http://${user}@127.0.0.1:${port}`,
    faults,
    transactions: () => sessions.open,
    statements: () => statements,
    connections: () => connections,
    dropConnections: () => server.closeAllConnections(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await sessions.close()
      await engine.close()
    },
  }
}

/** @throws {HttpFailure} for what is no call of ours */
async function readCall(request: IncomingMessage, authorization: string) {
  if (!isFromThisMachine(request.headers)) {
    throw new HttpFailure(403, 'PERMISSION_DENIED', NOT_FROM_THIS_MACHINE)
  }
  if (request.url !== EXECUTE) throw new HttpFailure(404, 'NOT_FOUND', 'no such path')
  if (request.method !== 'POST') throw invalid('only POST', 405)
  if (request.headers.authorization !== authorization) {
    throw new HttpFailure(401, 'UNAUTHENTICATED', 'invalid username or password')
  }
  const bytes = await readWholeBody(request, BODY_MAX_BYTES)
  if (bytes === undefined) {
    throw new HttpFailure(413, 'RESOURCE_EXHAUSTED', 'the request is too large')
  }
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw invalid('the request is not JSON in UTF-8')
  }
  const parsed = v.safeParse(ExecuteCall, body)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw invalid(`${v.getDotPath(issue) ?? 'the request'}: ${issue.message}`)
}

/** Answers with what `work` gives, or as the fault wants it. */
async function answer(
  response: ServerResponse,
  fault: StatementFault | undefined,
  work: () => Promise<object>,
): Promise<void> {
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
  const body = await work()
  switch (fault?.kind) {
    case 'drop-answer':
      return void response.destroy()
    case 'cut':
      return cut(response, body, fault.afterBytes ?? 1)
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 1000))
  }
  send(response, 200, body)
}

async function execute(
  sessions: VitessSessions,
  session: SessionState,
  query: string,
  fault: StatementFault | undefined,
): Promise<object> {
  const startedAt = performance.now()
  const signed = () => sessions.sign(session.id, sessions.isInTransaction(session.id))
  try {
    const used = await sessions.use(session, (open) => {
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
