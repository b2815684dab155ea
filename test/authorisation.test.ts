import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { functionNames } from '../scripts/build/bundle.ts'
import { matchesPath } from '../scripts/local/offline.ts'
import { createTokenSigner } from '../shared/session/token.ts'
import { findEndpoints } from './support/endpoints.ts'
import type { Answer } from './support/http-events.ts'
import { rating } from './support/ratings.ts'
import { readService } from './support/service.ts'
import { type LoggedIn, startWorld, type World } from './support/world.ts'

const endpoints = await findEndpoints()

/** A body that each route accepts from somebody who may call it; without a row a route fails below. */
const bodies: Record<string, unknown> = {
  'POST /login': { code: 'unknown' },
  'POST /login/refresh': { refreshToken: 'unknown' },
  'POST /logout': {},
  'GET /login/devices': undefined,
  'DELETE /login/devices/{id}': undefined,
  'POST /login/phone': { code: 'unknown' },
  'POST /login/user-data': { encryptedData: 'AAAA', iv: 'AAAA' },
  'DELETE /login/phone': undefined,
  'DELETE /login/me': { code: 'unknown' },
  'POST /score': rating(),
  'GET /score': undefined,
  'POST /query': { acc_nbr: '13800138000' },
  'POST /query/summary': { acc_nbr: '13800138000' },
  'GET /form': undefined,
}
const open = new Set(['POST /login', 'POST /login/refresh', 'GET /form'])

const OPERATOR = 'oOperator00000000000000000000'
const ACCOUNT = '13800138000'
let world: World
let author: LoggedIn
let stranger: LoggedIn
let holder: LoggedIn
let operator: LoggedIn
beforeAll(async () => {
  world = await startWorld({ environment: { OPERATORS: OPERATOR } })
  author = await world.logIn()
  stranger = await world.logIn()
  holder = await world.logIn()
  operator = await world.logIn(OPERATOR)
  const { code } = world.wechat.issuePhoneCode({ openid: holder.openid, phone: ACCOUNT })
  await world.call('POST /login/phone', { token: holder.token, body: { code } })
  for (const acc_nbr of [ACCOUNT, ACCOUNT, '99999']) {
    await world.call('POST /score', { token: author.token, body: rating({ acc_nbr }) })
  }
  await world.call('POST /score', { token: stranger.token, body: rating({ acc_nbr: '88888' }) })
})
afterAll(() => world?.close())

test('every endpoint has a row', () => {
  expect(endpoints.map(({ route }) => route).sort()).toEqual(Object.keys(bodies).sort())
})

test('serverless.yml routes every endpoint to exactly one function', async () => {
  const functions = await readService()
  for (const { route } of endpoints) {
    const path = route.split(' ')[1]?.replace('{id}', uuidV7()) ?? ''
    expect(functions.filter(({ paths }) => matchesPath(paths, path))).toHaveLength(1)
  }
  expect(functions.map(({ key }) => key).sort()).toEqual([...functionNames])
})

/** Tokens that must be worth nothing. */
const badTokens: [string, () => string | undefined | Promise<string>][] = [
  ['rubbish', () => 'rubbish'],
  ['two words', () => 'two words'],
  ['an endless token', () => 'a'.repeat(5000)],
  ['an expired token', () => signedAt(Date.now() - 2 * 60 * 60 * 1000, author.userId)],
  ['a token of a session that never was', () => signedAt(Date.now(), author.userId)],
  ['a token of a person who never was', () => signedAt(Date.now(), uuidV7())],
  [
    'a token of a session that was ended',
    async () => {
      const { token } = await world.logIn(author.openid)
      await world.call('POST /logout', { token })
      return token
    },
  ],
]

async function signedAt(atMs: number, userId: string): Promise<string> {
  const [kid = '', secret = ''] = (world.environment.TOKEN_KEYS ?? '').split(':')
  const signer = createTokenSigner({
    keys: [{ kid, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }],
    issuer: 'miniscore',
    audience: world.environment.WECHAT_APPID ?? '',
    lifetimeSeconds: 900,
    clockToleranceSeconds: 60,
    now: () => atMs,
  })
  return (await signer.sign({ userId, sessionId: uuidV7() })).token
}

test.each(endpoints.map(({ route }) => route))(
  'without a token, %s says to log in',
  async (route) => {
    const answer = await world.call(route.replace('{id}', uuidV7()), { body: bodies[route] })
    if (open.has(route)) expect(answer.body?.code).not.toBe('not-logged-in')
    else {
      expect(answer.body).toMatchObject({
        status: 401,
        code: 'not-logged-in',
        message: '请先登录',
        retry: 'login',
      })
    }
  },
)

