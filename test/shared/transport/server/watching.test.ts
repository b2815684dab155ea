import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { LogEvent } from '../../../../shared/ports.ts'
import { createMetrics } from '../../../../shared/transport/server/metrics.ts'
import { createProbes } from '../../../../shared/transport/server/probes.ts'

const idle = { inside: 0, insideMost: 4, waiting: 0, connections: 0, isDatabaseLeftAlone: false }

test('metrics count each line once, however many it stands for, and hand it on unchanged', () => {
  const metrics = createMetrics()
  const lines: LogEvent[] = []
  const log = metrics.counting({ write: (line) => lines.push(line) })
  const answered = (durationMs: number): LogEvent => ({
    event: 'request',
    level: 'info',
    route: 'POST /score',
    status: 201,
    durationMs,
  })
  const written: LogEvent[] = [
    answered(3),
    answered(80),
    answered(9000),
    { event: 'request', level: 'warn', status: 503, code: 'server-busy', count: 40 },
    { event: 'limit-reached', level: 'warn', person: 'abc', account: 'def' },
  ]
  for (const line of written) log.write(line)
  expect(lines).toEqual(written)
  const text = metrics.text({ ...idle, waiting: 7, isDatabaseLeftAlone: true })
  const series = text.split('\n').filter((line) => !line.startsWith('#'))
  expect(series).toEqual(
    expect.arrayContaining([
      'miniscore_requests_total{route="POST /score",status="201",code=""} 3',
      'miniscore_requests_total{route="",status="503",code="server-busy"} 40',
      'miniscore_events_total{event="limit-reached"} 1',
      'miniscore_request_seconds_bucket{route="POST /score",le="0.005"} 1',
      'miniscore_request_seconds_bucket{route="POST /score",le="0.1"} 2',
      'miniscore_request_seconds_bucket{route="POST /score",le="4"} 2',
      'miniscore_request_seconds_bucket{route="POST /score",le="+Inf"} 3',
      'miniscore_request_seconds_sum{route="POST /score"} 9.083',
      'miniscore_request_seconds_count{route="POST /score"} 3',
      'miniscore_requests_waiting 7',
      'miniscore_database_left_alone 1',
    ]),
  )
  expect(text).not.toMatch(/abc|def\b/)
})

test('however many ask whether the server is ready, the database is asked once a second, and once at a time', async () => {
  let nowMs = 0
  let asked = 0
  let answer: (isAnswering: boolean) => void = () => {}
  const probes = createProbes({
    isReady: () => {
      asked++
      return new Promise((resolve) => {
        answer = resolve
      })
    },
    metrics: () => '',
    now: () => nowMs,
  })
  const ask = (): Promise<number> =>
    new Promise((resolve) => {
      const response = { writeHead: (status: number) => resolve(status), end: () => {} }
      const request = { method: 'GET', url: '/readyz' } as IncomingMessage
      expect(probes.answerFirst(request, response as unknown as ServerResponse)).toBe(true)
    })
  const first = [ask(), ask()]
  nowMs = 5000
  const third = ask()
  answer(true)
  expect(await Promise.all([...first, third])).toEqual([200, 200, 200])
  nowMs = 5900
  expect(await ask()).toBe(200)
  expect(asked).toBe(1)
  nowMs = 6100
  const later = ask()
  answer(false)
  expect(await later).toBe(503)
  expect(asked).toBe(2)
  probes.end()
  expect(await ask()).toBe(503)
  expect(asked).toBe(2)
})

test.each([
  ['POST', '/healthz'],
  ['GET', '/healthz/'],
  ['GET', '/metrics'],
  ['GET', '/score?/healthz'],
])('%s %s is none of the probes’ affairs', (method, url) => {
  const probes = createProbes({ isReady: async () => true, metrics: () => '' })
  expect(probes.answerFirst({ method, url } as IncomingMessage, {} as ServerResponse)).toBe(false)
})
