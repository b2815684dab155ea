/**
 * Requests for the PlanetScale driver over node:https. Node's own `fetch` costs 23 ms on first use; this
 * keeps connections alive, has one deadline for everything, and says whether a failed request can have
 * reached the server. No redirects, no compression. Certificates are checked against Node's own roots:
 * on Node 20 a `ca` list of one's own costs the same 20 ms at the first connection, so none is pinned.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Far above any page of ratings; a larger answer is not one of ours. */
const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024

/**
 * A connection idle for longer, by the wall clock, is not used again: the function instance may have
 * been frozen meanwhile, and a network that dropped the connection silently would cost a whole deadline.
 */
const IDLE_LIMIT_MS = 10_000

/** No function runs longer, and a timer takes no endless wait. */
const LONGEST_DEADLINE_MS = 900_000

/** An encrypted "I close" from the server, which is no byte of an answer. */
const TLS_CLOSE_ALERT_BYTES = 31

/** A failed exchange. Carries no text of anybody else. */
export class ExchangeError extends Error {
  readonly failure: 'unreachable' | 'timeout' | 'bad-answer'
  /** True when the server may have received the request. */
  readonly sent: boolean
  /** True when a kept-alive connection turned out closed before any byte of an answer came. */
  readonly stale: boolean

  constructor(failure: 'unreachable' | 'timeout' | 'bad-answer', sent: boolean, stale = false) {
    super(`no usable answer: ${failure}`)
    this.name = 'ExchangeError'
    this.failure = failure
    this.sent = sent
    this.stale = stale
  }
}

/** An answer, read to its end. */
export interface HttpsAnswer {
  status: number
  body: string
}

/** A request. */
export interface HttpsPost {
  headers: Record<string, string>
  body: string
  /** Milliseconds for everything, the whole answer included. */
  deadlineMs: number
  /** Whether the request may be sent a second time when a kept-alive connection was stale. */
  retryStale: boolean
}

/** POST over kept connections. */
export interface HttpsClient {
  /** @throws {ExchangeError} */
  post(url: string, post: HttpsPost): Promise<HttpsAnswer>
  close(): void
}

/** What a client needs of the machine, and an authority (PEM) to trust in place of Node's roots. */
export interface HttpsClientOptions {
  /** Milliseconds by the wall clock. */
  now: () => number
  /** Milliseconds on a clock nobody sets. */
  steadyMs: () => number
  ca?: string | undefined
}

/** `secure` false is plain http, which the caller allows for loopback only. */
export function openHttpsClient(
  secure: boolean,
  { now, steadyMs, ca }: HttpsClientOptions,
): HttpsClient {
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
    : new HttpAgent({ keepAlive: true })
  let lastUsedAtMs = 0

  const dropIdleConnections = (): void => {
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }
  const once = (url: string, post: HttpsPost, endsAtMs: number): Promise<HttpsAnswer> => {
    const headers = { ...post.headers, 'Content-Length': String(Buffer.byteLength(post.body)) }
    const start = secure ? httpsRequest : httpRequest
    const exchange = exchangeOver(
      () => start(url, { method: 'POST', headers, agent }),
      post.body,
      endsAtMs - steadyMs(),
      secure,
    )
    return exchange.finally(() => {
      lastUsedAtMs = now()
    })
  }

  return {
    async post(url, post) {
      const endsAtMs = steadyMs() + Math.min(post.deadlineMs, LONGEST_DEADLINE_MS)
      if (Math.abs(now() - lastUsedAtMs) > IDLE_LIMIT_MS) dropIdleConnections()
      try {
        return await once(url, post, endsAtMs)
      } catch (error) {
        if (!(error instanceof ExchangeError && error.stale && post.retryStale)) throw error
        // Its neighbours are as old: the second try gets a fresh connection.
        dropIdleConnections()
        return once(url, post, endsAtMs)
      }
    },
    close: () => agent.destroy(),
  }
}

function exchangeOver(
  start: () => ClientRequest,
  body: string,
  leftMs: number,
  secure: boolean,
): Promise<HttpsAnswer> {
  if (!(leftMs > 0)) return Promise.reject(new ExchangeError('timeout', false))
  return new Promise((resolve, reject) => {
    let sent = false
    let bytesReadBefore = 0
    const request = start()
    const fail = (error: ExchangeError): void => {
      clearTimeout(timer)
      reject(error)
      request.destroy()
    }
    const timer = setTimeout(() => fail(new ExchangeError('timeout', sent)), leftMs)
    request.on('socket', (socket) => {
      bytesReadBefore = socket.bytesRead
      if (request.reusedSocket) sent = true
      else socket.once(secure ? 'secureConnect' : 'connect', () => (sent = true))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      const answerBytes = (request.socket?.bytesRead ?? 0) - bytesReadBefore
      const silent = answerBytes <= (secure ? TLS_CLOSE_ALERT_BYTES : 0)
      const reset = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      fail(new ExchangeError('unreachable', sent, request.reusedSocket && reset && silent))
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > ANSWER_LIMIT_BYTES) fail(new ExchangeError('bad-answer', true))
      })
      response.on('error', () => fail(new ExchangeError('unreachable', true)))
      response.on('end', () => {
        clearTimeout(timer)
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8'),
        })
      })
    })
    request.end(body)
  })
}
