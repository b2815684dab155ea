/**
 * A request of node:http ⇄ the event and reply of `http-event.ts`. What a client wrote is kept
 * apart from what a proxy in front of the server wrote.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { BODY_MAX_BYTES } from '../body.ts'
import { forwardedAddress, type HttpEvent, type HttpReply } from '../http-event.ts'
import type { Peer } from './connections.ts'

/** A request as node:http received it. */
export interface ReceivedRequest {
  event: HttpEvent & { headers: Record<string, unknown> }
  /** The platform's id of the request; absent on other hosts. */
  requestId: string | undefined
  /** Milliseconds the platform gives the request, 3000 at least; absent on other hosts. */
  timeoutMs: number | undefined
}

/** The event for a request. */
export function receive(
  request: IncomingMessage,
  body: Buffer | 'too-large',
  { address, isProxy }: Peer,
): ReceivedRequest {
  const { path, queryString } = readTarget(request.url ?? '/')
  // Anyone can write these, and on the platform some carry credentials:
  // https://cloud.tencent.com/document/product/583/56124
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !name.startsWith('x-scf-')),
  )
  // A proxy that does not say for whom it asks, or a client on its network, counts as one.
  const isSource =
    address !== undefined && !(isProxy && forwardedAddress(forwardedForOf(request)) !== undefined)
  return {
    event: {
      httpMethod: request.method ?? 'GET',
      path,
      queryString,
      headers,
      ...bodyOf(body),
      ...(isSource ? { requestContext: { sourceIp: address } } : {}),
    },
    requestId: isProxy ? match(request, 'x-scf-request-id', /^[A-Za-z0-9-]{1,64}$/) : undefined,
    timeoutMs: isProxy ? timeout(match(request, 'x-scf-timeout', /^[0-9]{1,3}$/)) : undefined,
  }
}

/** Beyond this a body is not even drained: the connection is closed on it. */
const DRAIN_MAX_BYTES = 256 * 1024

/** Whether a request announces more than will be read. */
export function announcesTooMuch({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > DRAIN_MAX_BYTES
}

/**
 * Whether what is left of a request can be read for nothing, so that its connection may be used again. Looks at the raw
 * headers: to make an object of them costs as much as the rest of turning a request away.
 */
export function isDrainable({ rawHeaders }: IncomingMessage): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length !== 6 && name.length !== 14 && name.length !== 17) continue
    const lowerName = name.toLowerCase()
    if (lowerName === 'expect' || lowerName === 'transfer-encoding') return false
    if (lowerName === 'content-length' && Number(rawHeaders[index + 1]) > DRAIN_MAX_BYTES)
      return false
  }
  return true
}

/** What requests of a kind have in common: method and the first two segments of the path, `GET /login/devices`. */
export function kindOf({ method, url = '' }: IncomingMessage): string {
  return `${method} ${/^(?:\/[^/?]*){0,2}/.exec(url)?.[0]}`
}

/**
 * Reads a body, holding no more of it than an endpoint accepts. `isWhole` is false when the rest was left unread,
 * so that the connection cannot be used again. Rejects when the request breaks off.
 */
export function readBytes(
  request: IncomingMessage,
): Promise<{ body: Buffer | 'too-large'; isWhole: boolean }> {
  if (announcesTooMuch(request)) return Promise.resolve({ body: 'too-large', isWhole: false })
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= BODY_MAX_BYTES) chunks.push(chunk)
      else chunks.length = 0
      if (size <= DRAIN_MAX_BYTES) return
      request.off('data', onData)
      request.pause()
      resolve({ body: 'too-large', isWhole: false })
    }
    request.on('data', onData)
    request.once('end', () => {
      const body = size > BODY_MAX_BYTES ? 'too-large' : Buffer.concat(chunks)
      resolve({ body, isWhole: true })
    })
    request.once('error', reject)
    request.once('close', () => reject(new Error('the request broke off')))
  })
}

/** Sends a reply; the last one on its connection when `isLast`. */
export function send(response: ServerResponse, reply: HttpReply, isLast: boolean): void {
  const { statusCode, headers, body, isBase64Encoded } = reply
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  const hasBody = statusCode !== 204 && statusCode !== 304
  response.writeHead(statusCode, {
    ...headers,
    ...(hasBody ? { 'content-length': bytes.length } : {}),
    ...(isLast ? { connection: 'close' } : {}),
  })
  response.end(hasBody ? bytes : undefined)
}

/** More than any endpoint accepts: the endpoint itself says 413, or 401, or 404, as for an event. */
const TOO_LARGE = ' '.repeat(BODY_MAX_BYTES + 1)

function bodyOf(body: Buffer | 'too-large'): Pick<HttpEvent, 'body' | 'isBase64Encoded'> {
  if (body === 'too-large') return { body: TOO_LARGE }
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) }
  } catch {
    return { body: body.toString('base64'), isBase64Encoded: true }
  }
}

/** `/path?query`, or the absolute form that a proxy may send. Nothing is decoded or normalised. */
function readTarget(target: string): { path: string; queryString: string } {
  const relative = target.replace(/^https?:\/\/[^/?]*/i, '')
  const at = relative.indexOf('?')
  const path = at < 0 ? relative : relative.slice(0, at)
  return { path: path === '' ? '/' : path, queryString: at < 0 ? '' : relative.slice(at + 1) }
}

function forwardedForOf({ headers }: IncomingMessage): string | undefined {
  const value = headers['x-forwarded-for']
  return typeof value === 'string' ? value : undefined
}

function match({ headers }: IncomingMessage, name: string, pattern: RegExp): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && pattern.test(value) ? value : undefined
}

/** Where the platform does not write the header a client can, so it never takes much time away. */
const TIMEOUT_MIN_MS = 3000

function timeout(seconds: string | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.max(Number(seconds) * 1000, TIMEOUT_MIN_MS)
}
