import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LogEvent } from '../../../../shared/ports.ts'
import { createSampledLog } from '../../../../shared/transport/server/sampled-log.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const shed: LogEvent = { event: 'request', level: 'warn', status: 503, code: 'server-busy' }

function sampled() {
  const lines: LogEvent[] = []
  return { log: createSampledLog({ write: (line) => lines.push(line) }), lines }
}

test('the first is told at once, then how many there were, once a second', () => {
  const { log, lines } = sampled()
  for (let index = 0; index < 5000; index++) {
    log.write(shed)
    vi.advanceTimersByTime(1)
  }
  expect(lines.length).toBeLessThanOrEqual(6)
  expect(lines[0]).toEqual({ ...shed, count: 1 })
  log.flush()
  expect(lines.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(5000)
})

test('after a quiet second the next is told at once again', () => {
  const { log, lines } = sampled()
  log.write(shed)
  vi.advanceTimersByTime(1000)
  log.write(shed)
  expect(lines).toEqual([
    { ...shed, count: 1 },
    { ...shed, count: 1 },
  ])
})

test('kinds are told apart', () => {
  const { log, lines } = sampled()
  const dropped: LogEvent = { event: 'dropped', level: 'warn', code: 'connections' }
  for (const line of [shed, dropped, shed, dropped, shed]) log.write(line)
  log.flush()
  expect(lines.map(({ event, count }) => [event, count])).toEqual([
    ['request', 1],
    ['dropped', 1],
    ['request', 2],
    ['dropped', 1],
  ])
})
