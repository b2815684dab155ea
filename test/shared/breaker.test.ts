import { describe, expect, test } from 'vitest'
import { createBreaker } from '../../shared/breaker.ts'

describe('a breaker', () => {
  const judge = { isFailure: () => true, refuse: () => new Error('open') }
  const broken = () => Promise.reject(new Error('down'))
  const message = (promise: Promise<unknown>) =>
    promise.then(
      () => 'fine',
      (error: Error) => error.message,
    )

  test('opens after five failures in a row, lets one try through after its pause, and closes when that works', async () => {
    let nowMs = 0
    let calls = 0
    const breaker = createBreaker({ now: () => nowMs })
    const call = (work: () => Promise<unknown>) =>
      message(
        breaker.run(() => {
          calls++
          return work()
        }, judge),
      )
    for (let index = 0; index < 5; index++) expect(await call(broken)).toBe('down')
    expect(await call(broken)).toBe('open')
    expect(calls).toBe(5)
    nowMs += 2000
    expect(await call(broken)).toBe('down')
    expect(await call(async () => 1)).toBe('open')
    nowMs += 2000
    expect(await call(async () => 1)).toBe('fine')
    expect(await call(async () => 1)).toBe('fine')
  })

  test('lets one of many at once through while it tries', async () => {
    let nowMs = 0
    const breaker = createBreaker({ failuresToOpen: 1, now: () => nowMs })
    await message(breaker.run(broken, judge))
    nowMs += 2000
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => message(breaker.run(async () => 1, judge))),
    )
    expect(outcomes.filter((each) => each === 'fine')).toHaveLength(1)
  })

  test('a refusal is an answer, and a success in between starts the count anew', async () => {
    const breaker = createBreaker({ now: () => 0 })
    const answered = { ...judge, isFailure: () => false }
    for (let index = 0; index < 20; index++)
      expect(await message(breaker.run(broken, answered))).toBe('down')
    for (let index = 0; index < 20; index++) {
      expect(await message(breaker.run(index % 4 === 3 ? async () => 1 : broken, judge))).not.toBe(
        'open',
      )
    }
  })
})
