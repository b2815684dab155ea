import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleFunction } from '../../scripts/build/bundle.ts'
import { FunctionProcess } from '../../scripts/local/function-process.ts'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { playUpstream } from '../support/upstream-behaviour.ts'
import { startWorld, type World } from '../support/world.ts'
import upstream from '../vectors/wechat-upstream.json' with { type: 'json' }

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.close())
beforeEach(() => world.wechat.clearFaults())

function logInWith(body: unknown) {
  return world.call('POST /login', { body })
}

describe('POST /login', () => {
  test('a code becomes a token of 15 minutes, a refresh token of 30 days, and a user', async () => {
    const { code } = await world.code()
    const { status, body, headers } = await logInWith({ code })
    expect(status).toBe(200)
    expect(body).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      tokenType: 'JWT',
      expiresIn: 900,
      refreshToken: expect.stringMatching(/^rt_k1\.[\w-]{91}$/),
      refreshExpiresIn: 30 * 24 * 60 * 60,
      user: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    expect(headers['cache-control']).toBe('no-store')
  })

  test('the same person is the same user, another person is another', async () => {
    const first = await world.logIn()
    expect((await world.logIn(first.openid)).userId).toBe(first.userId)
    expect((await world.logIn()).userId).not.toBe(first.userId)
  })

  test('two openids that differ only in letter case are two users', async () => {
    const { openid, userId } = await world.logIn('oAbCdEfGhIjKlMnOpQrStUvWxYz0')
    const other = await world.logIn(openid.toLowerCase())
    expect(other.userId).not.toBe(userId)
  })

  test('a code works once and for five minutes', async () => {
    const { code } = await world.code()
    await logInWith({ code })
    expect(await logInWith({ code })).toMatchObject({
      status: 401,
      body: { code: 'wechat-rejected-code', retry: 'login' },
    })
    const late = await world.code()
    world.wechat.clock.advance(5 * 60 * 1000 + 1)
    expect((await logInWith({ code: late.code })).body.code).toBe('wechat-rejected-code')
  })

  test('someone WeChat calls high-risk is turned away for good', async () => {
    const { openid } = await world.code()
    world.wechat.setUser({ openid, risk: true })
    const { code } = await world.code(openid)
    expect(await logInWith({ code })).toMatchObject({
      status: 403,
      body: { code: 'wechat-blocked-user', retry: 'never' },
    })
  })

  test.each([
    ['no code', {}],
    ['a number', { code: 1 }],
    ['null', { code: null }],
    ['an empty code', { code: '' }],
    ['a code with a space', { code: 'a b' }],
    ['a code with a line break', { code: 'a\nb' }],
    ['a code of 129 characters', { code: 'a'.repeat(129) }],
    ['an array', { code: ['a'] }],
  ])('%s is refused, naming the field, without asking WeChat', async (_name, body) => {
    const before = world.wechat.requests().length
    expect(await logInWith(body)).toMatchObject({
      status: 400,
      body: { code: 'invalid-field', field: 'code' },
    })
    expect(world.wechat.requests()).toHaveLength(before)
  })

  test('an openid in the body is not accepted', async () => {
    const { code } = await world.code()
    expect(await logInWith({ code, openid: 'oSomebodyElse' })).toMatchObject({
      status: 400,
      body: { field: 'openid' },
    })
  })
})

describe('what WeChat may answer', () => {
  // A new instance each time: one that met five failures in a row stops asking for a while.
  beforeEach(() => world.restart())

  test('after five failures in a row WeChat is left alone for a moment', async () => {
    world.wechat.addFault({ kind: 'html', path: '/sns/jscode2session', times: 5 })
    for (let index = 0; index < 5; index++) {
      expect((await logInWith({ code: (await world.code()).code })).status).toBe(502)
    }
    const { code } = await world.code()
    const before = world.wechat.requests().length
    const answer = await logInWith({ code })
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'wechat-unavailable', retry: 'later' },
    })
    expect(answer.headers['retry-after']).toBe('2')
    expect(world.wechat.requests()).toHaveLength(before)
  })

  // One of each kind, by the bundle; all of them are in npm run drills -- B.
  const kinds =
    /^(ok-no-errcode|err-(-1|40163|45009|40013)|garbage-(empty|openid-sql)|status-302|refuse|reset-.*|hang-.*|lost-.*)$/
  const cases = upstream.cases.filter(({ id }) => kinds.test(id))
  test.each(cases.map((each) => [each.id, each] as const))('%s', async (_id, each) => {
    const { code } = await world.code()
    for (const fault of playUpstream(each.resp, { times: each.retry + 1 }))
      world.wechat.addFault(fault)
    const before = world.logLines.length
    const requestsBefore = world.wechat.requests().length
    const { status, body } = await logInWith({ code })
    // By the function's own word: starting its process is not part of the budget.
    expect(JSON.parse(world.logLines.at(-1) ?? '').durationMs).toBeLessThan(3000 + 1500)
    expect({ status, code: body.code ?? null }).toEqual(each.expect)
    expect(world.wechat.requests().length - requestsBefore).toBeLessThanOrEqual(1 + each.retry)
    const said = JSON.stringify(body) + world.logLines.slice(before).join('\n')
    expect(said).not.toContain('tiihtNczf5v6AKRyjwEUhQ')
    expect(said).not.toContain(world.environment.WECHAT_SECRET)
    expect(said).not.toContain(code)
    // What operators are alerted by.
    expect(JSON.parse(world.logLines.at(-1) ?? '').level).toBe(status >= 500 ? 'error' : 'info')
  })
})

test.each([
  ['mysql://user:secret-word@127.0.0.1:3306', 'mysql'],
  ['mysql://user:secret-word@127.0.0.1:3306/db?ssl=maybe', 'mysql'],
  ['https://user@127.0.0.1', 'planetscale'],
])(
  'a DATABASE_URL that cannot be used (%s) is a 500 whose log line names it',
  async (databaseUrl, storeDoor) => {
    const { file } = await bundleFunction('login', {
      storeDoor: storeDoor as StoreDoor,
      outdir: `dist/unusable-${storeDoor}`,
    })
    const lines: string[] = []
    const process = new FunctionProcess({
      name: 'login',
      file,
      environment: { ...world.environment, DATABASE_URL: databaseUrl },
      timeoutMs: 5000,
      onLine: (line) => lines.push(line),
    })
    const headers = { 'content-type': 'application/json' }
    const event = { httpMethod: 'POST', path: '/login', headers, body: '{"code":"abc"}' }
    const invocation = await process.invoke(event)
    await process.stop()
    expect(JSON.stringify(invocation)).toContain('misconfigured')
    expect(lines.join()).toMatch(/"variables":\["DATABASE_URL/)
    expect(lines.join()).not.toContain('secret-word')
  },
)
