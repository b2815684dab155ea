import * as v from 'valibot'
import { expect, test } from 'vitest'
import { defineEndpoint } from '../../../shared/endpoint.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { openAuthority } from '../../support/open-authority.ts'

const handler = serve({
  functionName: 'echo',
  parts: openAuthority,
  endpoints: [
    defineEndpoint()({
      route: 'POST /echo',
      auth: 'none',
      input: v.looseObject({}),
      output: v.unknown(),
      handle: async ({ input }) => ({ output: input }),
    }),
  ],
  env: {},
  log: { write: () => {} },
})
const platform = {
  environment: JSON.stringify({ WX_OPENID: 'oPerson000000000', WX_APPID: 'wx0123456789' }),
}

/** What `wx.cloud.callFunction` with this body is answered. */
function callWith(body: unknown) {
  return handler({ route: 'POST /echo', body }, platform)
}

function nested(levels: number, inside: unknown = 1): unknown {
  let value = inside
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

test.each([16, 2])('a body of %i levels is read', async (levels) => {
  const body = nested(levels)
  expect(await callWith(body)).toEqual({ status: 200, body })
})

test.each([
  ['17 levels', nested(17)],
  ['5,000 levels', nested(5_000)],
  ['100,000 levels', nested(100_000)],
  ['5,000 levels around a BigInt', nested(5_000, 1n)],
])('a body of %s is too deep: 400', async (_name, body) => {
  expect(await callWith(body)).toMatchObject({ status: 400, body: { code: 'too-deep' } })
})

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const cyclicList: unknown[] = []
cyclicList.push(cyclicList, cyclicList)

test.each([
  ['a BigInt', 1n],
  ['a function', () => {}],
  ['a symbol', Symbol('a')],
  ['undefined', undefined],
  ['a Date', new Date(0)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a Map', new Map()],
  ['a RegExp', /a/],
  ['bytes', Buffer.from('a')],
  ['an Error', new Error('a')],
  ['an object that says what it is as JSON', { toJSON: () => ({}) }],
  ['a boxed string', Object('a')],
  ['a promise', Promise.resolve()],
])('%s in a body is 400, wherever it is', async (_name, value) => {
  for (const body of [{ a: value }, { a: [{ b: value }] }, [value]]) {
    expect(await callWith(body)).toMatchObject({ status: 400, body: { code: 'invalid-json' } })
  }
})

test.each([
  ['an object', cyclic],
  ['a list', { a: cyclicList }],
])('%s that holds itself is 400', async (_name, body) => {
  expect(await callWith(body)).toMatchObject({ status: 400, body: { code: 'too-deep' } })
})

test('whatever else of an event JSON lacks is never 500', async () => {
  for (const value of [1n, () => {}, Symbol('a'), cyclic, new Date(0), nested(5_000)]) {
    for (const event of [
      { route: value },
      { route: 'POST /echo', query: value },
      { route: 'POST /echo', query: { a: value } },
      { route: 'POST /echo', idempotencyKey: value },
      { route: 'POST /echo', other: value },
    ]) {
      expect((await handler(event, platform)) as { status: number }).toMatchObject({
        status: 'route' in event && event.route === 'POST /echo' ? 200 : 404,
      })
    }
    for (const member of ['path', 'headers', 'queryString', 'body', 'requestContext']) {
      const json = { headers: { 'content-type': 'application/json' } }
      const event = { httpMethod: 'POST', path: '/echo', ...json, [member]: value }
      const { statusCode } = (await handler(event)) as { statusCode: number }
      expect([200, 400, 404, 415]).toContain(statusCode)
    }
  }
})

test('an object of another realm is an object', async () => {
  const { runInNewContext } = await import('node:vm')
  const body = runInNewContext('({ a: [{ b: 1 }] })')
  expect(await callWith(body)).toMatchObject({ status: 200 })
})
