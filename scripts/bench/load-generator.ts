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
  const sockets = Array.from({ length: connections }, () =>
    connect({ port, host: '127.0.0.1', noDelay: true }),
  )
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const startedAt = performance.now()
    const endsAt = startedAt + durationMs
    const counter: Counter = { sent: 0, answered: 0, refused: 0, answeredBytes: 0 }
    await Promise.all(sockets.map((socket) => keepAsking(socket, options, endsAt, counter)))
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

/** One connection, until the time is up. */
function keepAsking(
  socket: Socket,
  { requests, status }: LoadOptions,
  endsAt: number,
  counter: Counter,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const expected = `HTTP/1.1 ${status} `
    let pending: Buffer = Buffer.alloc(0)
    const ask = (): void => {
      const request = requests[counter.sent++ % requests.length]
      if (request) socket.write(request)
    }
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the measured server closed a connection')))
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      const end = endOfAnswer(pending)
      if (end === undefined) return
      const beginning = pending.subarray(0, 24).toString('latin1')
      if (beginning.startsWith(expected)) {
        counter.answered++
        counter.answeredBytes += end
      } else if (beginning.startsWith(TOO_BUSY)) {
        counter.refused++
      } else {
        reject(new Error(`not ${status}: ${pending.subarray(0, 600).toString('utf8')}`))
        return
      }
      pending = pending.subarray(end)
      if (performance.now() < endsAt) ask()
      else resolve()
    })
    ask()
  })
}

/** Where an answer with a content-length ends; undefined while it is incomplete. */
function endOfAnswer(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.subarray(0, headEnd).toString('latin1')
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without content-length: ${head}`)
  const end = headEnd + 4 + Number(length)
  return bytes.length >= end ? end : undefined
}
