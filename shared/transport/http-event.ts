/**
 * HTTP events of the platform ⇄ Call and Outcome: function URL, API gateway, CloudBase HTTP access
 * and custom domains. The only file that knows these shapes.
 * https://cloud.tencent.com/document/product/583/96099 (function URL)
 * https://cloud.tencent.com/document/product/583/12513 (API gateway)
 * https://docs.cloudbase.net/service/access-cloud-function (CloudBase)
 */

import { isIP } from 'node:net'
import type { Call, ClientAddress, Outcome } from '../call.ts'
import { networkOf } from '../network-addresses.ts'
import type { Problem } from '../problem.ts'
import { readBody } from './body.ts'

/** What the platform sends; nothing in it is certain. */
export interface HttpEvent {
  httpMethod: string
  path?: unknown
  headers?: unknown
  queryString?: unknown
  queryStringParameters?: unknown
  body?: unknown
  isBase64Encoded?: unknown
  requestContext?: unknown
}

/** The reply all three kinds of HTTP trigger accept. */
export interface HttpReply {
  isBase64Encoded: boolean
  statusCode: number
  headers: Record<string, string>
  body: string
}

/** What every reply carries. */
export interface ReplyOptions {
  requestId: string
  /** Exact origins that may read answers from a browser. Mini programs need none. */
  allowedOrigins: readonly string[]
}

/** The article's clients send the first. What follows is a token, good or bad; its verifier refuses all but one text. */
const AUTHORIZATION = /^(?:JWT|Bearer) (.+)$/is

/** Whether an event came over HTTP: those have a method. */
export function isHttpEvent(event: unknown): event is HttpEvent {
  return isRecord(event) && typeof event.httpMethod === 'string'
}

/** Turns an event into a call. Never throws: the body is only parsed when an endpoint asks. */
export function readHttpEvent(
  event: HttpEvent,
  { requestId, remainingMs }: { requestId: string; remainingMs: () => number },
): Call {
  const header = headerReader(event.headers)
  return {
    method: event.httpMethod.toUpperCase(),
    path: typeof event.path === 'string' ? event.path : '/',
    query: readQuery(event.queryString ?? event.queryStringParameters),
    readBody: (formKinds) =>
      readBody({
        body: event.body,
        isBase64: event.isBase64Encoded === true,
        contentType: header('content-type'),
        contentEncoding: header('content-encoding'),
        formKinds,
      }),
    token: AUTHORIZATION.exec(header('authorization') ?? '')?.[1],
    proof: header('x-session-proof'),
    idempotencyKey: header('idempotency-key'),
    clientAddress: () => readClientAddress(event.requestContext, header('x-forwarded-for')),
    requestId,
    remainingMs,
  }
}

/** The reply to a call that has an outcome. */
export function writeOutcome(event: HttpEvent, outcome: Outcome, options: ReplyOptions): HttpReply {
  const headers = commonHeaders(event, options)
  if (outcome.cache) {
    headers['cache-control'] = `public, max-age=${outcome.cache.maxAgeSeconds}`
    headers.etag = outcome.cache.etag
    if (isUnchanged(event, outcome.cache.etag)) return reply(304, headers, '')
  }
  if (outcome.body === undefined) return reply(outcome.status, headers, '')
  headers['content-type'] = 'application/json; charset=utf-8'
  return reply(outcome.status, headers, JSON.stringify(outcome.body))
}

/** The reply to a call that failed. */
export function writeProblem(event: HttpEvent, problem: Problem, options: ReplyOptions): HttpReply {
  const headers = commonHeaders(event, options)
  headers['content-type'] = 'application/problem+json'
  const { allow, retryAfterSeconds } = problem.details
  if (allow) headers.allow = allow.join(', ')
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  return reply(problem.status, headers, JSON.stringify(problem.toBody(options.requestId)))
}

