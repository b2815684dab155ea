import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordedEvent } from '../../../support/http-events.ts'
import { articleForm, rating } from '../../../support/ratings.ts'
import { exchange } from '../../../support/raw-http.ts'
import {
  openWebFunctions,
  type WebFunctions,
  type WebProcess,
} from '../../../support/web-functions.ts'
import { startWorld, type World } from '../../../support/world.ts'

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }

let world: World
let functions: WebFunctions
const servers: Record<string, WebProcess> = {}
let login: string
let submit: string
let query: string
let token: string

beforeAll(async () => {
  world = await startWorld()
  functions = await openWebFunctions(world.environment)
  const urls = await Promise.all(
    ['login', 'submit-score', 'query-scores'].map(async (name) => {
      // As many requests at once as these tests send, however slow the machine.
      const server = await functions.start(name, { DATABASE_CONNECTIONS: '32' })
      servers[name] = server
      return server.url
    }),
  )
  ;[login = '', submit = '', query = ''] = urls
  token = await logIn()
})
afterAll(async () => {
  await functions?.close()
  await world?.close()
})

async function logIn(): Promise<string> {
  const { code } = await world.code()
  const response = await post(`${login}/login`, { code })
  expect(response.status).toBe(200)
  return ((await response.json()) as { token: string }).token
}

function post(url: string, body: unknown, headers: Record<string, string> = json) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(url, { method: 'POST', headers, body: text })
}

function mine(): Record<string, string> {
  return { ...json, authorization: `JWT ${token}` }
}

describe('the three functions as servers', () => {
  test('log a person in, take ratings as JSON and as the article’s form, and give them back', async () => {
    const asJson = await post(`${submit}/score`, rating({ txt1: '第一' }), mine())
    expect(asJson.status).toBe(201)
    const asForm = articleForm(rating({ txt1: '第二' }))
    expect((await post(`${submit}/score`, asForm, { ...mine(), ...form })).status).toBe(201)
    const page = await (await post(`${query}/query`, { acc_nbr: '13800138000' }, mine())).json()
    expect(page).toMatchObject({ items: [{ txt1: '第二' }, { txt1: '第一' }] })
  })

  test('work on many requests at once and lose none', async () => {
    const acc_nbr = '13900139000'
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => post(`${submit}/score`, rating({ acc_nbr }), mine())),
    )
    const ids = await Promise.all(
      answers.map(async (each) => ((await each.json()) as { id: string }).id),
    )
    expect(new Set(ids).size).toBe(30)
    const response = await post(`${query}/query`, { acc_nbr, limit: 100 }, mine())
    const { items } = (await response.json()) as { items: { id: string }[] }
    expect(items.map(({ id }) => id).sort()).toEqual(ids.sort())
  })

  test('answer one while another waits for WeChat', async () => {
    world.wechat.addFault({ kind: 'slow', path: '/sns/jscode2session', delayMs: 500 })
    let isLoggedIn = false
    const slow = logIn().then(() => {
      isLoggedIn = true
    })
    expect((await fetch(`${login}/nowhere`)).status).toBe(404)
    expect(isLoggedIn).toBe(false)
    await slow
  })

  test('write one line for each request, and no secret', () => {
    const output = Object.values(servers).map((server) => server.output())
    const lines = (servers['submit-score']?.output() ?? '').trim().split('\n').slice(1)
    expect(lines.length).toBe(32)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'request',
      transport: 'web',
      function: 'submit-score',
      route: 'POST /score',
      status: 201,
      coldStart: true,
    })
    for (const secret of [token, world.environment.WECHAT_SECRET ?? '', '13800138000']) {
      expect(output.join()).not.toContain(secret)
    }
  })
})

