/**
 * The local gateway: node:http on loopback, one function process per function, requests routed by
 * method and path the way the deployed functions declare them.
 */

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Problem } from '../../shared/problem.ts'
import { listen } from '../../shared/transport/server/listen.ts'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../simulators/from-this-machine.ts'
import { readWholeBody } from '../simulators/request-body.ts'
import {
  type ClientReply,
  type ClientRequest,
  type EventProfile,
  toAnswer,
  toEvent,
} from './events.ts'
import type { InvocationResult } from './function-process.ts'
import { PAYLOAD_MAX_BYTES } from './platform.ts'

export interface GatewayOptions {
  /** 0 chooses a free port. */
  port: number
  profile: EventProfile
  /** The function for a request, like the routes of a custom domain. */
  route: (path: string) => LocalTarget | undefined
  /** Asked before any function. */
  pages?: readonly LocalPage[]
  /** Told of every request that a function answered. */
  onAnswered?: (answered: Answered) => void
}

/** Something to look at with a browser, which no deployment has. */
export interface LocalPage {
  /** `undefined` leaves the request to the functions. */
  answer(request: ClientRequest): Promise<ClientReply | undefined>
}

/** A request to a function, and what its client was answered. */
export interface Answered {
  request: ClientRequest
  reply: ClientReply
  /** The function's own id for it, as in its log lines. */
  requestId: string
  durationMs: number
}

/** Whatever runs a function. */
export interface LocalTarget {
  /** A `web` function is invoked with the ClientRequest itself, and its result is a ClientReply. */
  type?: 'event' | 'web'
  invoke(event: unknown): Promise<InvocationResult>
}

export interface Gateway {
  url: string
  close(): Promise<void>
}

/** More than an event may hold, so that the platform's own 406 is seen. */
const GATEWAY_BODY_MAX_BYTES = 2 * PAYLOAD_MAX_BYTES

/** Starts the gateway on 127.0.0.1. @throws {Error} when the port is taken, saying which */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000 },
    (request, response) => {
      handle(request, options)
        .catch(() => plain(400, 'this request cannot be read'))
        .then((reply) => write(response, isTerminal(request) ? withNewline(reply) : reply))
    },
  )
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 426 Upgrade Required\r\n\r\n'))
  const { url } = await listen(server, { port: options.port, setting: 'PORT' })
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function handle(
  request: IncomingMessage,
  { profile, route, pages = [], onAnswered }: GatewayOptions,
): Promise<ClientReply> {
  if (!isFromThisMachine(request.headers)) return plain(403, NOT_FROM_THIS_MACHINE)
  const received = await receive(request)
  if (received === undefined) return plain(413, 'the request is larger than the platform accepts')
  const { pathname } = new URL(received.url, 'http://localhost')
  for (const page of pages) {
    const reply = await page.answer(received)
    if (reply) return reply
  }
  const target = route(pathname)
  if (!target) return noFunction()
  const isWeb = target.type === 'web'
  const invocation = await target.invoke(isWeb ? received : toEvent(received, profile))
  let reply: ClientReply
  if (!invocation.ok) reply = failed(invocation.error)
  else reply = isWeb ? (invocation.result as ClientReply) : toAnswer(invocation.result)
  const { requestId, durationMs } = invocation
  onAnswered?.({ request: received, reply, requestId, durationMs })
  return reply
}

async function receive(request: IncomingMessage): Promise<ClientRequest | undefined> {
  const body = await readWholeBody(request, GATEWAY_BODY_MAX_BYTES)
  if (body === undefined) return undefined
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
    clientIp: (request.socket.remoteAddress ?? '127.0.0.1').replace('::ffff:', ''),
  }
}

/** A prompt behind an answer reads badly, in a terminal only: everybody else gets the bytes that the platform would send. */
function isTerminal({ headers, method }: IncomingMessage): boolean {
  return method !== 'HEAD' && /^(curl|Wget|HTTPie|xh)\//.test(headers['user-agent'] ?? '')
}

function withNewline(reply: ClientReply): ClientReply {
  const { headers, body } = reply
  const isText = /json|text/.test(String(headers['content-type'] ?? headers['Content-Type']))
  const isPlain = !Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding')
  if (!isText || !isPlain || body.length === 0 || body.at(-1) === 0x0a) return reply
  return { ...reply, body: Buffer.concat([body, Buffer.from('\n')]) }
}

function write(response: ServerResponse, { status, headers, body }: ClientReply): void {
  response.writeHead(status, { ...headers, 'content-length': body.length })
  response.end(body)
}

function plain(status: number, sentence: string): ClientReply {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from(`${sentence}\n`),
  }
}

function failed(error: object): ClientReply {
  return {
    status: 502,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(error)),
  }
}

/** What a function answers to a path that it does not know. */
function noFunction(): ClientReply {
  const message = 'No function answers this path: see paths in serverless.yml.'
  const problem = new Problem('not-found', { message })
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
    body: Buffer.from(`${JSON.stringify(problem.toBody(randomUUID()))}\n`),
  }
}
