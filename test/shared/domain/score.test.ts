import { describe, expect, test } from 'vitest'
import {
  addCounts,
  emptyCounts,
  readableBy,
  subtractCounts,
  summarise,
} from '../../../shared/domain/score.ts'
import type { Caller } from '../../../shared/ports.ts'

function holderOf(number: string | null, sinceMs = 0): Caller {
  return {
    userId: 'u',
    sessionId: 's',
    openid: 'o',
    isOperator: false,
    isVouchedFor: false,
    heldSince: (acc_nbr) => (acc_nbr === number ? sinceMs : undefined),
  }
}
const stranger = holderOf(null)
const own = { kind: 'author', userId: 'u' }

describe('who may read the ratings of an account', () => {
  test.each([
    ['a stranger', stranger, own],
    ['the holder of the number', holderOf('13800138000'), { kind: 'all' }],
    ['who took the number over', holderOf('13800138000', 5), { kind: 'since', sinceMs: 5 }],
    ['the holder of another number', holderOf('13900139000'), own],
    ['the holder of a longer number', holderOf('138001380001'), own],
    ['an operator', { ...stranger, isOperator: true }, { kind: 'all' }],
  ])('%s', (_name, caller, scope) => {
    expect(readableBy(caller, '13800138000')).toEqual(scope)
  })
})

describe('counts', () => {
  const one = { count: 1, grades: { grade1: { '5': 1 }, grade2: { '1': 1 }, grade3: {} } }

  test('add up, and taking a part away leaves the rest without zeros', () => {
    const three = [one, one, one].reduce(addCounts, emptyCounts)
    expect(three).toEqual({
      count: 3,
      grades: { grade1: { '5': 3 }, grade2: { '1': 3 }, grade3: {} },
    })
    expect(subtractCounts(three, three)).toEqual(emptyCounts)
    expect(emptyCounts.grades.grade1).toEqual({})
  })

  test('a mean is over the grades that were given', () => {
    const counts = {
      count: 4,
      grades: { grade1: { '1': 1, '2': 2 }, grade2: {}, grade3: { '5': 4 } },
    }
    expect(summarise(counts, ['grade1', 'grade2', 'grade3'])).toMatchObject({
      count: 4,
      grades: { grade1: { mean: 1.67 }, grade2: { mean: null }, grade3: { mean: 5 } },
    })
  })

  test('a grade that is not asked for is not summarised', () => {
    const counts = { count: 1, grades: { grade1: { '1': 1 }, grade2: { '2': 1 }, grade3: {} } }
    expect(Object.keys(summarise(counts, ['grade2']).grades)).toEqual(['grade2'])
  })
})
