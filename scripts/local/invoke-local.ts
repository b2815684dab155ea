/** One bundle on one event, in a process of its own with its own variables. */

import { withClosers } from '../cli/closers.ts'
import type { Stage } from '../cli/stage.ts'
import type { DesiredFunction } from '../service/service.ts'
import { type ClientReply, type ClientRequest, type EventProfile, toEvent } from './events.ts'
import type { InvocationResult } from './function-process.ts'
import { startFunction } from './local-function.ts'
import { makeOwnOutdir, startSurroundings } from './surroundings.ts'

export interface InvokeLocalOptions {
  wanted: DesiredFunction
  stage: Stage
  event: unknown
  /** Rebuilds an HTTP event in another trigger's shape. */
  profile?: EventProfile | undefined
  /** Waits for a debugger on this port before the bundle is loaded. */
  inspectPort?: number | undefined
  hasPlatformLog: boolean
  /** Told what the function prints. */
  print: (line: string) => void
}

/** Runs a function once. @throws {Error} a sentence when it cannot even be built */
export async function invokeLocal(options: InvokeLocalOptions): Promise<InvocationResult> {
  const { wanted, stage, profile, inspectPort, hasPlatformLog, print } = options
  const event = profile === undefined ? options.event : reshape(options.event, profile)
  return withClosers(async (defer) => {
    const surroundings = await startSurroundings({ stage, wechatPort: 0, print, defer })
    const outdir = await makeOwnOutdir('invoke', defer)
    const running = await startFunction(wanted, {
      surroundings,
      outdir,
      isWatching: false,
      inspect: inspectPort === undefined ? undefined : `--inspect-brk=127.0.0.1:${inspectPort}`,
      hasPlatformLog,
      print,
      defer,
    })
    if (wanted.type === 'event') {
      const invocation = await running.invoke(event)
      await running.ended()
      return invocation
    }
    const invocation = await running.invoke(requestOf(event, `${wanted.key} is a Web function: it`))
    if (!invocation.ok) return invocation
    const { status, headers, body } = invocation.result as ClientReply
    return { ...invocation, result: { statusCode: status, headers, body: body.toString() } }
  })
}

function reshape(event: unknown, profile: EventProfile): unknown {
  return toEvent(requestOf(event, '--profile'), profile)
}

/** The request of an HTTP event; `who` needs one. */
function requestOf(event: unknown, who: string): ClientRequest {
  const { httpMethod, path, headers, body, queryString } = (event ?? {}) as Record<string, unknown>
  if (typeof httpMethod !== 'string') {
    throw new Error(`${who} needs an HTTP event: { "httpMethod", "path", "headers", "body" }.`)
  }
  const query = new URLSearchParams((queryString ?? {}) as Record<string, string>)
  return {
    method: httpMethod,
    url: `${typeof path === 'string' ? path : '/'}?${query}`,
    headers: (headers ?? {}) as Record<string, string>,
    body: Buffer.from(typeof body === 'string' ? body : ''),
    clientIp: '127.0.0.1',
  }
}
