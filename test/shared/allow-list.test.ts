import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { allowListOf } from '../../shared/allow-list.ts'
import { findEndpoints } from '../support/endpoints.ts'

const Item = v.object({ id: v.string(), grade: v.nullable(v.number()) })
const Answer = v.object({
  items: v.array(Item),
  next: v.nullable(v.string()),
  user: v.optional(v.object({ id: v.string(), gender: v.optional(v.number()) })),
  counts: v.record(v.string(), v.object({ mean: v.number() })),
  kind: v.picklist(['a', 'b']),
})

describe('an answer holds what its schema names', () => {
  test('and nothing else, however deep it lies', () => {
    const secret = { sessionKey: 'secret' }
    const given = {
      ...secret,
      items: [{ id: '1', grade: null, ...secret }],
      next: null,
      user: { id: 'u', ...secret },
      counts: { grade1: { mean: 2, ...secret } },
      kind: 'a',
    }
    const taken = allowListOf(Answer)(given)
    expect(JSON.stringify(taken)).not.toContain('secret')
    expect(taken).toEqual(v.parse(Answer, given))
  })

  test('without what is not there', () => {
    const given = { items: [], next: 'x', user: undefined, counts: {}, kind: 'b' }
    expect(allowListOf(Answer)(given)).toStrictEqual({
      items: [],
      next: 'x',
      counts: {},
      kind: 'b',
    })
  })

  test.each([
    ['an object where a text should be', { items: [{ id: { sessionKey: 'secret' } }] }],
    ['a list where a number should be', { items: [{ id: '1', grade: ['secret'] }] }],
    ['one thing where a list should be', { items: { id: '1' } }],
    ['a text where an object should be', { items: ['secret'] }],
  ])('and is no answer at all with %s', (_what, given) => {
    expect(() => allowListOf(Answer)(given)).toThrow(TypeError)
  })
})

test('a schema of which nobody can say what it lets through is refused', () => {
  expect(() => allowListOf(v.looseObject({}))).toThrow('an answer has no loose_object')
  expect(() => allowListOf(v.object({ any: v.any() }))).toThrow('an answer has no any')
})

test('every endpoint there is has an allow-list', async () => {
  const endpoints = await findEndpoints()
  expect(endpoints.length).toBeGreaterThan(10)
  for (const { output } of endpoints) {
    expect(allowListOf(output)).toBeTypeOf('function')
    expect(JSON.stringify(output)).not.toContain('"type":"unknown"')
  }
  expect(JSON.stringify(v.object({ any: v.unknown() }))).toContain('"type":"unknown"')
})
