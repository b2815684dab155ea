import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { defineEndpoint } from '../../../shared/endpoint.ts'
import type { LogEvent } from '../../../shared/ports.ts'
import { readHttpEvent } from '../../../shared/transport/http-event.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { call, read, recordedEvent, recordedEvents } from '../../support/http-events.ts'
import { openAuthority } from '../../support/open-authority.ts'

const lines: LogEvent[] = []

const echo = defineEndpoint()({
  route: 'POST /echo',
  auth: 'none',
  input: v.looseObject({}),
  formKinds: { txt1: 'text', txt2: 'text', acc_nbr: 'identifier', grade1: 'integer' },
  output: v.unknown(),
  handle: async ({ input }) => ({ output: input }),
})

const facts = defineEndpoint()({
  route: 'GET /facts/{name}',
  auth: 'none',
  input: v.looseObject({}),
  output: v.unknown(),
  handle: async ({ input, facts }) => ({
    output: { ...input, clientIp: facts.clientAddress().ip ?? null },
  }),
})

const failing = defineEndpoint()({
  route: 'GET /failing',
  auth: 'none',
  input: v.looseObject({}),
  output: v.unknown(),
  handle: () => Promise.reject(new Error('a secret: 13800138000')),
})

function serveEcho(env: Record<string, string> = {}) {
  return serve({
    functionName: 'echo',
    parts: openAuthority,
    endpoints: [echo, facts, failing],
    env,
    log: { write: (line) => lines.push(line) },
  }).http
}

const handler = serveEcho()
const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const context = { requestId: 'r', remainingMs: () => 1000 }

describe('every recorded event', () => {
  test.each([...recordedEvents.keys()])('%s is answered and never throws', async (name) => {
    const reply = await handler(recordedEvent(name), { time_limit_in_ms: 3000 })
    expect([400, 404, 405, 415]).toContain(reply.statusCode)
    expect(JSON.parse(reply.body)).toMatchObject({ status: reply.statusCode, retry: 'never' })
  })

  test.each([null, undefined, 0, '', 'text', [], { httpMethod: 1 }, { httpMethod: 'GET' }])(
    'an event of %j is answered and never throws',
    async (event) => {
      expect((await handler(event)).statusCode).toBe(404)
    },
  )

  test('the platform is told not to wait for idle connections', async () => {
    const invocation = { callbackWaitsForEmptyEventLoop: true }
    await handler(recordedEvent('furl-request-doc.json'), invocation)
    expect(invocation.callbackWaitsForEmptyEventLoop).toBe(false)
  })
})

describe('where a client calls from', () => {
  const ipOf = (event: Record<string, unknown>) =>
    readHttpEvent({ httpMethod: 'GET', ...event }, context).clientAddress().ip

  test('the platform’s own field wins over every header', () => {
    expect(ipOf(recordedEvent('furl-request-2026-observed-CONSTRUCTED.json'))).toBe('140.248.50.98')
    expect(ipOf(recordedEvent('apigw-request-real-get.json'))).toBe('8.8.8.8')
  })

  test('without it, the right-most public address of the forwarding chain is the client', () => {
    const headers = { 'X-Forwarded-For': '1.1.1.1, 140.248.50.98, 11.163.17.81, 10.132.167.112' }
    expect(ipOf({ headers })).toBe('140.248.50.98')
  })

  test('IPv6 clients are seen, internal IPv6 hops are not', () => {
    expect(ipOf({ headers: { 'x-forwarded-for': '2408:8400::1, fd00::1, ::1' } })).toBe(
      '2408:8400::1',
    )
  })

  test.each([
    ['x-scf-remote-addr', '3.3.3.3'],
    ['x-real-ip', '3.3.3.3'],
    ['x-forwarded-for', '10.0.0.1, 11.0.0.1'],
    ['x-forwarded-for', 'not an address'],
    ['x-forwarded-for', '1.1.1.1, unknown'],
  ])('%s: %s is not believed', (name, value) => {
    expect(ipOf({ headers: { [name]: value } })).toBeUndefined()
  })
})

