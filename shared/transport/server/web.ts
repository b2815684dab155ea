/**
 * A Web function, or the server in any container: node:http on a port, several requests at a time,
 * each handed to the function as the event it would have been.
 * https://cloud.tencent.com/document/product/583/56124 (Web functions)
 */

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AfterAnswer, Logger } from '../../ports.ts'
import { Problem } from '../../problem.ts'
import { compressReply } from '../compress.ts'
import type { MainHandler } from '../invocation.ts'
import {
  type Admission,
  type AdmissionLimits,
  type AdmissionLoad,
  createAdmission,
} from './admission.ts'
import { type AfterAnswers, createAfterAnswers } from './after-answers.ts'
import {
  type ConnectionLimits,
  type Connections,
  createConnections,
  type TrustProxy,
} from './connections.ts'
import { listen } from './listen.ts'
import { createSampledLog, type SampledLog } from './sampled-log.ts'
import { refuse, turnAway } from './web-refusal.ts'
import { announcesTooMuch, isDrainable, kindOf, readBytes, receive, send } from './web-request.ts'

/** What a client may ask of the server. */
export interface WebLimits extends AdmissionLimits, ConnectionLimits {
  /** Request line and headers; beyond it 431. */
  headerMaxBytes: number
  /** From the first byte to the end of the headers; beyond it 408. */
  headersTimeoutMs: number
  /** From the first byte to the end of the body; beyond it 408. */
  requestTimeoutMs: number
  /** How long a connection without a request is kept. */
  idleTimeoutMs: number
  /** How long a request may be worked on, unless the platform gives it less. */
  workTimeoutMs: number
  /** How long requests under way may take once the server is told to stop. */
  stopWithinMs: number
}

/** The limits of a deployed server. */
export const webLimits: WebLimits = {
  // Node's own limit; the longest token is 4 KB, and the platform adds credentials of its own.
  headerMaxBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  // Longer than proxies keep theirs, so that none sends a request into a closing connection.
  idleTimeoutMs: 65_000,
  workTimeoutMs: 10_000,
  // Docker waits ten seconds before it kills.
  stopWithinMs: 9_000,
  // As many connections as a server has to its store unless told otherwise.
  concurrentLeast: 4,
  concurrentMost: 200,
  queuedMost: 100,
  queueWaitMs: 150,
  // The platform allows 1024 open files: https://cloud.tencent.com/document/product/583/11637
  connectionsMax: 800,
  waitingPerPeerMax: 48,
}

/** Where the server listens, and whom it believes. */
export interface WebOptions {
  /** Default `0.0.0.0`: the platform does not reach 127.0.0.1. */
  host?: string
  /** 0 chooses a free port. */
  port: number
  trustProxy?: TrustProxy
  log: Logger
  limits?: Partial<WebLimits>
  /** Default: the one that `limits` make. */
  admission?: Admission
  /** Answers some requests before all others, however busy the server is; false for one that it leaves alone. */
  answerFirst?: (request: IncomingMessage, response: ServerResponse) => boolean
}

/** A server that listens. */
export interface WebServer {
  url: string
  load(): AdmissionLoad & { connections: number }
  /**
   * Accepts nothing more and resolves when every request under way was answered, to the number of those that
   * were cut off because they took longer than `stopWithinMs`.
   */
  stop(): Promise<number>
}

/** A client that reads none of its answer for so long is gone. */
const SILENCE_MAX_MS = 120_000

/** Starts the server. @throws {Error} when the port cannot be had, saying which */
export async function serveWeb(handler: MainHandler, options: WebOptions): Promise<WebServer> {
  const { host = '0.0.0.0', port, trustProxy = 'private', log, answerFirst } = options
  const limits = { ...webLimits, ...options.limits }
  const sampled = createSampledLog(log)
  const onDropped = (): void =>
    sampled.write({ event: 'dropped', level: 'warn', transport: 'web', code: 'connections' })
  const server = createLimitedServer(limits)
  const state: ServerState = {
    server,
    limits,
    log,
    sampled,
    admission: options.admission ?? createAdmission(limits),
    connections: createConnections(limits, { trustProxy, onDropped }),
    unanswered: new Map(),
    afterAnswers: createAfterAnswers(),
    answerFirst: answerFirst ?? (() => false),
    isStopping: false,
  }
  takeRequests(state, createAnswer(handler, state))
  const { url } = await listen(server, { port, host, setting: 'PORT or HOST' })
  // A connection that could not be accepted ends nobody else's.
  server.on('error', (cause) =>
    log.write({ event: 'refused', level: 'warn', transport: 'web', cause }),
  )
  const load = (): ReturnType<WebServer['load']> => {
    const connections = [...state.connections.sockets()].length
    return { ...state.admission.load(), connections }
  }
  return { url, load, stop: () => stop(state) }
}

/** What the server goes by, and what it has in hand. */
interface ServerState {
  server: Server
  limits: WebLimits
  log: Logger
  sampled: SampledLog
  admission: Admission
  connections: Connections
  /** Connections with requests that the function has seen and not answered, and how many. */
  unanswered: Map<Duplex, number>
  /** What answers left for later. */
  afterAnswers: AfterAnswers
  answerFirst: NonNullable<WebOptions['answerFirst']>
  isStopping: boolean
}

