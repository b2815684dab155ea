/** One HTTP call to a public address of the probe, redirects not followed, however odd its answer. */
import { once } from 'node:events'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'

export interface PublicAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** From the first byte sent to the last received, connecting included. */
  durationMs: number
}

export type CallPublic = (
  url: URL,
  options?: { method?: string; headers?: Record<string, string> },
) => Promise<PublicAnswer>

const DEADLINE_MS = 30_000

/** @param endpoint for tests: the loopback address that plays every host, as TENCENTCLOUD_API_ENDPOINT does for the API */
export function publicCaller(endpoint: string | undefined): CallPublic {
  return async (url, { method = 'GET', headers = {} } = {}) => {
    const startedAt = performance.now()
    const common = {
      method,
      path: `${url.pathname}${url.search}`,
      agent: false,
      signal: AbortSignal.timeout(DEADLINE_MS),
    } as const
    const target = endpoint ? new URL(endpoint) : url
    const { request: send } = target.protocol === 'https:' ? https : http
    const request = send({
      ...common,
      host: target.hostname,
      port: target.port || undefined,
      headers: { host: url.host, ...headers },
    })
    request.on('error', () => undefined)
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: await text(response),
      durationMs: performance.now() - startedAt,
    }
  }
}