describe('headers and query', () => {
  test('header names may come in any case', () => {
    const headers = { AuthorIZation: 'JWT abc', 'Idempotency-KEY': 'k' }
    const read = readHttpEvent({ httpMethod: 'GET', headers }, context)
    expect(read).toMatchObject({ token: 'abc', idempotencyKey: 'k' })
  })

  test.each([
    ['JWT abc', 'abc'],
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['Basic abc', undefined],
    ['abc', undefined],
    // Not a token of ours, but a token: these are told that it is no good, not to log in.
    ['JWT abc def', 'abc def'],
    ['JWT  abc', ' abc'],
    ['JWT abc, Bearer def', 'abc, Bearer def'],
    ['JWT ', undefined],
    ['', undefined],
  ])('authorization "%s" carries token %s', (authorization, token) => {
    const headers = { authorization }
    expect(readHttpEvent({ httpMethod: 'GET', headers }, context).token).toBe(token)
  })

  test('repeated and valueless parameters reach the schema as what they are', () => {
    const { query } = readHttpEvent(
      { httpMethod: 'GET', ...recordedEvent('apigw-request-real-get.json') },
      context,
    )
    expect(query).toEqual({ a: ['b', 'c'], x: 'y', i: true })
  })

  test('CloudBase’s query field and a query as one string are understood', () => {
    const read = (event: object) => readHttpEvent({ httpMethod: 'GET', ...event }, context).query
    expect(read({ queryStringParameters: { a: '1' } })).toEqual({ a: '1' })
    expect(read({ queryString: 'a=1&b=2&b=3' })).toEqual({ a: '1', b: ['2', '3'] })
    expect(read({})).toEqual({})
  })

  test('a path parameter is part of the input', async () => {
    const { body } = await call(handler, 'GET /facts/one', { query: { a: '1' } })
    expect(body).toEqual({ a: '1', name: 'one', clientIp: null })
  })
})

