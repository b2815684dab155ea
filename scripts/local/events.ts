/**
 * HTTP requests as the platform's events, and replies back. One profile for each way a request
 * can reach a function; the shapes are those of Tencent's pages and of recorded events.
 * https://cloud.tencent.com/document/product/583/96099 (function URL)
 * https://cloud.tencent.com/document/product/583/12513 (API gateway)
 * https://docs.cloudbase.net/service/access-cloud-function (CloudBase HTTP access)
 */

import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'

export const eventProfiles = [
  'function-url',
  'function-url-documented',
  'function-url-observed',
  'custom-domain',
  'apigw',
  'cloudbase',
] as const

export type EventProfile = (typeof eventProfiles)[number]

/** A hop of the platform's own, as observed. */
const PLATFORM_HOP = '11.163.17.81'
/** The domain of a request that came through one; its paths arrive unchanged. */
const CUSTOM_DOMAIN_HOST = 'api.example.com'

/** An HTTP request as received, header names in lower case. */
export interface ClientRequest {
  method: string
  /** Path and query, as in the request line. */
  url: string
  headers: Record<string, string>
  body: Buffer
  clientIp: string
}

export interface ClientReply {
  status: number
  headers: Record<string, string | string[]>
  body: Buffer
}

/** The event a function gets for a request. */
export function toEvent(request: ClientRequest, profile: EventProfile): Record<string, unknown> {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const httpMethod = request.method
  const query = toQueryString(searchParams)
  const body = toBody(request.body)
  switch (profile) {
    case 'function-url':
      return {
        ...(body.text === undefined ? {} : { body: body.text }),
        ...(body.isBase64 ? { isBase64Encoded: true } : {}),
        headers: withClientHeaders(request),
        httpMethod,
        path: pathname,
        queryString: query,
      }
    // To the letter: no address of the client but the one that a client can write itself, and no base64.
    case 'function-url-documented':
      return {
        ...(body.text === undefined ? {} : { body: request.body.toString('utf8') }),
        headers: { 'x-scf-remote-addr': request.clientIp, ...request.headers },
        httpMethod,
        path: pathname,
        queryString: query,
      }
    case 'custom-domain':
      return {
        ...(body.text === undefined ? {} : { body: body.text }),
        headers: {
          ...withForwardedFor(request),
          host: CUSTOM_DOMAIN_HOST,
          'x-real-ip': PLATFORM_HOP,
        },
        httpMethod,
        path: pathname,
        queryString: query,
        isBase64Encoded: body.isBase64,
        requestContext: { sourceIp: request.clientIp },
      }
    case 'function-url-observed':
      return {
        body: body.text ?? '',
        headers: { ...withClientHeaders(request), 'x-real-ip': PLATFORM_HOP },
        httpMethod,
        path: pathname,
        queryString: query,
        isBase64Encoded: body.isBase64,
        requestContext: { sourceIp: request.clientIp },
      }
    case 'apigw':
      return {
        requestContext: {
          serviceId: 'service-local',
          path: pathname,
          httpMethod: 'ANY',
          identity: {},
          sourceIp: request.clientIp,
          stage: 'release',
        },
        headers: { ...request.headers, 'endpoint-timeout': '15', 'x-qualifier': '$LATEST' },
        ...(body.text === undefined ? {} : { body: body.text }),
        ...(body.isBase64 ? { isBase64Encoded: true } : {}),
        pathParameters: {},
        queryStringParameters: {},
        headerParameters: {},
        path: pathname,
        queryString: query,
        httpMethod,
      }
    case 'cloudbase':
      return {
        path: pathname,
        httpMethod,
        headers: withClientHeaders(request),
        queryStringParameters: query,
        requestContext: { requestId: randomUUID(), envId: 'env-local', appId: 1, uin: 1 },
        isBase64Encoded: body.isBase64,
        body: body.text ?? '',
      }
  }
}

/** What is wrong with the shape of a handler's reply to an HTTP event, in words; undefined when nothing is. */
export function shapeFaultOf(reply: unknown): string | undefined {
  if (reply === null || reply === undefined) return 'it returned nothing'
  if (typeof reply !== 'object') return undefined
  const { statusCode, headers = {}, body = '', isBase64Encoded = false } = reply as ShapedReply
  if (statusCode === undefined)
    return 'status' in reply || 'headers' in reply ? 'statusCode is missing' : undefined
  if (!Number.isInteger(statusCode) || Number(statusCode) < 200 || Number(statusCode) > 599)
    return `statusCode should be a number from 200 to 599, not ${JSON.stringify(statusCode)}`
  const isMap = typeof headers === 'object' && headers !== null && !Array.isArray(headers)
  const isHeader = (each: unknown): boolean => [each].flat().every((one) => typeof one === 'string')
  const wrong = isMap ? Object.entries(headers).find(([, each]) => !isHeader(each)) : ['']
  if (wrong) return `headers should hold texts or lists of texts${wrong[0] && `: ${wrong[0]}`}`
  if (typeof body !== 'string') return 'body should be a text: JSON.stringify it'
  return typeof isBase64Encoded === 'boolean' ? undefined : 'isBase64Encoded should be a boolean'
}

interface ShapedReply {
  statusCode?: unknown
  headers?: unknown
  body?: unknown
  isBase64Encoded?: unknown
}

/**
 * What the client of a function's answer sees. An answer without `statusCode` becomes 200 with
 * its JSON; array headers are repeated headers; a shape that the platform refuses is refused.
 */
export function toAnswer(reply: unknown): ClientReply {
  if (typeof reply !== 'object' || reply === null || !('statusCode' in reply)) {
    const body = Buffer.from(JSON.stringify(reply) ?? 'null')
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }
  if (shapeFaultOf(reply) !== undefined) {
    // https://cloud.tencent.com/document/product/583/12513
    const error = 'Invalid scf response format. please check your scf response format.'
    const body = Buffer.from(JSON.stringify({ errno: 403, error }))
    return { status: 502, headers: { 'content-type': 'application/json' }, body }
  }
  const { statusCode, headers, body, isBase64Encoded } = reply as Record<string, unknown>
  const text = typeof body === 'string' ? body : ''
  return {
    status: Number(statusCode),
    headers: (headers ?? {}) as Record<string, string | string[]>,
    body: Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8'),
  }
}

/** A repeated parameter is an array, one without `=` is `true`. */
function toQueryString(search: URLSearchParams): Record<string, unknown> {
  const query: Record<string, unknown> = {}
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name)
    query[name] = values.length > 1 ? values : values[0] === '' ? true : values[0]
  }
  return query
}

/** Bodies that are no text can only travel as base64. */
function toBody(body: Buffer): { text: string | undefined; isBase64: boolean } {
  if (body.length === 0) return { text: undefined, isBase64: false }
  if (isUtf8(body)) return { text: body.toString('utf8'), isBase64: false }
  return { text: body.toString('base64'), isBase64: true }
}

function withClientHeaders(request: ClientRequest): Record<string, string> {
  return { 'x-scf-remote-addr': request.clientIp, ...withForwardedFor(request) }
}

/** The platform appends the client and two hops of its own to what the client wrote. */
export function withForwardedFor({
  headers,
  clientIp,
}: Pick<ClientRequest, 'headers' | 'clientIp'>): Record<string, string> {
  const forwarded = headers['x-forwarded-for']
  const chain = `${clientIp}, ${PLATFORM_HOP}, 10.132.167.112`
  return {
    ...headers,
    'x-forwarded-for': forwarded === undefined ? chain : `${forwarded}, ${chain}`,
  }
}
