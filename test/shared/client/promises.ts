/** What the client promises, each as a check that a client without it does not pass. */

import assert from 'node:assert/strict'
import type { Breakage, ClientScene } from '../../support/client-scene.ts'
import type { FakePhone, Fault } from '../../support/fake-phone.ts'

export interface ClientPromise {
  name: string
  /** Rejects when the promise is broken. */
  check(scene: ClientScene, source: string): Promise<void>
  brokenBy: Breakage
}

let accounts = 20_000_000
/** A rating of an account of its own. */
export function newRating(changes: object = {}) {
  const acc_nbr = `${accounts++}`
  return {
    acc_nbr,
    grade1: 5,
    grade2: 4,
    grade3: 3,
    txt1: '很好 😀',
    txt2: '',
    txt3: '',
    ...changes,
  }
}

/** The stored session of the one client of a phone. */
export function storedSession(phone: FakePhone): { key: string; session: Record<string, unknown> } {
  const [key = ''] = [...phone.storage.keys()].filter((each) => each.endsWith('session'))
  return { key, session: JSON.parse(phone.storage.get(key) ?? '{}') as Record<string, unknown> }
}

/** Makes the token on the phone one that the server refuses. */
export function spoilToken(phone: FakePhone): void {
  const { key, session } = storedSession(phone)
  phone.storage.set(key, JSON.stringify({ ...session, token: `${session.token}x` }))
}

/** `fault` for the first `count` requests of a route, nothing for others. */
export function first(count: number, route: string, fault: Fault) {
  let left = count
  return ({ method, path }: { method: string; path: string }): Fault | undefined =>
    `${method} ${path}` === route && left-- > 0 ? fault : undefined
}

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)))
}