describe('bodies', () => {
  const post = (body: unknown, headers: Record<string, string> = json, isBase64Encoded = false) =>
    handler({ httpMethod: 'POST', path: '/echo', headers, body, isBase64Encoded }).then(read)

  test.each([
    ['JSON', '{"a":"汉😀"}', json, { a: '汉😀' }],
    ['JSON with a charset', '{}', { 'content-type': 'application/json; charset=UTF-8' }, {}],
    ['nothing at all', undefined, {}, {}],
    ['an empty string', '', json, {}],
  ])('%s is read', async (_name, body, headers, expected) => {
    expect(await post(body, headers as Record<string, string>)).toMatchObject({
      status: 200,
      body: expected,
    })
  })

  test('a base64 body is decoded', async () => {
    const body = Buffer.from('{"a":"汉"}').toString('base64')
    expect((await post(body, json, true)).body).toEqual({ a: '汉' })
  })

  test.each([
    ['broken JSON', 'invalid-json', 400, '{"a":', json],
    ['a byte order mark', 'invalid-json', 400, '\ufeff{}', json],
    ['17 levels', 'too-deep', 400, '['.repeat(17) + ']'.repeat(17), json],
    ['10,000 levels', 'too-deep', 400, '{"a":'.repeat(3000), json],
    ['half a character', 'lone-surrogate', 400, '{"a":"\\ud800"}', json],
    ['half a character in a name', 'lone-surrogate', 400, '{"\\udc00":1}', json],
    ['a raw half character', 'lone-surrogate', 400, '{"a":"\ud800"}', json],
    ['half a character in a form', 'lone-surrogate', 400, 'txt1=%22%5Cud800%22', form],
    ['more than 16 KB', 'body-too-large', 413, `"${'a'.repeat(16383)}"`, json],
    ['more than 16 KB of wide characters', 'body-too-large', 413, `"${'汉'.repeat(6000)}"`, json],
    ['plain text', 'unsupported-media-type', 415, 'a', { 'content-type': 'text/plain' }],
    ['no content type', 'unsupported-media-type', 415, '{}', {}],
    [
      'another charset',
      'unsupported-media-type',
      415,
      '{}',
      { 'content-type': 'application/json; charset=gbk' },
    ],
    [
      'compressed JSON',
      'unsupported-media-type',
      415,
      '{}',
      { ...json, 'content-encoding': 'gzip' },
    ],
    ['a cut-off escape in a form', 'invalid-form', 400, 'txt1=%4', form],
    ['a repeated field in a form', 'invalid-form', 400, 'txt1=a&txt1=b', form],
    ['a form that is not UTF-8', 'invalid-utf8', 400, 'txt1=%ff', form],
    ['a body that is no string', 'invalid-json', 400, { a: 1 }, json],
    ['a JSON array', 'invalid-field', 400, '[]', json],
  ])('%s is refused as %s', async (_name, code, status, body, headers) => {
    const answer = await post(body, headers as Record<string, string>)
    expect(answer).toMatchObject({ status, body: { code, status, retry: 'never' } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
  })

  test('bytes that are not UTF-8 are refused', async () => {
    const body = Buffer.from([0x22, 0xff, 0x22]).toString('base64')
    expect((await post(body, json, true)).body.code).toBe('invalid-utf8')
  })

  test('16 KB exactly, 16 levels exactly and brackets inside strings are fine', async () => {
    const size = 16 * 1024 - '{"a":""}'.length
    expect((await post(`{"a":"${'a'.repeat(size)}"}`)).status).toBe(200)
    expect((await post(`{"a":${'['.repeat(15)}${']'.repeat(15)}}`)).status).toBe(200)
    expect((await post(`{"a":"${'['.repeat(50)}\\"${'{'.repeat(50)}"}`)).status).toBe(200)
  })

  test('a form whose texts are all JSON strings is read as the article writes it', async () => {
    const body = new URLSearchParams({
      txt1: JSON.stringify('say "hi"'),
      txt2: JSON.stringify('😀\n'),
      acc_nbr: '"13800138000"',
      grade1: '"5"',
    })
    expect((await post(String(body), form)).body).toEqual({
      txt1: 'say "hi"',
      txt2: '😀\n',
      acc_nbr: '13800138000',
      grade1: 5,
    })
  })

  test('one text that is no JSON string makes all texts plain, exactly as sent', async () => {
    const body = new URLSearchParams({
      txt1: '"quoted"',
      txt2: 'plain',
      acc_nbr: '13800',
      grade1: '4',
    })
    expect((await post(String(body), form)).body).toEqual({
      txt1: '"quoted"',
      txt2: 'plain',
      acc_nbr: '13800',
      grade1: 4,
    })
  })

  test('a plus sign in a form is a space, an escaped one is a plus', async () => {
    expect((await post('txt1=a+b%2Bc', form)).body).toEqual({ txt1: 'a b+c' })
  })
})

describe('answers', () => {
  test('an unknown path is 404, a wrong method 405 with what is allowed', async () => {
    expect(await call(handler, 'GET /nowhere')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    })
    const wrong = await call(handler, 'DELETE /echo')
    expect(wrong).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(wrong.body.code).toBe('method-not-allowed')
  })

  test('nothing is stored by caches or sniffed by browsers', async () => {
    for (const route of ['POST /echo', 'GET /nowhere']) {
      const { headers } = await call(handler, route, { body: {} })
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    }
  })

  test('success is application/json in UTF-8', async () => {
    const { headers } = await call(handler, 'POST /echo', { body: {} })
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
  })

  test('no CORS header is sent unless the origin is configured', async () => {
    const headers = { origin: 'https://admin.example.com' }
    const open = serveEcho({ ALLOWED_ORIGINS: 'https://admin.example.com' })
    const names = (answer: { headers: object }) => Object.keys(answer.headers).join()
    expect(names(await call(handler, 'POST /echo', { body: {}, headers }))).not.toContain(
      'access-control',
    )
    expect(names(await call(handler, 'OPTIONS /echo', { headers }))).not.toContain('access-control')
    expect(await call(open, 'OPTIONS /echo', { headers })).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://admin.example.com',
        allow: 'POST, OPTIONS',
      },
    })
    const foreign = { origin: 'https://admin.example.com.evil.example' }
    expect(names(await call(open, 'POST /echo', { body: {}, headers: foreign }))).not.toContain(
      'access-control',
    )
  })

  test.each([
    ['OPTIONS /echo', 204],
    ['OPTIONS /nowhere', 404],
  ])('%s is answered with %d and leaves one log line that says so', async (route, status) => {
    lines.length = 0
    expect((await call(handler, route)).status).toBe(status)
    expect(lines).toMatchObject([{ status }])
  })

  test('an unforeseen failure is a 500 problem that tells nothing, and a log line without its message', async () => {
    lines.length = 0
    const answer = await call(handler, 'GET /failing')
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal', retry: 'later' } })
    expect(JSON.stringify(answer.body)).not.toContain('13800138000')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'error', route: 'GET /failing', status: 500 })
  })

  test('every request leaves one line, and only the first says cold start', async () => {
    lines.length = 0
    const fresh = serveEcho()
    await call(fresh, 'POST /echo', { body: { txt1: 'private' } })
    await call(fresh, 'POST /echo', { body: {} })
    expect(lines).toMatchObject([
      { coldStart: true, status: 200, route: 'POST /echo', transport: 'http' },
      { coldStart: false },
    ])
    expect(JSON.stringify(lines)).not.toContain('private')
  })
})
