/**
 * A Web function's process: the bundle as a program, reached over HTTP. On the platform it listens on port 9000
 * (https://cloud.tencent.com/document/product/583/56124); here on a free one, for there may be several.
 */

import { spawn } from 'node:child_process'
import http from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type ClientReply, type ClientRequest, withForwardedFor } from './events.ts'
import { HostedProcess, type ProcessSettings, type StartedProcess } from './hosted-process.ts'
import { openPort } from './open-port.ts'
import { nodeOptions, platformEnvironment } from './platform.ts'

/** Keys and values of a response, on the platform. */
const RESPONSE_HEADERS_MAX_BYTES = 4 * 1024
const LOOK_FOR_PORT_MS = 10
const EXIT_SEEN_MS = 50

export async function startProgram(settings: ProcessSettings): Promise<StartedProcess> {
  const { file, environment } = settings
  const port = await openPort()
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...nodeOptions(settings), file], {
    cwd: path.dirname(file),
    env: {
      ...platformEnvironment(settings),
      ...environment,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const hosted = new HostedProcess(child, settings)
  void listens(port, hosted).then(() => {
    const functionMs = performance.now() - startedAt
    const { residentBytes: memoryBytes } = hosted
    hosted.report({ kind: 'loaded', runtimeMs: 0, functionMs, memoryBytes })
  })
  return {
    hosted,
    hand(event, context) {
      exchange(event as ClientRequest, { port, context }).then(
        (result) => {
          const { residentBytes: memoryBytes } = hosted
          hosted.report({ kind: 'result', result, isDraining: false, memoryBytes })
        },
        async (error: Error) => {
          // A connection that breaks because the program ended: its exit says more.
          await setTimeout(EXIT_SEEN_MS)
          if (hosted.isAlive) hosted.report({ kind: 'threw', error: error.message })
        },
      )
    },
  }
}

/** Resolves as soon as something accepts connections; never, when the program ends before. */
async function listens(port: number, hosted: HostedProcess): Promise<void> {
  while (hosted.isAlive) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await setTimeout(LOOK_FOR_PORT_MS)
  }
  await new Promise(() => {})
}

function exchange(
  { method, url, headers, body, clientIp }: ClientRequest,
  { port, context }: { port: number; context: Record<string, unknown> },
): Promise<ClientReply> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port,
      method,
      path: url,
      agent: false,
      headers: {
        ...withForwardedFor({ headers, clientIp }),
        ...platformHeaders(context),
        'content-length': body.length,
      },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const sent = replyHeaders(response)
        if (bytesOf(sent) > RESPONSE_HEADERS_MAX_BYTES)
          return reject(new Error('the headers of the response are larger than 4 KB'))
        resolve({
          status: response.statusCode ?? 502,
          headers: sent,
          body: Buffer.concat(chunks),
        })
      })
    })
    request.end(body)
  })
}

/** What the platform tells a Web function in headers, beside credentials of a role. */
function platformHeaders(context: Record<string, unknown>): Record<string, string> {
  return {
    'x-scf-request-id': String(context.request_id),
    'x-scf-memory': String(context.memory_limit_in_mb),
    'x-scf-timeout': String(Number(context.time_limit_in_ms) / 1000),
    'x-scf-version': '$LATEST',
    'x-scf-name': String(context.function_name),
    'x-scf-namespace': 'default',
    'x-scf-region': 'ap-guangzhou',
    'x-scf-appid': '1250000000',
    'x-scf-uin': '100000000000',
  }
}

/** What a client sees: some headers are the platform's own. */
function replyHeaders({ headers }: http.IncomingMessage): Record<string, string | string[]> {
  const own = /^(connection|keep-alive|transfer-encoding|content-length|x-scf-.*)$/
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !own.test(entry[0]),
    ),
  )
}

function bytesOf(headers: Record<string, string | string[]>): number {
  return Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((each) => name.length + each.length))
    .reduce((sum, each) => sum + each, 0)
}
