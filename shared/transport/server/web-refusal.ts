/** What the server itself says: to something that is no request it can hand on, and to a request too many. */

import { randomUUID } from 'node:crypto'
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../../ports.ts'
import { Problem, type ProblemCode } from '../../problem.ts'
import { writeProblem } from '../http-event.ts'

/** What a refusal on a raw socket says. */
export interface RefusalOptions {
  log: Logger
  /** Whether the function works on an earlier request of this connection. */
  isUnanswered: (socket: Duplex) => boolean
}

const PARSER_CODES: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}
/** So long the rest of what the client sends is read, or it might never see the answer. */
const LINGER_MS = 500

const refused = new WeakSet<Duplex>()

/**
 * Refuses what came over a connection. `error` is the parser's; without one it was well-formed and asks
 * for something not offered (CONNECT, or another protocol).
 */
export function refuse(
  socket: Duplex,
  error: NodeJS.ErrnoException | undefined,
  { log, isUnanswered }: RefusalOptions,
): void {
  if (refused.has(socket)) return
  refused.add(socket)
  // Node takes its own listener off; without one a reset would end the process.
  socket.on('error', () => {})
  const hasSaidNothing = 'bytesRead' in socket && socket.bytesRead === 0
  // An answer written now would be taken for the answer to the earlier request.
  if (!socket.writable || hasSaidNothing || error?.code === 'ECONNRESET' || isUnanswered(socket)) {
    socket.destroy()
    return
  }
  const problem = new Problem(PARSER_CODES[error?.code ?? ''] ?? 'malformed-request')
  const requestId = randomUUID()
  const { status, code } = problem
  log.write({ event: 'refused', level: 'info', transport: 'web', requestId, status, code })
  const { headers, body } = writeProblem({ httpMethod: '' }, problem, {
    requestId,
    allowedOrigins: [],
  })
  const length = String(Buffer.byteLength(body))
  const lines = Object.entries({ ...headers, 'content-length': length, connection: 'close' })
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...lines.map(([name, value]) => `${name}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  )
  socket.resume()
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

const RETRY_AFTER_SECONDS = 1
/** Stands for the id of a request, and is none. */
const NO_ID = '#'

/** Made once: a server turns requests away when it has least time. */
const busy = writeProblem(
  { httpMethod: '' },
  new Problem('server-busy', { retryAfterSeconds: RETRY_AFTER_SECONDS }),
  { requestId: NO_ID, allowedOrigins: [] },
)
const [BUSY_START = '', BUSY_END = ''] = busy.body.split(NO_ID)
const BUSY_HEADERS = Object.entries({
  ...busy.headers,
  'content-length': `${Buffer.byteLength(BUSY_START + BUSY_END) + randomUUID().length}`,
})
  .filter(([name]) => name !== 'x-request-id')
  .flat()

/** Tells a client to come back in a second; the last answer on its connection when `isLast`. */
export function turnAway(response: ServerResponse, isLast: boolean): void {
  const requestId = randomUUID()
  const headers = [...BUSY_HEADERS, 'x-request-id', requestId]
  if (isLast) headers.push('connection', 'close')
  response.writeHead(busy.statusCode, headers)
  response.end(BUSY_START + requestId + BUSY_END)
}
