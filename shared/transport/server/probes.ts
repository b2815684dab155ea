/**
 * What machines ask a server about itself: whether it is up, whether it should be given work, and how it does. Answers to
 * the first two say nothing that a caller could not find out; the third belongs on a private port (`METRICS_PORT`).
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { steadyMs } from '../../wiring/clock.ts'
import { listen } from './listen.ts'
import type { Watching } from './web-program.ts'

/** What probes go by. */
export interface WatchingOptions {
  /** Whether the database answers; asked once a second at the most, however many probes come. */
  isReady: () => Promise<boolean>
  metrics: () => string
  /** Where `/metrics` is; nowhere unless told. */
  metricsAt?: { port: number; host: string } | undefined
  now?: () => number
}

const READINESS_MS = 1000

/** `/healthz` and `/readyz` before all other requests, and both again beside `/metrics` on a port of their own. */
export function createProbes(options: WatchingOptions): Watching {
  const { isReady, metrics, metricsAt, now = steadyMs } = options
  let isStopping = false
  let known: { readiness: Promise<boolean>; untilMs: number } | undefined

  const readiness = (): Promise<boolean> => {
    if (known && now() < known.untilMs) return known.readiness
    const asked = { readiness: isReady().catch(() => false), untilMs: Number.POSITIVE_INFINITY }
    known = asked
    // The second begins with the answer: a database that takes long is not asked again meanwhile.
    void asked.readiness.then(() => {
      asked.untilMs = now() + READINESS_MS
    })
    return asked.readiness
  }

  const sayReadiness = async (response: ServerResponse): Promise<void> => {
    const isAnswering = isStopping || (await readiness())
    if (isStopping) say(response, 503, 'stopping')
    else if (isAnswering) say(response, 200, 'ready')
    else say(response, 503, 'the database does not answer')
  }

  const answerFirst: Watching['answerFirst'] = (request, response) => {
    const path = probedPath(request)
    if (path === '/healthz') say(response, 200, 'up')
    else if (path === '/readyz') void sayReadiness(response)
    else return false
    return true
  }

  return {
    answerFirst,
    async begin() {
      if (!metricsAt) return
      const server = createServer((request, response) => {
        if (answerFirst(request, response)) return
        if (probedPath(request) !== '/metrics') say(response, 404, 'there is /metrics here')
        else say(response, 200, metrics(), 'text/plain; version=0.0.4; charset=utf-8')
      })
      const { url } = await listen(server, {
        ...metricsAt,
        setting: 'METRICS_PORT or METRICS_HOST',
      })
      console.log(`metrics at ${url}/metrics`)
    },
    end() {
      isStopping = true
    },
  }
}

function probedPath({ method, url = '' }: IncomingMessage): string | undefined {
  return method === 'GET' || method === 'HEAD' ? url.replace(/\?.*$/s, '') : undefined
}

function say(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' })
  response.end(`${text}\n`)
}
