import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLocalDatabase } from '../../../scripts/database/local-database.ts'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { ClientRequest } from '../../../scripts/local/events.ts'
import { type Gateway, startGateway } from '../../../scripts/local/gateway.ts'
import type { News, Table } from '../../../scripts/local/try-it/browser/told.ts'
import { curlLine } from '../../../scripts/local/try-it/curl.ts'
import { createExchanges } from '../../../scripts/local/try-it/exchanges.ts'
import { createTryIt } from '../../../scripts/local/try-it/try-it.ts'
import { startOfflineWeChat } from '../../../scripts/simulators/wechat/server.ts'
import { openDb } from '../../../shared/wiring/database.ts'

function requestOf(changes: Partial<ClientRequest> = {}): ClientRequest {
  const headers = { host: '127.0.0.1:3000', 'user-agent': 'curl/8', accept: '*/*' }
  const body = Buffer.alloc(0)
  return { method: 'GET', url: '/form', headers, body, clientIp: '127.0.0.1', ...changes }
}

describe('a curl line', () => {
  const host = '127.0.0.1:3000'
  test.each([
    ['a plain GET', {}, 'curl http://127.0.0.1:3000/form'],
    ['a DELETE', { method: 'DELETE' }, 'curl http://127.0.0.1:3000/form -X DELETE'],
    [
      'a POST without a body',
      { method: 'POST', url: '/logout' },
      'curl http://127.0.0.1:3000/logout -X POST',
    ],
    [
      'a body, with what a browser adds left out',
      {
        method: 'POST',
        headers: {
          host,
          'content-type': 'application/json',
          origin: 'http://x',
          'sec-fetch-site': 'x',
        },
        body: Buffer.from('{"txt1":"it\'s $HOME"}'),
      },
      `curl http://127.0.0.1:3000/form -H 'content-type: application/json' --data-raw '{"txt1":"it'\\''s $HOME"}'`,
    ],
    [
      'a body without a type, which curl would call a form',
      { method: 'POST', body: Buffer.from('x') },
      'curl http://127.0.0.1:3000/form -H content-type: --data-raw x',
    ],
    [
      'brackets, which curl would take for several addresses',
      { url: '/form?a[]=1' },
      "curl 'http://127.0.0.1:3000/form?a[]=1' -g",
    ],
  ])('asks the same again: %s', (_name, changes, line) => {
    expect(curlLine(requestOf(changes))).toBe(line)
  })

  test.each([
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
    ['a NUL', Buffer.from('a\0b')],
  ])('is not given for a body that no shell can hold: %s', (_name, body) => {
    expect(curlLine(requestOf({ method: 'POST', body }))).toBeUndefined()
  })

  test.each(["'; exit 1; '", '$(exit 1)', '`exit 1`', '\\', '\n', '"', '评分 😀', '-X'])(
    'hands %j to the shell as it is',
    async (text) => {
      const body = Buffer.from(text)
      const line = curlLine(requestOf({ method: 'POST', headers: { host, 'x-a': 'b' }, body }))
      const shell = `curl() { printf %s "\${@: -1}"; }; ${line}`
      const { stdout } = await promisify(execFile)('bash', ['-c', shell])
      expect(stdout).toBe(text)
    },
  )
})

describe('what a page is told', () => {
  const line = (requestId: string) => JSON.stringify({ requestId, route: 'GET /form', status: 200 })
  const answered = (requestId: string, changes: Partial<ClientRequest> = {}) => ({
    request: requestOf(changes),
    reply: { status: 200, headers: {}, body: Buffer.from('{}') },
    requestId,
    durationMs: 3,
  })

  test('each request has its own log lines, whether they come before its answer or after', async () => {
    const exchanges = createExchanges()
    exchanges.line(line('a'))
    exchanges.add(answered('a'))
    exchanges.add(answered('b'))
    const first = await exchanges.news('', 0)
    expect(first.exchanges.map(({ lines }) => lines)).toEqual([[line('a')], []])
    exchanges.line(line('b'))
    const second = await exchanges.news(first.run, first.version)
    expect(second.exchanges).toMatchObject([{ requestId: 'b', lines: [line('b')] }])
  })

  test('who knows everything waits for the next thing', async () => {
    const exchanges = createExchanges()
    const { run, version } = await exchanges.news('', 0)
    let news: News | undefined
    const waiting = exchanges.news(run, version).then((told) => {
      news = told
    })
    await new Promise(setImmediate)
    expect(news).toBeUndefined()
    exchanges.line('Error: nobody asked for this')
    await waiting
    expect(news).toMatchObject({ exchanges: [], otherLines: ['Error: nobody asked for this'] })
  })

  test('whoever knows another run is told everything', async () => {
    const exchanges = createExchanges()
    exchanges.add(answered('a'))
    expect((await exchanges.news('another', 99)).exchanges).toHaveLength(1)
  })

  test('a packed answer is readable, a long one shortened', async () => {
    const exchanges = createExchanges()
    const packed = gzipSync(Buffer.from('x'.repeat(30_000)))
    const reply = { status: 200, headers: { 'content-encoding': 'gzip' }, body: packed }
    exchanges.add({ ...answered('a'), reply })
    const [told] = (await exchanges.news('', 0)).exchanges
    expect(told?.answer).toBe(`${'x'.repeat(20_000)} …`)
  })

  test.each([
    [{ 'user-agent': 'curl/8.5' }, 'curl', undefined],
    [{ 'user-agent': 'Mozilla/5.0 wechatdevtools/1.06' }, 'DevTools', undefined],
    [{ referer: 'http://127.0.0.1:3000/try-it/phone/?person=oSomebody' }, 'phone', 'oSomebody'],
    [{ referer: 'not an address' }, 'unknown', undefined],
  ])('%j is sent by %s', async (headers, sender, person) => {
    const exchanges = createExchanges()
    exchanges.add(answered('a', { headers }))
    const [told] = (await exchanges.news('', 0)).exchanges
    expect(told).toMatchObject({ sender })
    expect(told?.person).toBe(person)
  })
})