describe('who × route', () => {
  const rows = endpoints.flatMap((endpoint) =>
    badTokens.map(([who, token]) => [who, endpoint.route, token] as const),
  )
  test.each(rows)('%s on %s', async (_who, route, makeToken) => {
    const token = await makeToken()
    const answer = await world.call(route.replace('{id}', uuidV7()), { token, body: bodies[route] })
    if (open.has(route)) expect(answer.body?.code).not.toBe('unauthenticated')
    else {
      const { requestId: _, ...problem } = answer.body
      expect(problem).toEqual({
        type: 'urn:miniscore:problem:unauthenticated',
        title: 'Unauthenticated',
        status: 401,
        code: 'unauthenticated',
        message: '登录状态已过期，请重试',
        retry: 'refresh',
      })
    }
  })
})

describe('who × route × whose data, reading', () => {
  const people = {
    author: () => author,
    stranger: () => stranger,
    holder: () => holder,
    operator: () => operator,
  }
  /** How many ratings each sees of: the number proved by the holder, the author's other account, the stranger's, none. */
  const expected: Record<keyof typeof people, [number, number, number, number]> = {
    author: [2, 1, 0, 0],
    stranger: [0, 0, 1, 0],
    holder: [2, 0, 0, 0],
    operator: [2, 1, 1, 0],
  }
  const accounts = [ACCOUNT, '99999', '88888', '77777']
  const rows = (Object.keys(people) as (keyof typeof people)[]).flatMap((who) =>
    accounts.map((acc_nbr, index) => [who, acc_nbr, expected[who][index]] as const),
  )

  test.each(rows)('%s sees of account %s: %i', async (who, acc_nbr, count) => {
    const { token } = people[who]()
    const page = await world.call('POST /query', { token, body: { acc_nbr } })
    const summary = await world.call('POST /query/summary', { token, body: { acc_nbr } })
    expect([page.body.items.length, summary.body.count]).toEqual([count, count])
  })

  test.each([
    ['author', 3],
    ['stranger', 1],
    ['holder', 0],
    ['operator', 0],
  ] as const)('%s has own ratings: %i', async (who, count) => {
    const { body } = await world.call('GET /score', { token: people[who]().token })
    expect(body.items).toHaveLength(count)
  })

  test('what may not be read and what is not there are answered alike', async () => {
    const answers = await Promise.all(
      [ACCOUNT, '77777'].map((acc_nbr) =>
        world.call('POST /query', { token: stranger.token, body: { acc_nbr } }),
      ),
    )
    const comparable = ({ status, body, headers }: Answer) =>
      JSON.stringify([status, body, { ...headers, 'x-request-id': '' }])
    expect(comparable(answers[0] as Answer)).toBe(comparable(answers[1] as Answer))
  })
})

describe('who × route × whose data, changing', () => {
  test('a rating belongs to the token’s user, whatever the body says', async () => {
    for (const field of ['user_id', 'userId', 'sub', 'openid', 'role', 'isOperator']) {
      const body = rating({ [field]: author.userId })
      expect((await world.call('POST /score', { token: stranger.token, body })).status).toBe(400)
    }
  })

  test.each([
    ['author', 404],
    ['holder', 404],
    ['operator', 404],
    ['stranger', 204],
  ] as const)('%s ending a device of the stranger: %i', async (who, status) => {
    const extra = await world.logIn(stranger.openid)
    const { body } = await world.call('GET /login/devices', { token: extra.token })
    const { id } = body.items.find((each: { current: boolean }) => each.current)
    const { token } = { author, holder, operator, stranger }[who]
    expect((await world.call(`DELETE /login/devices/${id}`, { token })).status).toBe(status)
  })

  test('forgetting oneself leaves everybody else’s data alone', async () => {
    const leaver = await world.logIn()
    await world.call('POST /score', { token: leaver.token, body: rating({ acc_nbr: ACCOUNT }) })
    const { code } = await world.code(leaver.openid)
    const answer = await world.call('DELETE /login/me', { token: leaver.token, body: { code } })
    expect(answer.status).toBe(204)
    const { body } = await world.call('POST /query', {
      token: holder.token,
      body: { acc_nbr: ACCOUNT },
    })
    expect(body.items).toHaveLength(2)
  })
})
