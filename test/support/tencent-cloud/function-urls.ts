/**
 * Serves what the public would reach: a request whose Host is a Function URL or a custom domain becomes the event of
 * cloud.tencent.com/document/product/583/96099 and the function's result becomes the answer. Web functions are not run.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Domain, endpointFor } from './custom-domains.ts'
import type { Run } from './run-code.ts'
import { type Runnable, runnable } from './runnable.ts'
import type { StoredFunction } from './stored-function.ts'
import { urlOf } from './triggers.ts'

export interface Public {
  functions: () => StoredFunction[]
  domain: (name: string) => Domain | undefined
  invoke: (stored: Runnable, event: unknown) => Promise<Run>
}

interface Shaped {
  statusCode?: number
  headers?: Record<string, string | string[]>
  body?: string
  isBase64Encoded?: boolean
}

/** What the alias of the trigger, or of the route, leads to at this call. */
function functionFor(cloud: Public, host: string, path: string): Runnable | undefined {
  const stored = storedFor(cloud, host, path)
  if (!stored) return undefined
  const found = runnable(stored, '$DEFAULT')
  stored.alias.calls += 1
  return found
}

function storedFor(cloud: Public, host: string, path: string): StoredFunction | undefined {
  const domain = cloud.domain(host)
  if (domain) {
    const endpoint = endpointFor(domain, path)
    return cloud
      .functions()
      .find(
        ({ name, namespace, region }) =>
          name === endpoint?.FunctionName &&
          namespace === endpoint.Namespace &&
          region === domain.region,
      )
  }
  return cloud
    .functions()
    .find(({ triggers }) => triggers.some((trigger) => urlOf(trigger) === `https://${host}`))
}

export async function servePublic(
  cloud: Public,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://function')
  const stored = functionFor(cloud, request.headers.host ?? '', url.pathname)
  if (!stored || stored.type === 'HTTP') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('no such function URL')
    return
  }
  const run = await cloud.invoke(stored, {
    headers: { ...request.headers, 'x-scf-remote-addr': request.socket.remoteAddress },
    httpMethod: request.method,
    path: url.pathname,
    queryString: Object.fromEntries(url.searchParams),
    ...(body.length === 0 ? {} : { body: body.toString() }),
  })
  if (run.value === undefined) {
    const text = JSON.stringify(run.failure)
    response.writeHead(500, { 'content-type': 'application/json' }).end(text)
    return
  }
  const value = JSON.parse(run.value) as Shaped | null
  if (typeof value?.statusCode !== 'number') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(run.value)
    return
  }
  const encoding = value.isBase64Encoded === true ? 'base64' : 'utf8'
  response.writeHead(value.statusCode, value.headers).end(Buffer.from(value.body ?? '', encoding))
}