function createLimitedServer(limits: WebLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.headerMaxBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs / 4),
    insecureHTTPParser: false,
  })
  // Their size is limited; a limit on their number would drop the last ones, which proxies append.
  server.maxHeadersCount = 0
  server.timeout = SILENCE_MAX_MS
  return server
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Answers a request that there was room for by what the function makes of it. */
function createAnswer(handler: MainHandler, state: ServerState): Answer {
  const { limits, admission, connections, unanswered } = state
  return async (request, response) => {
    const { socket } = request
    connections.receives(socket)
    const { body, isWhole } = await readBytes(request)
    connections.received(socket)
    count(unanswered, socket, 1)
    response.once('close', () => {
      count(unanswered, socket, -1)
      if (!unanswered.has(socket)) connections.answered(socket)
      if (state.isStopping) setImmediate(() => state.server.closeIdleConnections())
    })
    const leave = await admission.enter()
    if (!leave) return shed(request, response, { state, isLast: !isWhole })
    let kind: string | undefined
    try {
      if (response.destroyed) return
      const received = receive(request, body, connections.peer(socket))
      const { event, requestId = randomUUID(), timeoutMs = limits.workTimeoutMs } = received
      const time_limit_in_ms = Math.min(timeoutMs, limits.workTimeoutMs)
      const left: (() => Promise<void>)[] = []
      const afterAnswer: AfterAnswer = (work) => left.push(work)
      const context = { request_id: requestId, time_limit_in_ms, afterAnswer }
      const reply = await handler(event, context)
      const acceptEncoding = String(request.headers['accept-encoding'] ?? '')
      const packed = await compressReply(reply, acceptEncoding)
      send(response, packed, state.isStopping || !isWhole)
      for (const work of left) state.afterAnswers.add(work)
      if (reply.statusCode < 400) kind = kindOf(request)
    } finally {
      leave(kind)
    }
  }
}

/** Turns a request away; all of a second leave one line. */
function shed(
  request: IncomingMessage,
  response: ServerResponse,
  { state, isLast }: { state: ServerState; isLast: boolean },
): void {
  turnAway(response, isLast || state.isStopping)
  settle(request, state)
  state.sampled.write(SHED)
}

/** Notes that nothing more is done for a request that the function never saw. */
function settle({ socket }: IncomingMessage, { connections, unanswered }: ServerState): void {
  if (!unanswered.has(socket)) connections.answered(socket)
}

const { status, code } = new Problem('server-busy')
const SHED = { event: 'request', level: 'warn', transport: 'web', status, code } as const

/** Hands requests to `answer`, and refuses what is none. */
function takeRequests(state: ServerState, answer: Answer): void {
  const { server, log, admission, connections, unanswered } = state
  const refusal = { log, isUnanswered: (socket: Duplex) => unanswered.has(socket) }
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    // HTTP/0.9 has no headers; Node's parser takes it.
    if (request.httpVersionMajor < 1) refuse(request.socket, undefined, refusal)
    else if (state.answerFirst(request, response)) settle(request, state)
    // Before its body is read, or anything made of it.
    else if (!admission.hasRoom()) shed(request, response, { state, isLast: !isDrainable(request) })
    // It fails when the client is gone, or the parser gave up on it and said so.
    else answer(request, response).catch(() => request.destroy())
  }
  server.on('request', onRequest)
  server.on('checkContinue', (request, response) => {
    if (admission.hasRoom() && !announcesTooMuch(request)) response.writeContinue()
    onRequest(request, response)
  })
  server.on('upgrade', (_request, socket) => refuse(socket, undefined, refusal))
  server.on('connect', (_request, socket) => refuse(socket, undefined, refusal))
  server.on('clientError', (error, socket) => refuse(socket, error, refusal))
  server.on('connection', connections.add)
}

/** See `WebServer.stop`. */
async function stop(state: ServerState): Promise<number> {
  const { server } = state
  state.isStopping = true
  const closed = new Promise((resolve) => server.close(resolve))
  // Node takes a connection that never said anything for one with a request under way.
  for (const socket of state.connections.sockets()) if (socket.bytesRead === 0) socket.destroy()
  let cut = 0
  let giveUp: () => void = () => {}
  const isOver = new Promise<void>((resolve) => {
    giveUp = resolve
  })
  const timer = setTimeout(() => {
    const { inside, waiting } = state.admission.load()
    cut = inside + waiting
    server.closeAllConnections()
    giveUp()
  }, state.limits.stopWithinMs)
  await closed
  // Only that no statement is cut off; each stands for itself, and may be.
  await Promise.race([state.afterAnswers.end(), isOver])
  clearTimeout(timer)
  state.sampled.flush()
  return cut
}

function count(counts: Map<Duplex, number>, socket: Duplex, change: 1 | -1): void {
  const next = (counts.get(socket) ?? 0) + change
  if (next > 0) counts.set(socket, next)
  else counts.delete(socket)
}
