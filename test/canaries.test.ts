import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleFunction, functionNames } from '../scripts/build/bundle.ts'
import { openDb } from '../shared/wiring/database.ts'
import type { Answer } from './support/http-events.ts'
import { rating } from './support/ratings.ts'
import { startWorld, type World } from './support/world.ts'

/** Every secret of a run, and everything that was said: none of the first may be found in the second. */
let world: World
const answers: string[] = []
const bundles: string[] = []
const stored: string[] = []
const logged: Record<string, string> = {}
const kept: Record<string, string> = {}

beforeAll(async () => {
  world = await startWorld()
  const call: World['call'] = async (route, options) => {
    const answer: Answer = await world.call(route, options)
    answers.push(JSON.stringify(answer))
    return answer
  }
  for (const name of functionNames) {
    const { file } = await bundleFunction(name, {
      storeDoor: 'planetscale',
      outdir: 'dist/canaries',
    })
    bundles.push(await readFile(file, 'utf8'))
  }

  const sessionKey = randomBytes(16).toString('base64')
  const openid = 'oCanary000000000000000000000'
  const phone = '18612345678'
  const { code } = await world.code(openid)
  world.wechat.addFault({
    kind: 'raw',
    path: '/sns/jscode2session',
    body: JSON.stringify({ openid, session_key: sessionKey }),
  })
  const proof = randomBytes(24).toString('base64url')
  const login = await call('POST /login', { body: { code, device: 'canary-device' } })
  const { token, refreshToken } = login.body
  const text = 'canary text 文字'
  const account = '18700001111'
  await call('POST /score', { token, body: rating({ acc_nbr: account, txt1: text }) })
  await call('POST /score', { token, body: rating({ acc_nbr: account, grade1: 9 }) })
  await call('POST /score', { token: `${token}x`, body: rating() })
  await call('POST /query', { token, body: { acc_nbr: account } })
  await call('GET /login/devices', { token })
  const phoneCode = world.wechat.issuePhoneCode({ openid, phone }).code
  await call('POST /login/phone', { token, body: { code: phoneCode } })
  await call('POST /login/user-data', { token, body: world.wechat.userData({ openid }) })
  await call('POST /login/refresh', {
    body: { refreshToken },
    headers: { 'x-session-proof': proof },
  })
  for (const kind of ['reset', 'html', 'truncate'] as const) {
    world.wechat.addFault({ kind, path: '/sns/jscode2session' })
    await call('POST /login', { body: { code: (await world.code()).code } })
  }
  const db = await openDb(world.environment.DATABASE_URL ?? '')
  const { rows } = await db.query('select session_key_1, phone_sealed, phone_digest from users')
  await db.close()
  const readable = (value: unknown): string =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
  stored.push(...rows.flatMap((row) => Object.values(row).map(readable)))
  await call('DELETE /login/me', { token, body: { code: (await world.code(openid)).code } })

  const {
    TOKEN_KEYS = '',
    SEALING_KEYS = '',
    LOOKUP_KEY = '',
    WECHAT_SECRET = '',
  } = world.environment
  const { password } = new URL(world.environment.DATABASE_URL ?? '')
  Object.assign(kept, {
    tokenKey: TOKEN_KEYS.split(':')[1],
    sealingKey: SEALING_KEYS.split(':')[1],
    lookupKey: LOOKUP_KEY,
    appSecret: WECHAT_SECRET,
    databasePassword: password,
    sessionKey,
    openid,
    phone,
  })
  Object.assign(logged, { ...kept, token, refreshToken, code, phoneCode, proof, text, account })
})
afterAll(() => world?.close())

function leaks(secrets: Record<string, string>, places: readonly string[]): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => places.some((place) => secret !== '' && place.includes(secret)))
    .map(([name]) => name)
}

test('the run said enough to be worth searching', () => {
  expect(answers.length).toBeGreaterThan(10)
  expect(world.logLines.length).toBeGreaterThan(10)
  for (const secret of Object.values(logged)) expect(secret.length).toBeGreaterThan(6)
})

test('no secret, token, code, number, openid or text is in any log line', () => {
  expect(leaks(logged, world.logLines)).toEqual([])
})

test('no secret, session key, openid or whole number is in any answer', () => {
  expect(leaks(kept, answers)).toEqual([])
})

test('no secret is in any bundle', () => {
  expect(leaks(logged, bundles)).toEqual([])
})

test('session keys and phone numbers of people are stored sealed', () => {
  expect(stored.filter((value) => value !== 'null').length).toBeGreaterThanOrEqual(3)
  expect(leaks(logged, stored)).toEqual([])
})

test.each(['sessionKey', 'phone', 'token'])('a planted %s is found', (name) => {
  const planted = `{"level":"info","note":"${logged[name]}"}`
  expect(leaks(logged, [...world.logLines, planted])).toEqual([name])
})
