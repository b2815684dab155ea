import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peerOf, type TrustProxy } from '../../../../shared/transport/server/connections.ts'
import { receive } from '../../../../shared/transport/server/web-request.ts'
import { type EchoServer, startEchoServer } from '../../../support/echo-server.ts'
import { recordedEvent } from '../../../support/http-events.ts'
import { exchange } from '../../../support/raw-http.ts'

let proxied: EchoServer
let direct: EchoServer
beforeAll(async () => {
  proxied = await startEchoServer()
  direct = await startEchoServer({ trustProxy: 'none' })
})
afterAll(() => Promise.all([proxied?.stop(), direct?.stop()]))

async function facts(
  server: EchoServer,
  headers: Record<string, string>,
  query = '',
): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/facts${query}`, { headers })
  expect(response.status).toBe(200)
  return {
    ...((await response.json()) as Record<string, unknown>),
    echoedId: response.headers.get('x-request-id'),
  }
}

describe('where a request comes from', () => {
  const chain = '1.1.1.1, 140.248.50.98, 11.163.17.81, 10.132.167.112'
  const forged = {
    'x-scf-remote-addr': '3.3.3.3',
    'x-real-ip': '4.4.4.4',
    'x-client-ip': '5.5.5.5',
    forwarded: 'for=6.6.6.6',
  }

  test('is what the proxies appended, not what the client wrote before or elsewhere', async () => {
    const headers = { ...forged, 'x-forwarded-for': chain }
    expect(await facts(proxied, headers)).toMatchObject({ clientIp: '140.248.50.98' })
    // A private peer that says of nobody is counted itself.
    expect(await facts(proxied, forged)).toMatchObject({ clientIp: '127.0.0.1' })
  })

  test('is the peer itself when there is no proxy', async () => {
    const headers = { ...forged, 'x-forwarded-for': chain }
    expect(await facts(direct, headers)).toMatchObject({ clientIp: '127.0.0.1' })
  })

  const peers: [string, TrustProxy, string | undefined][] = [
    ['127.0.0.1', 'private', '127.0.0.1'],
    ['::1', 'private', '::1'],
    ['::ffff:10.1.2.3', 'private', '10.1.2.3'],
    ['172.31.0.1', 'private', '172.31.0.1'],
    ['11.163.17.81', 'private', '11.163.17.81'],
    ['fe80::1%eth0', 'private', 'fe80::1'],
    ['203.0.113.7', 'private', '203.0.113.7'],
    ['172.32.0.1', 'private', '172.32.0.1'],
    ['::ffff:203.0.113.7', 'private', '203.0.113.7'],
    ['2001:db8::1', 'private', '2001:db8::1'],
    ['::ffff:10.1.2.3', 'none', '10.1.2.3'],
    ['', 'private', undefined],
  ]
  test.each(['', 'unknown', '10.0.0.9, 11.1.1.1', 'a, b', '1.1.1.1, unknown', ','])(
    'is the private peer itself when it says “%s”',
    async (chain) => {
      const headers = { 'x-forwarded-for': chain }
      expect(await facts(proxied, headers)).toMatchObject({ clientIp: '127.0.0.1' })
    },
  )

  test.each(peers)('a peer at %s with TRUST_PROXY=%s: %s', (remoteAddress, trust, sourceIp) => {
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })
    const request = new IncomingMessage(socket)
    const { event } = receive(request, Buffer.alloc(0), peerOf(socket, trust))
    expect(event.requestContext).toEqual(sourceIp === undefined ? undefined : { sourceIp })
  })
})

describe('the platform’s own headers', () => {
  const headers = recordedEvent('web-function-headers.json') as Record<string, string>
  const { 'X-Scf-Request-Id': id = '' } = headers

  test('never reach the function', async () => {
    const seen = proxied.events.length
    const answer = await facts(proxied, headers)
    expect(JSON.stringify(proxied.events.slice(seen))).not.toMatch(/scf/i)
    expect(JSON.stringify({ ...answer, requestId: '', echoedId: '' })).not.toContain('temp')
  })

  test('name the request and its time', async () => {
    const answer = await facts(proxied, headers)
    expect(answer).toMatchObject({ requestId: id, echoedId: id })
    expect(answer).toMatchObject({ remainingMs: expect.closeTo(3000, -3) })
  })

  test.each([
    ['no request id', {}],
    ['a request id with a line', { 'x-scf-request-id': 'a b' }],
    ['an endless request id', { 'x-scf-request-id': 'a'.repeat(65) }],
    ['no number of seconds', { 'x-scf-timeout': '1e3' }],
    ['more time than there is', { 'x-scf-timeout': '900' }],
  ])('are not believed with %s', async (_name, wrong: Record<string, string>) => {
    const answer = await facts(proxied, wrong)
    expect(answer).toMatchObject({ requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(answer).toMatchObject({ remainingMs: expect.closeTo(10_000, -3) })
  })

  test('leave enough time for an answer, whoever wrote them', async () => {
    for (const seconds of ['0', '1']) {
      const answer = await facts(proxied, { 'x-scf-timeout': seconds })
      expect(answer).toMatchObject({ remainingMs: expect.closeTo(3000, -3) })
    }
  })

  test('are not believed at all without a proxy', async () => {
    const answer = await facts(direct, headers)
    expect(answer).not.toMatchObject({ requestId: id })
    expect(answer).toMatchObject({ remainingMs: expect.closeTo(10_000, -3) })
  })
})

describe('the address and the body', () => {
  test.each([
    ['/facts', '/facts', ''],
    ['/facts?a=1&a=2&b=%20?&c', '/facts', 'a=1&a=2&b=%20?&c'],
    ['http://elsewhere.example/facts?a=1', '/facts', 'a=1'],
    ['http://elsewhere.example', '/', ''],
    ['//elsewhere.example/facts', '//elsewhere.example/facts', ''],
    ['/a/../facts', '/a/../facts', ''],
    ['/f%61cts', '/f%61cts', ''],
  ])('%s is taken apart and left as it is', async (target, path, queryString) => {
    const seen = proxied.events.length
    await exchange(proxied.url, `GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    expect(proxied.events.slice(seen)).toMatchObject([{ httpMethod: 'GET', path, queryString }])
  })

  test('query parameters arrive decoded, repeated ones as a list', async () => {
    const { input } = await facts(proxied, {}, '?a=%E5%BE%88&b=1&b=2&c')
    expect(input).toEqual({ a: '很', b: ['1', '2'], c: '' })
  })

  const post = (body: string | Buffer) =>
    fetch(`${proxied.url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
  test('text arrives as text, with its byte order mark, and bytes that are none are said to be wrong', async () => {
    expect(await (await post('{"txt1":"很好 😀"}')).json()).toEqual({ txt1: '很好 😀' })
    expect(await (await post('\ufeff{}')).json()).toMatchObject({ code: 'invalid-json' })
    const broken = await post(Buffer.from([0x7b, 0xff, 0x7d]))
    expect([broken.status, await broken.json()]).toMatchObject([400, { code: 'invalid-utf8' }])
  })
})
