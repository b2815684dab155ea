/** What went on lately between clients and functions, and how a page hears of it: it asks, and is answered on a change. */

import { randomUUID } from 'node:crypto'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { ClientReply, ClientRequest } from '../events.ts'
import type { Answered } from '../gateway.ts'
import type { Exchange, News } from './browser/told.ts'
import { curlLine } from './curl.ts'

const EXCHANGES_MAX = 200
const OTHER_LINES_MAX = 100
const TEXT_MAX_LENGTH = 20_000
/** How long a page's question is left open. */
const NEWS_WAIT_MS = 20_000

/** Where the phone's page lies, by which its requests are known. */
export const PHONE_PATH = '/try-it/phone/'
/** What this page calls itself where it asks the functions. */
export const PAGE_AGENT = 'miniscore-try-it'

export type Exchanges = ReturnType<typeof createExchanges>

export function createExchanges() {
  const run = randomUUID()
  let version = 0
  let count = 0
  let otherLinesVersion = 0
  const exchanges: { exchange: Exchange; version: number }[] = []
  const otherLines: string[] = []
  /** Lines that came before their request was answered. */
  const earlyLines = new Map<string, string[]>()
  const waiting = new Set<() => void>()

  function changed(): number {
    version++
    for (const tell of waiting) tell()
    return version
  }

  return {
    add({ request, reply, requestId, durationMs }: Answered): void {
      const curl = curlLine(request)
      const person = personOf(request)
      const exchange: Exchange = {
        number: ++count,
        atMs: Date.now(),
        method: request.method,
        path: request.url,
        sender: senderOf(request),
        ...(person === undefined ? {} : { person }),
        status: reply.status,
        durationMs,
        requestId,
        ...(curl === undefined ? {} : { curl: shortened(curl) }),
        answer: shortened(textOf(reply)),
        lines: earlyLines.get(requestId) ?? [],
      }
      earlyLines.delete(requestId)
      exchanges.push({ exchange, version: changed() })
      if (exchanges.length > EXCHANGES_MAX) exchanges.shift()
    },

    /** A line that a function wrote. */
    line(line: string): void {
      const requestId = requestIdIn(line)
      if (requestId === undefined) {
        otherLines.push(shortened(line))
        if (otherLines.length > OTHER_LINES_MAX) otherLines.shift()
        otherLinesVersion = changed()
        return
      }
      const known = exchanges.find(({ exchange }) => exchange.requestId === requestId)
      if (known) {
        known.exchange.lines.push(line)
        known.version = changed()
        return
      }
      earlyLines.set(requestId, [...(earlyLines.get(requestId) ?? []), line])
      const [oldest] = earlyLines.keys()
      if (earlyLines.size > EXCHANGES_MAX && oldest !== undefined) earlyLines.delete(oldest)
    },

    /** What is new to a page that knows `after` of `knownRun`; waits for a change when there is nothing. */
    async news(knownRun: string, after: number): Promise<News> {
      const since = knownRun === run ? after : -1
      if (version <= since) await change()
      return {
        run,
        version,
        exchanges: exchanges.flatMap((each) => (each.version > since ? each.exchange : [])),
        ...(otherLinesVersion > since ? { otherLines: [...otherLines] } : {}),
      }
    },
  }

  function change(): Promise<void> {
    return new Promise((resolve) => {
      const tell = (): void => {
        clearTimeout(timer)
        waiting.delete(tell)
        resolve()
      }
      const timer = setTimeout(tell, NEWS_WAIT_MS).unref()
      waiting.add(tell)
    })
  }
}

function personOf({ headers }: ClientRequest): string | undefined {
  const { referer = '' } = headers
  if (!URL.canParse(referer)) return undefined
  const { pathname, searchParams } = new URL(referer)
  return pathname === PHONE_PATH ? (searchParams.get('person') ?? undefined) : undefined
}

function senderOf(request: ClientRequest): string {
  if (personOf(request) !== undefined) return 'phone'
  const agent = request.headers['user-agent'] ?? ''
  if (agent === PAGE_AGENT) return 'this page'
  if (/wechatdevtools/i.test(agent)) return 'DevTools'
  return /^[A-Za-z-]{1,20}/.exec(agent)?.[0] ?? 'unknown'
}

function textOf({ headers, body }: ClientReply): string {
  switch (headers['content-encoding']) {
    case 'br':
      return brotliDecompressSync(body).toString()
    case 'gzip':
      return gunzipSync(body).toString()
    default:
      return body.toString()
  }
}

function shortened(text: string): string {
  return text.length > TEXT_MAX_LENGTH ? `${text.slice(0, TEXT_MAX_LENGTH)} …` : text
}

function requestIdIn(line: string): string | undefined {
  return /"requestId":"([A-Za-z0-9-]{1,64})"/.exec(line)?.[1] ?? /RequestId:(\S+)/.exec(line)?.[1]
}
