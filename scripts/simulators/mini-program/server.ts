/** Serves a compiled mini program on loopback, beside its functions and the WeChat that knows its people. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CompiledMiniProgram } from './compile.ts'
import { answerAsPhone, type PhoneWeChat } from './phone.ts'

export interface MiniProgramOptions {
  compiled: CompiledMiniProgram
  /** Where the functions answer. */
  baseUrl: string
  wechat: PhoneWeChat
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
  const body = await readBody(request)
  const path = pathname.slice(1)
  const own = await answerAsPhone(path, body, { compiled: async () => compiled, wechat })
  if (own) {
    response.writeHead(own.status, { 'content-type': own.type, 'cache-control': 'no-store' })
    response.end(own.body)
    return
  }
  const happens = fault?.(`${request.method} ${pathname}`)
  if (happens === 'refused') return void response.destroy()
  if (typeof happens === 'object') {
    response.writeHead(happens.status, happens.headers).end(happens.body)
    return
  }
  const { host: _host, connection: _connection, ...headers } = request.headers
  const passed = await fetch(`${baseUrl}${pathname}${search}`, {
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
