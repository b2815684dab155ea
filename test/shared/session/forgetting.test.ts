import { beforeEach, describe, expect, test } from 'vitest'
import type { Forgetting } from '../../../shared/ports.ts'
import { createForgetting, SECOND_LOOK_DELAY_MS } from '../../../shared/session/forgetting.ts'

/** People and how many batches of ratings are left of each; what fails is named in `broken`. */
let noted: Map<string, number>
let ratings: Map<string, number>
let erased: string[]
let broken: Set<'leave' | 'erase' | 'whoLeft'>
let nowMs: number
let forgetting: Forgetting
const plentyMs = (): number => 10_000

function works(step: 'leave' | 'erase' | 'whoLeft'): void {
  if (broken.has(step)) throw new Error(step)
}

beforeEach(() => {
  noted = new Map()
  ratings = new Map([['a', 3]])
  erased = []
  broken = new Set()
  nowMs = Date.UTC(2026, 5, 1)
  forgetting = createForgetting({
    people: {
      async leave(userId, atMs) {
        works('leave')
        noted.set(userId, atMs)
      },
      async erase(userId) {
        works('erase')
        erased.push(userId)
      },
      async whoLeft(beforeMs) {
        works('whoLeft')
        return [...noted].find(([, leftAtMs]) => leftAtMs < beforeMs)?.[0]
      },
      async eraseLast(userId) {
        noted.delete(userId)
      },
    },
    ratings: {
      async forgetAuthor(userId, _choice, isEnough = () => false) {
        for (let left = ratings.get(userId) ?? 0; left > 0; left--) {
          if (isEnough()) return false
          ratings.set(userId, left - 1)
        }
        return true
      },
    },
    forgottenRatings: 'delete',
    now: () => nowMs,
    steadyMs: () => nowMs,
    lastFinish: { atMs: 0 },
  })
})

describe('who asks to be forgotten', () => {
  test('is gone at once, and noted until a second look found nothing any more', async () => {
    expect(await forgetting.forget('a', plentyMs)).toBe(true)
    expect([ratings.get('a'), erased, noted.size]).toEqual([0, ['a'], 1])
    expect(await forgetting.finish()).toBe(0)
    ratings.set('a', 1)
    nowMs += SECOND_LOOK_DELAY_MS + 1
    expect(await forgetting.finish()).toBe(1)
    expect([ratings.get('a'), erased, noted.size]).toEqual([0, ['a', 'a'], 0])
  })

  test('is told when nothing was done yet', async () => {
    broken.add('leave')
    await expect(forgetting.forget('a', plentyMs)).rejects.toThrow('leave')
    expect(noted.size).toBe(0)
  })

  test('need not ask again when the database went away, or the time was too short', async () => {
    broken.add('erase')
    expect(await forgetting.forget('a', plentyMs)).toBe(false)
    broken.clear()
    expect(await forgetting.forget('a', () => 1000)).toBe(false)
    expect([ratings.get('a'), noted.size]).toEqual([3, 1])
    nowMs += SECOND_LOOK_DELAY_MS + 1
    expect(await forgetting.finish()).toBe(1)
    expect([ratings.get('a'), noted.size]).toEqual([0, 0])
  })
})

describe('an instance beside its other work', () => {
  test('finishes what is due, at most once a minute', async () => {
    await forgetting.forget('a', plentyMs)
    nowMs += SECOND_LOOK_DELAY_MS + 1
    await forgetting.finishSome()
    expect(noted.size).toBe(0)
    noted.set('b', 0)
    nowMs += 59_000
    await forgetting.finishSome()
    expect(noted.size).toBe(1)
    nowMs += 1000
    await forgetting.finishSome()
    expect(noted.size).toBe(0)
  })

  test('stops after a moment, and whoever comes next goes on', async () => {
    noted.set('a', 0)
    let batches = 0
    const tick = (): boolean => ++batches > 2
    expect(await forgetting.finish(tick)).toBe(0)
    expect([ratings.get('a'), noted.size]).toEqual([2, 1])
    expect(await forgetting.finish()).toBe(1)
  })

  test('answers its call whatever fails', async () => {
    broken.add('whoLeft')
    await expect(forgetting.finishSome()).resolves.toBeUndefined()
  })
})
