import { beforeEach, describe, expect, test } from 'vitest'
import { type Breaker, createBreaker } from '../../shared/breaker.ts'

const OPEN_MS = 2000
const FAILURES_TO_OPEN = 5

describe('a breaker', () => {
  let nowMs: number
  /** How often the remote was asked. */
  let calls: number
  let breaker: Breaker
  beforeEach(() => {
    nowMs = 0
    calls = 0
    breaker = createBreaker({
      failuresToOpen: FAILURES_TO_OPEN,
      openMs: OPEN_MS,
      now: () => nowMs,
    })
  })

  const refuse = () => new Error('open')
  const down = () => Promise.reject(new Error('down'))
  const up = async () => 'up'
  /** What a call came to: the remote's answer, its failure, or the breaker's refusal. */
  function call(work: () => Promise<string>, isFailure = (): boolean => true): Promise<string> {
    const counted = () => {
      calls++
      return work()
    }
    return breaker.run(counted, { isFailure, refuse }).catch((error: Error) => error.message)
  }
  async function callOften(times: number, work: () => Promise<string>): Promise<string[]> {
    const outcomes: string[] = []
    for (let index = 0; index < times; index++) outcomes.push(await call(work))
    return outcomes
  }
  const open = () => callOften(FAILURES_TO_OPEN, down)

  test('lets every call through until five have failed in a row', async () => {
    expect(await open()).toEqual(Array(FAILURES_TO_OPEN).fill('down'))
  })

  test('then refuses calls without asking the remote', async () => {
    await open()
    expect(await call(up)).toBe('open')
    expect(calls).toBe(FAILURES_TO_OPEN)
  })

  test('refuses until the last moment of its pause', async () => {
    await open()
    nowMs += OPEN_MS - 1
    expect(await call(up)).toBe('open')
  })

  test('lets a call through after its pause', async () => {
    await open()
    nowMs += OPEN_MS
    expect(await call(up)).toBe('up')
  })

  test('closes when that call succeeds', async () => {
    await open()
    nowMs += OPEN_MS
    await call(up)
    expect(await callOften(2, up)).toEqual(['up', 'up'])
  })

  test('pauses once more when that call fails', async () => {
    await open()
    nowMs += OPEN_MS
    expect(await callOften(2, down)).toEqual(['down', 'open'])
  })

  test('lets one of many calls at once try', async () => {
    await open()
    nowMs += OPEN_MS
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => call(up)))
    expect(outcomes.sort()).toEqual(['open', 'open', 'open', 'open', 'up'])
  })

  test('starts its count anew after a success', async () => {
    await callOften(FAILURES_TO_OPEN - 1, down)
    await call(up)
    expect(await callOften(FAILURES_TO_OPEN, down)).not.toContain('open')
  })

  test('takes calls that fail together for one failure, as after an instance was frozen', async () => {
    await Promise.all(Array.from({ length: 3 * FAILURES_TO_OPEN }, () => call(down)))
    expect(await callOften(FAILURES_TO_OPEN - 1, down)).not.toContain('open')
    expect(await call(up)).toBe('open')
  })

  test('opens although calls overlap, when they go on failing', async () => {
    for (let failures = 0; failures < FAILURES_TO_OPEN; failures += 2) {
      let fail: (error: Error) => void = () => {}
      const early = new Promise<string>((_, reject) => {
        fail = reject
      })
      const pending = call(() => early)
      await call(down)
      nowMs += 1000
      fail(new Error('down'))
      await pending
    }
    expect(await call(up)).toBe('open')
  })

  test('takes an answer that refuses a request for an answer, however many there are', async () => {
    for (let index = 0; index < 4 * FAILURES_TO_OPEN; index++) {
      expect(await call(down, () => false)).toBe('down')
    }
  })

  test('takes such an answer for a success after failures', async () => {
    await callOften(FAILURES_TO_OPEN - 1, down)
    await call(down, () => false)
    expect(await callOften(FAILURES_TO_OPEN, down)).not.toContain('open')
  })
})