describe('an answer is the same as that of the event', () => {
  const platform = recordedEvent('web-function-headers.json') as Record<string, string>
  const requests: [string, string, Record<string, string>, string?][] = [
    ['GET', '/form', {}],
    ['GET', '/form', { origin: 'https://example.com' }],
    ['HEAD', '/form', {}],
    ['OPTIONS', '/query', {}],
    ['OPTIONS', '/nowhere', { origin: 'https://example.com' }],
    ['PUT', '/query', json, '{}'],
    ['DELETE', '/form', {}],
    ['GET', '/nowhere', {}],
    ['GET', '/score', {}],
    ['GET', '/score', { authorization: 'JWT x.y.z' }],
    ['POST', '/query', { ...json, authorization: 'JWT OWN' }, '{"acc_nbr":"10000"}'],
    ['POST', '/query', { ...json, authorization: 'bearer OWN' }, '{"acc_nbr":"10000"}'],
    ['POST', '/query', { ...json, authorization: 'JWT OWN' }, '{"acc_nbr":'],
    ['POST', '/query', { 'content-type': 'text/plain', authorization: 'JWT OWN' }, 'x'],
    ['POST', '/query', { ...json, 'content-encoding': 'gzip', authorization: 'JWT OWN' }, 'x'],
    ['GET', '/form', platform],
  ]
  test.each(requests)('%s %s %j', async (method, requestPath, given, body) => {
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('OWN', token)]),
    )
    const event = { httpMethod: method, path: requestPath, queryString: {}, headers, body }
    const expected = await world.handler('query-scores')(event)
    const response = await fetch(`${query}${requestPath}`, {
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      ...(body === undefined ? {} : { body }),
    })
    expect(response.status).toBe(expected.statusCode)
    const answered = Object.fromEntries(response.headers)
    // The server's own, and the one that names the request.
    for (const name of ['date', 'connection', 'keep-alive', 'content-length', 'x-request-id']) {
      delete answered[name]
      delete expected.headers[name]
    }
    expect(answered).toEqual(expected.headers)
    const sameId = (text: string): string => text.replace(/"requestId":"[^"]*"/, '')
    expect(sameId(await response.text())).toBe(method === 'HEAD' ? '' : sameId(expected.body))
  })

  test('no header or credential of the platform is answered or logged', async () => {
    const response = await fetch(`${query}/form`, { headers: platform })
    expect(response.headers.get('x-request-id')).toBe(platform['X-Scf-Request-Id'])
    const shown = JSON.stringify([...response.headers]) + (await response.text())
    for (const text of [shown, servers['query-scores']?.output() ?? '']) {
      expect(text).not.toContain(platform['X-Scf-Secret-Key'])
      expect(text).not.toContain(platform['X-Scf-Uin'])
      expect(text).not.toMatch(/x-scf/i)
    }
  })
})

describe('long answers', () => {
  /** The answer's head and body as they were sent; fetch would unpack them. */
  async function send(headers: string): Promise<{ head: string; body: Buffer }> {
    const received = await exchange(
      query,
      `GET /score?limit=100 HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: JWT ${token}\r\n${headers}\r\n`,
    )
    const at = received.indexOf('\r\n\r\n')
    return {
      head: received.slice(0, at).toLowerCase(),
      body: Buffer.from(received.slice(at + 4), 'latin1'),
    }
  }

  test.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
  ])('are packed for a client that accepts %s', async (accepted, coding, unpack) => {
    const plain = await send('')
    expect(plain.head).not.toContain('content-encoding')
    expect(plain.head).toContain('vary: accept-encoding')
    const { head, body } = await send(`accept-encoding: ${accepted}\r\n`)
    expect(head).toContain(`content-encoding: ${coding}`)
    expect(head).toContain('vary: accept-encoding')
    expect(head).toContain(`content-length: ${body.length}`)
    expect(body.length).toBeLessThan(plain.body.length / 4)
    expect(unpack(body).equals(plain.body)).toBe(true)
    expect(JSON.parse(plain.body.toString())).toMatchObject({ items: { length: 32 } })
  })

  test.each(['identity', 'gzip;q=0, br;q=0', 'zstd'])('are not packed for %s', async (accepted) => {
    const { head, body } = await send(`accept-encoding: ${accepted}\r\n`)
    expect(head).not.toContain('content-encoding')
    expect(JSON.parse(body.toString())).toMatchObject({ items: { length: 32 } })
  })

  test('travel the same way when the function compresses by itself', async () => {
    const own = await (await functions.start('query-scores', { COMPRESS: '1' })).url
    const response = await fetch(`${own}/score?limit=100`, { headers: mine() })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(await response.json()).toMatchObject({ items: { length: 32 } })
  })
})

