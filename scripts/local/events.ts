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
  'function-url-observed',
  'apigw',
  'cloudbase',
] as const

export type EventProfile = (typeof eventProfiles)[number]

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
    case 'function-url-observed':
      return {
        body: body.text ?? '',
        headers: { ...withClientHeaders(request), 'x-real-ip': '11.163.17.81' },
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

/**
 * What the client of a function's answer sees. An answer without `statusCode` becomes 200 with
 * its JSON; array headers are repeated headers.
 */
export function toAnswer(reply: unknown): ClientReply {
  if (typeof reply !== 'object' || reply === null || !('statusCode' in reply)) {
    const body = Buffer.from(JSON.stringify(reply) ?? 'null')
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }
  const { statusCode, headers, body, isBase64Encoded } = reply as Record<string, unknown>
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
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

/** The platform appends the client and two hops of its own to what the client wrote. */
function withClientHeaders({ headers, clientIp }: ClientRequest): Record<string, string> {
  const forwarded = headers['x-forwarded-for']
  const chain = `${clientIp}, 11.163.17.81, 10.132.167.112`
  return {
    'x-scf-remote-addr': clientIp,
    ...headers,
    'x-forwarded-for': forwarded === undefined ? chain : `${forwarded}, ${chain}`,
  }
}