export const promises: ClientPromise[] = [
  {
    name: 'twenty-five calls at once log in once',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      const pages = await times(25, () => client.myScores())
      assert.equal(pages.length, 25)
      assert.equal(phone.logins(), 1)
      assert.equal(phone.sent('POST /login').length, 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'flight = flight || work()',
      by: 'flight = work()',
    },
  },
  {
    name: 'never more than ten requests are under way',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      await times(25, () => client.myScores())
      assert.equal(phone.peak(), 10)
    },
    brokenBy: { file: 'limits.ts', replace: 'CONCURRENT_MAX = 10', by: 'CONCURRENT_MAX = 25' },
  },
  {
    name: 'twenty-five refused calls refresh once and are all answered',
    async check(scene, source) {
      const phone = scene.phone()
      await scene.client(source, phone).login()
      spoilToken(phone)
      const client = scene.client(source, phone)
      await times(25, () => client.myScores())
      assert.equal(phone.sent('POST /login/refresh').length, 1)
      assert.equal(phone.sent('GET /score').length, 50)
      assert.equal(phone.logins(), 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'flight = flight || work()',
      by: 'flight = work()',
    },
  },
  {
    name: 'a refusal of the old session that comes late leaves the new one alone',
    async check(scene, source) {
      const phone = scene.phone()
      await scene.client(source, phone).login()
      spoilToken(phone)
      const client = scene.client(source, phone)
      let release = (): void => {}
      const until = new Promise<void>((resolve) => {
        release = resolve
      })
      phone.fault = first(1, 'GET /score', { kind: 'held', until })
      const late = client.myScores()
      await client.summary('13800138000')
      assert.equal(phone.sent('POST /login/refresh').length, 1)
      release()
      await late
      assert.equal(phone.sent('POST /login/refresh').length, 1)
      assert.equal(phone.logins(), 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'rejected ? rejected === current',
      by: 'rejected ? true',
    },
  },
  {
    name: 'a lost answer to a rating is asked for again and leaves one row',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      phone.fault = first(1, 'POST /score', { kind: 'lost-answer' })
      const rating = newRating()
      const { id, message } = await client.submit(rating)
      assert.equal(message, '数据提交成功')
      assert.equal(phone.sent('POST /score').length, 2)
      assert.deepEqual(
        (await scene.rows(rating.acc_nbr)).map((row) => row.id),
        [id],
      )
    },
    brokenBy: { file: 'carrier.ts', replace: "'idempotency-key'", by: "'x-other'" },
  },
  {
    name: 'a rating sent again after the app crashed is the same submission',
    async check(scene, source) {
      const phone = scene.phone()
      const rating = newRating()
      await scene.client(source, phone).login()
      phone.fault = first(9, 'POST /score', { kind: 'lost-answer' })
      await assert.rejects(scene.client(source, phone).submit(rating), { code: 'network' })
      phone.fault = () => undefined
      await scene.client(source, phone).submit(rating)
      assert.equal(
        new Set(phone.sent('POST /score').map(({ header }) => header['idempotency-key'])).size,
        1,
      )
      assert.equal((await scene.rows(rating.acc_nbr)).length, 1)
    },
    brokenBy: {
      file: 'submissions.ts',
      replace: "keep.write('unanswered', keys)",
      by: '',
    },
  },
  {
    name: 'the same rating given again after it was answered is a second one',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      const rating = newRating()
      await client.submit(rating)
      await client.submit(rating)
      assert.equal((await scene.rows(rating.acc_nbr)).length, 2)
    },
    brokenBy: { file: 'submissions.ts', replace: 'delete keys[digest]', by: '' },
  },
  {
    name: 'a lost answer to a login does not use the code up',
    async check(scene, source) {
      const phone = scene.phone()
      phone.fault = first(1, 'POST /login', { kind: 'lost-answer' })
      await scene.client(source, phone).login()
      assert.equal(phone.sent('POST /login').length, 2)
      assert.equal(phone.logins(), 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: '{ code, device, ...proof }',
      by: '{ code, ...proof }',
    },
  },
  {
    name: 'neither a lost answer to a refresh nor a server that is down costs anybody the session',
    async check(scene, source) {
      const phone = scene.phone()
      await scene.client(source, phone).login()
      spoilToken(phone)
      const client = scene.client(source, phone)
      phone.fault = first(3, 'POST /login/refresh', { kind: 'lost-answer' })
      await assert.rejects(client.myScores(), { code: 'network', retry: 'later' })
      phone.fault = first(1, 'POST /login/refresh', { kind: 'unreachable' })
      await client.myScores()
      assert.equal(phone.logins(), 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'if (error.status !== 401) throw error',
      by: '',
    },
  },
  {
    name: 'a session that has ended elsewhere is replaced by a new login',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      const [device] = await client.devices()
      const { session } = storedSession(phone)
      await scene.world.call('POST /logout', {
        body: {},
        token: `${session.token}`,
        headers: { 'x-session-proof': `${session.secret}` },
      })
      const [next] = await client.devices()
      assert.notEqual(next?.id, device?.id)
      assert.equal(phone.logins(), 2)
    },
    brokenBy: {
      file: 'client.ts',
      replace: 'if ((error as ClientError).status !== 401) throw error',
      by: 'throw error',
    },
  },
  {
    name: 'a stolen token is worth nothing without the secret of the phone',
    async check(scene, source) {
      const phone = scene.phone()
      await scene.client(source, phone).login()
      const { session } = storedSession(phone)
      const stolen = await scene.world.call('GET /score', { token: `${session.token}` })
      assert.equal(stolen.status, 401)
      const refresh = { refreshToken: session.refreshToken }
      assert.equal((await scene.world.call('POST /login/refresh', { body: refresh })).status, 401)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'bindsSession = true',
      by: 'bindsSession = false',
    },
  },
  {
    name: 'the callback of a phone button never calls wx.login',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      await assert.rejects(client.bindPhone('0'.repeat(64)), { code: 'signed-out', retry: 'login' })
      assert.equal(phone.logins(), 0)
      await client.login()
      assert.equal(phone.logins(), 1)
      const { openid } = await scene.world.code()
      const { code } = scene.world.wechat.issuePhoneCode({ openid, phone: '13812345678' })
      assert.deepEqual({ ...(await client.bindPhone(code)) }, { phone: '138****5678' })
      assert.equal(phone.logins(), 1)
    },
    brokenBy: {
      file: 'client.ts',
      replace: 'body: { code, loginCode }, mayLogIn: false',
      by: 'body: { code, loginCode }',
    },
  },
  {
    name: 'who has logged out stays so, also when the app is opened again, until login is called',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      await client.login()
      await client.logout()
      await assert.rejects(client.myScores(), { code: 'signed-out' })
      const again = scene.client(source, phone)
      await assert.rejects(again.devices(), { code: 'signed-out' })
      assert.equal(phone.logins(), 1)
      await again.login()
      assert.equal((await again.devices()).length, 1)
    },
    brokenBy: {
      file: 'session-keeper.ts',
      replace: 'signOut: () => change(false)',
      by: 'signOut: () => change(null)',
    },
  },
  {
    name: 'a server that asks to wait is not asked before, and then answers',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone)
      await client.login()
      const busy = {
        kind: 'answer',
        statusCode: 429,
        header: { 'RETRY-AFTER': '1' },
        data: tooMany,
      } as const
      phone.fault = first(1, 'GET /score', busy)
      const startedAtMs = performance.now()
      await client.myScores()
      assert.ok(performance.now() - startedAtMs >= 999)
    },
    brokenBy: { file: 'requests.ts', replace: '(retryAfterSeconds as number) * 1000 ||', by: '' },
  },
  {
    name: 'a wait of a minute is the person’s to decide on, and the error says how long',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone, { timeoutMs: 2000 })
      await client.login()
      const busy = {
        kind: 'answer',
        statusCode: 429,
        header: { 'retry-after': '60' },
        data: tooMany,
      } as const
      phone.fault = first(9, 'GET /score', busy)
      const waited = client.myScores().then(
        () => 'answered',
        ({ code, retryAfterSeconds }) => `${code} ${retryAfterSeconds}`,
      )
      const late = new Promise((resolve) => setTimeout(resolve, 3000, 'still waiting'))
      assert.equal(await Promise.race([waited, late]), 'too-many-requests 60')
    },
    brokenBy: {
      file: 'limits.ts',
      replace: 'RETRY_WAIT_MAX_MS = 10_000',
      by: 'RETRY_WAIT_MAX_MS = 99_000',
    },
  },
  {
    name: 'a call that hangs ends by itself',
    async check(scene, source) {
      const phone = scene.phone()
      const client = scene.client(source, phone, { timeoutMs: 50 })
      phone.fault = ({ path }) =>
        path === '/form' ? { kind: 'held', until: new Promise(() => {}) } : undefined
      const late = new Promise((resolve) => setTimeout(resolve, 3000, 'still waiting'))
      const ended = client.form().catch(({ code, detail }) => `${code} ${detail}`)
      assert.equal(await Promise.race([ended, late]), 'network timeout')
      assert.equal(phone.aborted(), 3)
    },
    brokenBy: { file: 'requests.ts', replace: "reject(networkError('timeout'))", by: 'undefined' },
  },
  {
    name: 'an aborted call rejects at once, ends its request, and makes room for the next',
    async check(scene, source) {
      const phone = scene.phone()
      const module = phone.open<typeof import('../../../shared/client/index.ts')>(source)
      const client = module.createClient({ baseUrl: scene.baseUrl, retryDelayMs: 10 })
      phone.fault = () => ({ kind: 'held', until: new Promise(() => {}) })
      const leaving = module.createAbort()
      const calls = times(12, () =>
        client.form({ signal: leaving.signal }).catch(({ code }) => code),
      )
      leaving.abort()
      assert.deepEqual(await calls, Array(12).fill('aborted'))
      phone.fault = () => undefined
      assert.equal((await client.form()).account.name, 'acc_nbr')
      assert.equal(phone.aborted(), 10)
      await assert.rejects(client.form({ signal: leaving.signal }), { code: 'aborted' })
    },
    brokenBy: { file: 'requests.ts', replace: 'attempt(() => cancel())', by: '' },
  },
]

const tooMany = JSON.stringify({
  code: 'too-many-requests',
  message: '操作过于频繁，请稍后再试',
  retry: 'later',
  status: 429,
  requestId: 'r',
})