/** The reply to OPTIONS: what the path offers, and the CORS answer for a configured origin. */
export function writeOptions(
  event: HttpEvent,
  methods: readonly string[],
  options: ReplyOptions,
): HttpReply {
  const headers = commonHeaders(event, options)
  headers.allow = [...methods, 'OPTIONS'].join(', ')
  if (headers['access-control-allow-origin'] !== undefined) {
    headers['access-control-allow-methods'] = headers.allow
    headers['access-control-allow-headers'] =
      'authorization, content-type, idempotency-key, x-session-proof'
    headers['access-control-max-age'] = '600'
  }
  return reply(204, headers, '')
}

function reply(statusCode: number, headers: Record<string, string>, body: string): HttpReply {
  return { isBase64Encoded: false, statusCode, headers, body }
}

function commonHeaders(
  event: HttpEvent,
  { requestId, allowedOrigins }: ReplyOptions,
): Record<string, string> {
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  }
  if (allowedOrigins.length > 0) {
    headers.vary = 'origin'
    const origin = headerReader(event.headers)('origin')
    if (origin !== undefined && allowedOrigins.includes(origin)) {
      headers['access-control-allow-origin'] = origin
    }
  }
  return headers
}

/**
 * WeChat's client does not say what it does with a 304, so it always gets the whole answer; its
 * Referer is fixed: https://developers.weixin.qq.com/miniprogram/dev/framework/ability/network.html
 */
function isUnchanged(event: HttpEvent, etag: string): boolean {
  const header = headerReader(event.headers)
  if (header('referer')?.startsWith('https://servicewechat.com/')) return false
  const known = header('if-none-match')
  // Compared weakly, as RFC 9110, 13.1.2 says: a compressed answer carries the weak form.
  return known?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag) ?? false
}

/** Header names are matched in any case; a repeated header gives its first value. */
export function headerReader(headers: unknown): (name: string) => string | undefined {
  const entries = isRecord(headers) ? Object.entries(headers) : []
  return (name) => {
    for (const [key, value] of entries) {
      if (key.length !== name.length || key.toLowerCase() !== name) continue
      const first: unknown = Array.isArray(value) ? value[0] : value
      if (typeof first === 'string') return first
    }
    return undefined
  }
}

/** Values stay as they came (string, array when repeated, `true` without a value): schemas judge them. */
function readQuery(query: unknown): Record<string, unknown> {
  if (typeof query === 'string') {
    const parameters: Record<string, unknown> = {}
    const search = new URLSearchParams(query)
    for (const name of new Set(search.keys())) {
      const values = search.getAll(name)
      parameters[name] = values.length > 1 ? values : values[0]
    }
    return parameters
  }
  return isRecord(query) ? { ...query } : {}
}

function readClientAddress(
  requestContext: unknown,
  forwardedFor: string | undefined,
): ClientAddress {
  const sourceIp = isRecord(requestContext) ? requestContext.sourceIp : undefined
  if (typeof sourceIp === 'string' && isIP(sourceIp) !== 0) {
    return { ip: sourceIp, isForwarded: false }
  }
  const ip = forwardedAddress(forwardedFor)
  return { ip, isForwarded: ip !== undefined }
}

/**
 * Without a `requestContext.sourceIp`, which the platform writes, the client is the right-most entry of
 * `x-forwarded-for` outside the platform's own ranges. Entries further left, `x-real-ip` and
 * `x-scf-remote-addr` can be written by the client; the whole chain as well, where no proxy adds to it.
 */
export function forwardedAddress(forwardedFor: string | undefined): string | undefined {
  if (forwardedFor === undefined) return undefined
  for (const entry of forwardedFor.slice(-FORWARDED_FOR_MAX_LENGTH).split(',').reverse()) {
    const address = entry.trim()
    const network = networkOf(address)
    if (network === undefined) return undefined
    // All others are proxies, never a client on the internet.
    if (network === 'public') return address
  }
  return undefined
}

/** Twenty addresses; the ones the platform appends are at the end. */
const FORWARDED_FOR_MAX_LENGTH = 800

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