describe('the page behind the gateway', () => {
  let gateway: Gateway
  const closers: (() => unknown)[] = []
  beforeAll(async () => {
    const wechat = await startOfflineWeChat({ appid: 'wx0123456789abcdef', secret: 'a'.repeat(32) })
    const database = await startLocalDatabase('sqlite::memory:')
    const db = await openDb(database.url)
    await migrate(db, { migrations: await readMigrations(), onStep: () => {} })
    await db.query(
      'insert into users (user_id, appid, openid, created_at, last_login_at, session_key_1, session_key_digest) values (?, ?, ?, ?, ?, ?, ?)',
      [
        Buffer.alloc(16, 1),
        'wx1',
        'oX',
        1,
        1_790_000_000_000,
        Buffer.alloc(60, 2),
        Buffer.alloc(32, 3),
      ],
    )
    await db.close()
    const tryIt = createTryIt({ wechat, databaseUrl: database.url, links: [] })
    gateway = await startGateway({
      port: 0,
      profile: 'function-url',
      route: () => undefined,
      pages: [tryIt],
    })
    closers.push(gateway.close, tryIt.close, database.close, wechat.close)
  })
  afterAll(async () => {
    for (const close of closers) await close()
  })
  const ask = (path: string, options: RequestInit = {}) => fetch(`${gateway.url}${path}`, options)

  test('is for browsers: a program that asks for / gets the problem it always got', async () => {
    const shown = await ask('/', { headers: { accept: 'text/html,*/*;q=0.8' } })
    expect(shown.headers.get('content-type')).toContain('text/html')
    for (const options of [{}, { method: 'POST' }, { headers: { accept: 'application/json' } }]) {
      const answer = await ask('/', options)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toContain('problem+json')
      expect(await answer.json()).toMatchObject({ code: 'not-found', status: 404 })
    }
  })

  test.each([
    ['a foreign Host', { host: 'miniscore.example' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
  ])('%s is refused by the page and all that belongs to it', async (_name, headers) => {
    for (const route of ['', 'about', 'news', 'rows', 'phone/', 'phone/sim/code']) {
      const path = route === '' ? '/' : `/try-it/${route}`
      expect(await statusOf(`${gateway.url}${path}`, headers)).toBe(403)
    }
  })

  test('nothing of it can be used by another origin, or frame another', async () => {
    for (const path of ['/try-it/about', '/try-it/page.css', '/try-it/rows']) {
      const { headers } = await ask(path)
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    }
  })

  test('rows are shown as they are stored, and what is sealed as sealed', async () => {
    const tables = (await (await ask('/try-it/rows')).json()) as Table[]
    const users = tables.find(({ name }) => name === 'users')
    const cell = (column: string) => users?.rows[0]?.[users.columns.indexOf(column)]
    expect(cell('openid')).toEqual({ kind: 'text', text: 'oX' })
    expect(cell('user_id')).toEqual({ kind: 'id', text: '01010101-0101-0101-0101-010101010101' })
    expect(cell('session_key_1')).toEqual({ kind: 'sealed', text: 'sealed, 60 bytes' })
    expect(cell('session_key_digest')).toEqual({ kind: 'digest', text: '03'.repeat(32) })
    expect(cell('last_login_at')).toEqual({ kind: 'time', text: '2026-09-21T14:13:20.000Z' })
    expect(cell('phone_sealed')).toEqual({ kind: 'null', text: '–' })
    expect(tables.flatMap(({ problem }) => problem ?? [])).toEqual([])
  })

  test('a phone is given codes for an openid and nothing else', async () => {
    const post = (body: string) => ask('/try-it/phone/sim/code', { method: 'POST', body })
    expect(await (await post('oSomebody')).json()).toEqual({ code: expect.stringMatching(/^0/) })
    expect((await post('x y')).status).toBe(400)
    expect((await post('')).status).toBe(400)
  })

  test('only somebody on the page is made what they are said to be', async () => {
    const answer = await ask('/try-it/people/prepare', { method: 'POST', body: 'oStranger0' })
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('openid')
  })
})

/** `fetch` of Node would not let these headers through. */
function statusOf(address: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      address,
      { headers: { accept: 'text/html', ...headers } },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
