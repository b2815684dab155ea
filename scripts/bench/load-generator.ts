/**
 * A closed-loop load generator: some connections, each sends the next request as soon as the last was answered.
 * It shares its core with the database, so requests are bytes made beforehand and answers are only
 * looked at as far as needed to know where they end: a client of node:http would cost as much as a server.
 */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  /** `http://127.0.0.1:port`. */
  url: string
  connections: number
  durationMs: number
  /** Whole requests, sent in turn. */
  requests: readonly Buffer[]
  /** Any other answer is an error, but for a 503: a server that is too busy says so, and is asked again. */
  status: number
}

export interface LoadResult {
  answered: number
  /** Turned away by a server that was too busy; not among the answered. */
  refused: number
  /** Of all that were answered, heads included. */
  answeredBytes: number
  /** From the first request to the last answer. */
  elapsedMs: number
}

const TOO_BUSY = 'HTTP/1.1 503 '

/** A request as bytes. */
export function requestBytes(route: string, body: unknown, token: string): Buffer {
  const [method = '', path = ''] = route.split(' ')
  const content = Buffer.from(JSON.stringify(body))
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${content.length}`,
    `authorization: JWT ${token}`,
    '\r\n',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), content])
}

/** @throws {Error} on the first answer of another status, or a connection that breaks */
export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, durationMs } = options
  const port = Number(new URL(url).port)
  const open = (): Socket => connect({ port, host: '127.0.0.1', noDelay: true })
  const sockets = Array.from({ length: connections }, open)
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const startedAt = performance.now()
    const endsAt = startedAt + durationMs
    const counter: Counter = { sent: 0, answered: 0, refused: 0, answeredBytes: 0 }
    const reopen = (index: number): Socket => {
      sockets[index] = open()
      return sockets[index]
    }
    await Promise.all(
      sockets.map((socket, index) =>
        keepAsking(socket, () => reopen(index), options, { endsAt, counter }),
      ),
    )
    const { answered, refused, answeredBytes } = counter
    if (answered === 0) throw new Error('the measured server turned everybody away')
    return { answered, refused, answeredBytes, elapsedMs: performance.now() - startedAt }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

/** Of all connections together. */
interface Counter extends Omit<LoadResult, 'elapsedMs'> {
  sent: number
}

/** One client, until the time is up; it connects anew where a server says that it closes, as Flask's does each time. */
function keepAsking(
  first: Socket,
  reopen: () => Socket,
  { requests, status }: LoadOptions,
  { endsAt, counter }: { endsAt: number; counter: Counter },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const expected = `HTTP/1.1 ${status} `
    const ask = (socket: Socket): void => {
      const request = requests[counter.sent++ % requests.length]
      if (request) socket.write(request)
    }
    const listen = (socket: Socket): void => {
      let pending: Buffer = Buffer.alloc(0)
      let isClosing = false
      socket.on('error', reject)
      socket.on('close', () => {
        if (!isClosing) reject(new Error('the measured server closed a connection'))
      })
      socket.on('data', (chunk: Buffer) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        const answer = readAnswer(pending)
        if (!answer) return
        if (answer.head.startsWith(expected)) {
          counter.answered++
          counter.answeredBytes += answer.end
        } else if (answer.head.startsWith(TOO_BUSY)) {
          counter.refused++
        } else {
          reject(new Error(`not ${status}: ${pending.subarray(0, 600).toString('utf8')}`))
          return
        }
        pending = pending.subarray(answer.end)
        isClosing = answer.isLast
        if (isClosing) socket.destroy()
        if (performance.now() >= endsAt) resolve()
        else if (isClosing) listen(reopen())
        else ask(socket)
      })
      ask(socket)
    }
    listen(first)
  })
}

/** An answer with a content-length; undefined while it is incomplete. */
function readAnswer(bytes: Buffer): { head: string; end: number; isLast: boolean } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.subarray(0, headEnd).toString('latin1')
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without content-length: ${head}`)
  const end = headEnd + 4 + Number(length)
  if (bytes.length < end) return undefined
  return { head, end, isLast: /\r\nconnection: *close/i.test(head) }
}
