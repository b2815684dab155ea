/** Serves a compiled mini program on loopback, beside its functions and the WeChat that knows its people. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CompiledMiniProgram } from './compile.ts'

export interface MiniProgramOptions {
  compiled: CompiledMiniProgram
  /** Where the functions answer. */
  baseUrl: string
  /** The WeChat of whoever holds the phone: `?person=` of the page. */
  wechat: {
    loginCode(person: string): Promise<string>
    phoneCode(person: string): Promise<string>
  }
  /** What happens to a request on its way to the functions; `undefined` lets it through. */
  fault?: ((route: string) => MiniProgramFault | undefined) | undefined
}

/** `refused`: it never arrives. `lost-answer`: it is answered, and nobody hears it. */
export type MiniProgramFault =
  | 'refused'
  | 'lost-answer'
  | { status: number; headers: Record<string, string>; body: string }

export interface MiniProgramServer {
  url: string
  close(): Promise<void>
}

/** Starts the server on a free port. */
export async function serveMiniProgram(options: MiniProgramOptions): Promise<MiniProgramServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { compiled, baseUrl, wechat, fault }: MiniProgramOptions,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
  const send = (type: string, body: string): void => {
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'no-store',
    })
    response.end(body)
  }
  if (pathname === '/') return send('text/html', compiled.html)
  if (pathname === '/bundle.js') return send('text/javascript', compiled.script)
  const body = await readBody(request)
  if (pathname === '/sim/code') {
    return send('application/json', JSON.stringify({ code: await wechat.loginCode(body) }))
  }
  if (pathname === '/sim/phone-code') {
    return send('application/json', JSON.stringify({ code: await wechat.phoneCode(body) }))
  }
  if (!pathname.startsWith('/api/')) {
    response.writeHead(404).end()
    return
  }
  const path = pathname.slice('/api'.length)
  const happens = fault?.(`${request.method} ${path}`)
  if (happens === 'refused') return void response.destroy()
  if (typeof happens === 'object') {
    response.writeHead(happens.status, happens.headers).end(happens.body)
    return
  }
  const { host: _host, connection: _connection, ...headers } = request.headers
  const passed = await fetch(`${baseUrl}${path}${search}`, {
    method: request.method ?? 'GET',
    headers: headers as Record<string, string>,
    ...(body === '' ? {} : { body }),
  })
  const text = await passed.text()
  if (happens === 'lost-answer') return void response.destroy()
  const {
    'content-encoding': _encoding,
    'content-length': _length,
    'transfer-encoding': _transfer,
    ...kept
  } = Object.fromEntries(passed.headers)
  response.writeHead(passed.status, kept).end(text)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