describe('the program', () => {
  test('told to stop, answers the request under way and ends with 0', async () => {
    const server = await functions.start('login')
    const url = await server.url
    world.wechat.addFault({ kind: 'slow', path: '/sns/jscode2session', delayMs: 600 })
    const { code } = await world.code()
    world.wechat.clearRequests()
    const slow = post(`${url}/login`, { code })
    await expect.poll(() => world.wechat.requests().length).toBeGreaterThan(0)
    server.signal('SIGTERM')
    await expect.poll(() => server.output()).toContain('stopping')
    await expect(fetch(`${url}/login`)).rejects.toThrow()
    expect((await slow).status).toBe(200)
    expect(await server.exited).toBe(0)
  })

  test('ends with 0 on Ctrl-C when nothing is under way', async () => {
    const server = await functions.start('query-scores')
    await server.url
    server.signal('SIGINT')
    expect(await server.exited).toBe(0)
  })

  test('ends with 1 on a second Ctrl-C, whatever is under way', async () => {
    const server = await functions.start('login')
    const url = await server.url
    world.wechat.addFault({ kind: 'hang', path: '/sns/jscode2session' })
    world.wechat.clearRequests()
    const { code } = await world.code()
    const cut = post(`${url}/login`, { code }).catch(() => 'cut')
    await expect.poll(() => world.wechat.requests().length).toBeGreaterThan(0)
    server.signal('SIGINT')
    await expect.poll(() => server.output()).toContain('stopping')
    server.signal('SIGINT')
    expect(await server.exited).toBe(1)
    expect(await cut).toBe('cut')
  })

  test.each([
    ['PORT', '99999', 'PORT should be a number from 0 to 65535'],
    ['PORT', 'http', 'PORT should be a number from 0 to 65535'],
    ['TRUST_PROXY', 'all', 'TRUST_PROXY should be private or none'],
    ['HOST', '192.0.2.1', 'Cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL). Set PORT or HOST.'],
  ])('does not start with %s=%s and says why', async (name, value, sentence) => {
    const server = await functions.start('query-scores', { [name]: value })
    expect(await server.exited).toBe(1)
    expect(server.output().trim()).toBe(sentence)
  })

  test('listens on port 9000 of every address by default, as the platform asks', async () => {
    const server = await functions.start('query-scores', { PORT: '' })
    // The port may be somebody else's here; then the program says which one it wanted.
    await Promise.race([server.url, server.exited]).catch(() => {})
    expect(server.output()).toMatch(/^(listening on http:\/\/|Cannot listen on )0\.0\.0\.0:9000/)
    server.signal('SIGKILL')
  })

  test('with a wrong configuration ends with 1 at once, and names the variables without their values', async () => {
    const server = await functions.start('query-scores', { TOKEN_KEYS: 'weak', LOOKUP_KEY: '' })
    expect(await server.exited).toBe(1)
    expect(server.output()).toMatch(/TOKEN_KEYS should be id:key.*LOOKUP_KEY is not set/)
    expect(server.output()).not.toContain('weak')
  })

  test('required by a runtime, listens nowhere and loads no server', async () => {
    const file = await functions.file('query-scores')
    const script = `
      const exported = Object.keys(require(${JSON.stringify(file)}))
      const loaded = process.moduleLoadList.filter((name) => /NativeModule (http|zlib)$/.test(name))
      console.log(JSON.stringify({ exported, loaded, active: process.getActiveResourcesInfo() }))`
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script])
    const { exported, loaded, active } = JSON.parse(stdout) as Record<string, string[]>
    expect({ exported, loaded }).toEqual({ exported: ['main_handler'], loaded: [] })
    expect(active).not.toContain('TCPServerWrap')
  })
})
