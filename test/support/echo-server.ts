/** A server in this process around an endpoint that answers what it was called with. */

import * as v from 'valibot'
import { defineEndpoint } from '../../shared/endpoint.ts'
import type { LogEvent } from '../../shared/ports.ts'
import { serve } from '../../shared/transport/serve.ts'
import { serveWeb, type WebOptions, type WebServer } from '../../shared/transport/server/web.ts'
import { openAuthority } from './open-authority.ts'

export interface EchoServer extends Omit<WebServer, 'load'> {
  /** The events the function was called with. */
  events: Record<string, unknown>[]
  lines: LogEvent[]
  /** Lets every held request of `/held` go on. */
  release(): void
  /** How many requests of `/held` wait. */
  held(): number
  /** Stops without releasing; `stop` releases first. */
  stopWithoutRelease(): Promise<number>
}

/** `POST /echo` sends its input back, `GET /facts` what is known of the call, `GET /held` waits for `release`. */
export async function startEchoServer(options: Partial<WebOptions> = {}): Promise<EchoServer> {
  const events: Record<string, unknown>[] = []
  const lines: LogEvent[] = []
  const waiting: (() => void)[] = []
  const open = { auth: 'none', input: v.looseObject({}), output: v.unknown() } as const
  const handler = serve({
    functionName: 'echo',
    parts: openAuthority,
    endpoints: [
      defineEndpoint()({
        ...open,
        route: 'POST /echo',
        handle: async ({ input }) => ({ output: input }),
      }),
      defineEndpoint()({
        ...open,
        route: 'GET /facts',
        handle: async ({ input, facts: { clientAddress, requestId, remainingMs } }) => ({
          output: {
            input,
            clientIp: clientAddress().ip ?? null,
            requestId,
            remainingMs: remainingMs(),
          },
        }),
      }),
      defineEndpoint()({
        ...open,
        route: 'GET /held',
        handle: async () => {
          await new Promise<void>((resolve) => waiting.push(resolve))
          return { output: { done: true } }
        },
      }),
    ],
    env: {},
    log: { write: (line) => lines.push(line) },
  }).http
  const server = await serveWeb(
    (event, context) => {
      events.push(event as Record<string, unknown>)
      return handler(event, context)
    },
    { host: '127.0.0.1', port: 0, log: { write: (line) => lines.push(line) }, ...options },
  )
  const release = (): void => {
    for (const goOn of waiting.splice(0)) goOn()
  }
  const stop = (): Promise<number> => {
    release()
    return server.stop()
  }
  return {
    url: server.url,
    stop,
    stopWithoutRelease: server.stop,
    events,
    lines,
    release,
    held: () => waiting.length,
  }
}
