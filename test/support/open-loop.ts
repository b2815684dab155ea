/**
 * Load as a crowd makes it: requests come at their rate, whatever became of those before. Each is a socket's only one
 * under way; sockets are kept, and there are as many as it takes. What a server says of itself is not asked.
 */

import { connect, type Socket } from 'node:net'
import { percentile } from './percentile.ts'

interface Answered {
  /** Milliseconds from the moment the request was due. */
  tookMs: number
  /** 0 where the connection broke. */
  status: number
  /** Whether it came while the crowd was still sending. */
  isWithin: boolean
}

/** What became of a crowd's requests. */
export interface CrowdResult {
  /** Good answers a second, of those that came while the crowd was still sending. */
  usefulPerSecond: number
  /** Milliseconds to a good answer. */
  usefulP99Ms: number
  /** Milliseconds to being turned away. */
  shedP99Ms: number
  good: number
  /** Answers of 503. */
  shed: number
  /** Any other answer, none in time, or a broken connection. */
  lost: number
}

/** Later than this an answer is of no use to anybody. */
const USEFUL_MS = 1000

interface Client {
  ask(request: Buffer, dueMs: number): Promise<Omit<Answered, 'isWithin'>>
  close(): void
}

/** One kept connection. */
async function openClient(port: number): Promise<Client> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let received = ''
  let finish: ((status: number) => void) | undefined
  socket.on('error', () => {})
  socket.on('close', () => finish?.(0))
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(received)?.[1] ?? 0)
    if (received.length < headEnd + 4 + length) return
    const status = Number(received.slice(9, 12))
    received = ''
    finish?.(status)
  })
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', () => resolve())
  })
  return {
    ask: (request, dueMs) =>
      new Promise((resolve) => {
        finish = (status) => {
          finish = undefined
          resolve({ tookMs: performance.now() - dueMs, status })
        }
        if (socket.destroyed) finish(0)
        else socket.write(request)
      }),
    close: () => void socket.destroy(),
  }
}

/** A crowd that comes through connections kept for it, as behind a proxy. */
export interface Crowd {
  /** Sends `perSecond` requests a second for so long, evenly, then waits for answers as long as they may be of use. */
  send(load: { perSecond: number; forMs: number }): Promise<CrowdResult>
  leave(): void
}

const GATHERING = 4

/** Connects a few at a time, each with a first request, so that the server can keep up and does not take them for idle. */
export async function gatherCrowd(
  url: string,
  { connections, request }: { connections: number; request: (index: number) => Buffer },
): Promise<Crowd> {
  const port = Number(new URL(url).port)
  const all = new Set<Client>()
  const join = async (): Promise<Client> => {
    const client = await openClient(port)
    all.add(client)
    return client
  }
  const free: Client[] = []
  let sent = 0
  const gather = async (): Promise<void> => {
    while (all.size < connections) {
      const client = await join()
      await client.ask(request(sent++), performance.now())
      free.push(client)
    }
  }
  await Promise.all(Array.from({ length: GATHERING }, gather))
  return {
    async send({ perSecond, forMs }) {
      const answers: Answered[] = []
      let underWay = 0
      const ask = async (dueMs: number): Promise<void> => {
        underWay++
        const client = free.pop() ?? (await join())
        const answer = await client.ask(request(sent++), dueMs)
        underWay--
        answers.push({ ...answer, isWithin: performance.now() - startMs < forMs })
        if (answer.status !== 0) free.push(client)
      }
      const startMs = performance.now()
      const count = Math.floor((perSecond * forMs) / 1000)
      for (let index = 0; index < count; ) {
        const dueMs = startMs + (index * 1000) / perSecond
        if (dueMs > performance.now()) await new Promise((resolve) => setTimeout(resolve, 1))
        else {
          void ask(dueMs)
          index++
        }
      }
      const endMs = performance.now() + USEFUL_MS
      while (underWay > 0 && performance.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return summarise([...answers], count, forMs)
    },
    leave() {
      for (const client of all) client.close()
    },
  }
}

function summarise(answers: readonly Answered[], sent: number, forMs: number): CrowdResult {
  const timesOf = (isWanted: (status: number) => boolean): number[] =>
    answers.flatMap(({ status, tookMs }) => (isWanted(status) ? tookMs : []))
  const goodMs = timesOf((status) => status >= 200 && status < 300)
  const shedMs = timesOf((status) => status === 503)
  const useful = goodMs.filter((ms) => ms <= USEFUL_MS).length
  const usefulWithin = answers.filter(
    ({ status, tookMs, isWithin }) =>
      isWithin && status >= 200 && status < 300 && tookMs <= USEFUL_MS,
  ).length
  return {
    usefulPerSecond: (usefulWithin * 1000) / forMs,
    usefulP99Ms: percentile(goodMs, 0.99),
    shedP99Ms: percentile(shedMs, 0.99),
    good: goodMs.length,
    shed: shedMs.length,
    lost: sent - useful - shedMs.length,
  }
}

/** Some clients, each sending the next request once the last is answered. @returns good answers a second, and what 99 in 100 took */
export async function sendInTurn(
  url: string,
  {
    clients,
    forMs,
    request,
  }: { clients: number; forMs: number; request: (index: number) => Buffer },
): Promise<{ perSecond: number; p99Ms: number }> {
  const port = Number(new URL(url).port)
  const goodMs: number[] = []
  const startMs = performance.now()
  let sent = 0
  const run = async (): Promise<void> => {
    const client = await openClient(port)
    while (performance.now() - startMs < forMs) {
      const { status, tookMs } = await client.ask(request(sent++), performance.now())
      if (status < 200 || status >= 300) throw new Error(`a calm server answered ${status}`)
      goodMs.push(tookMs)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: clients }, run))
  const elapsedMs = performance.now() - startMs
  return { perSecond: (goodMs.length * 1000) / elapsedMs, p99Ms: percentile(goodMs, 0.99) }
}
