/**
 * Serves what the public would reach: a request whose Host is a Function URL or a custom domain becomes the event of
 * cloud.tencent.com/document/product/583/96099 and the function's result becomes the answer; a Web function gets the request
 * itself.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { type Domain, endpointFor } from './custom-domains.ts'
import type { Run } from './run-code.ts'
import { type Runnable, runnable } from './runnable.ts'
import type { StoredFunction } from './stored-function.ts'
import { urlOf } from './triggers.ts'

export interface Public {
  functions: () => StoredFunction[]
  domain: (name: string) => Domain | undefined
  invoke: (stored: Runnable, event: unknown) => Promise<Run>
  /** Passes the request on to a process of a Web function, and its answer back. */
  forward: (
    stored: Runnable,
    request: { method: string; url: string; headers: IncomingHttpHeaders; body: Buffer },
    response: ServerResponse,
  ) => Promise<void>
}

interface Shaped {
  statusCode?: number
  headers?: Record<string, string | string[]>
  body?: string
  isBase64Encoded?: boolean
}

/** What the alias of the trigger, or of the route, leads to at this call. */
function functionFor(cloud: Public, host: string, path: string) {
  const stored = storedFor(cloud, host, path)
  if (!stored) return undefined
  const trigger = stored.triggers.find((each) => urlOf(each) === `https://${host}`)
  const found = runnable(stored, trigger?.qualifier ?? '$DEFAULT')
  stored.alias.calls += 1
  const isCompatible = trigger ? JSON.parse(trigger.description).ApiGwCompatible === true : true
  return { found, isCompatible }
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
  const called = functionFor(cloud, request.headers.host ?? '', url.pathname)
  if (!called) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('no such function URL')
    return
  }
  const { found: stored, isCompatible } = called
  if (stored.type === 'HTTP') {
    const { method = 'GET', headers } = request
    return cloud.forward(stored, { method, url: request.url ?? '/', headers, body }, response)
  }
  const run = await cloud.invoke(stored, {
    headers: { ...request.headers, 'x-scf-remote-addr': request.socket.remoteAddress },
    httpMethod: request.method,
    path: url.pathname,
    queryString: Object.fromEntries(url.searchParams),
    ...(body.length === 0 ? {} : { body: body.toString() }),
    // What an API gateway's event has besides, seen in the field.
    ...(isCompatible && {
      isBase64Encoded: false,
      requestContext: { sourceIp: request.socket.remoteAddress },
    }),
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
