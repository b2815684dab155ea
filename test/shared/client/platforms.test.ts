import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, createAbort, createClient } from '../../../shared/client/index.ts'
import { sha256 } from '../../../shared/client/sha256.ts'
import { type ClientScene, clientSource, startClientScene } from '../../support/client-scene.ts'
import { first, newRating } from './promises.ts'

let scene: ClientScene
let source: string
beforeAll(async () => {
  scene = await startClientScene()
  source = await clientSource()
})
afterAll(() => scene?.close())

const getLoginCode = async () => (await scene.world.code()).code
const open = (options: Partial<ClientOptions> = {}) =>
  createClient({ baseUrl: scene.baseUrl, retryDelayMs: 10, getLoginCode, ...options })

describe('every call', () => {
  test('goes its way on a phone', async () => {
    const client = scene.client(source, scene.phone())
    expect(await client.login()).toEqual({ id: expect.any(String) })
    const [rating, other] = [newRating(), newRating()]
    const { id } = await client.submit(rating)
    await client.submit(other)
    const own = await client.myScores({ limit: 1 })
    expect(own.items).toMatchObject([other])
    expect((await client.myScores({ cursor: own.next })).items).toMatchObject([rating])
    const page = await client.query(rating.acc_nbr, { limit: 5 })
    expect(page).toMatchObject({ items: [{ id }], next: null })
    expect((await client.query(rating.acc_nbr, { since: page.since })).items).toHaveLength(0)
    expect((await client.summary(rating.acc_nbr)).grades.grade1).toEqual({
      mean: 5,
      counts: { 5: 1 },
    })
    expect((await client.form()).grades).toHaveLength(3)
  })

  test('devices bear the phone’s name; one is ended, and ending it twice is no error', async () => {
    const phone = scene.phone()
    const [here, there] = [scene.client(source, phone), scene.client(source, phone)]
    await here.login()
    phone.storage.clear()
    await there.login()
    const devices = await here.devices()
    expect(devices.map(({ device }) => device)).toEqual([
      expect.stringMatching(/^Mate 60 /),
      expect.stringMatching(/^Mate 60 /),
    ])
    const other = devices.find(({ current }) => !current)
    await here.endDevice(other?.id ?? '')
    await here.endDevice(other?.id ?? '')
    expect(await here.devices()).toHaveLength(1)
  })

  test('a number is given up where the server will take it back', async () => {
    const phone = scene.phone()
    // The server's side answers 405 until it is there.
    phone.fault = first(1, 'DELETE /login/phone', { kind: 'answer', statusCode: 204, data: '' })
    expect(await scene.client(source, phone).unbindPhone()).toBeUndefined()
    expect(phone.sent('DELETE /login/phone')).toHaveLength(1)
  })

  test('a person who wants to be forgotten is, and is not logged in again unasked', async () => {
    const phone = scene.phone()
    const client = scene.client(source, phone)
    const rating = newRating()
    await client.submit(rating)
    await client.forgetMe()
    expect(await scene.rows(rating.acc_nbr)).toEqual([])
    await expect(client.myScores()).rejects.toMatchObject({ code: 'signed-out' })
    // One to log in, and one to leave.
    expect(phone.logins()).toBe(2)
  })

  test('logging out everywhere ends the other devices too', async () => {
    const phones = [scene.phone({ openid: 'oTwoPhones' }), scene.phone({ openid: 'oTwoPhones' })]
    const [here, there] = phones.map((phone) => scene.client(source, phone))
    await here?.login()
    await there?.login()
    await here?.logout({ everywhere: true })
    await there?.myScores()
    expect(phones.map((phone) => phone.logins())).toEqual([1, 2])
  })
})

describe('a problem', () => {
  test('is an error with code, message, retry, field, status and the request’s id', async () => {
    const client = scene.client(source, scene.phone())
    const refused = client.submit({ ...newRating(), grade2: 9 })
    await expect(refused).rejects.toMatchObject({
      name: 'ClientError',
      code: 'invalid-field',
      field: 'grade2',
      retry: 'never',
      status: 400,
      message: expect.stringContaining('1 到 5'),
      requestId: expect.stringMatching(/./),
    })
  })

  test.each([
    ['a page of a gateway', { statusCode: 502, data: '<html>' }, 'later', 3],
    ['the page of a hotel', { statusCode: 200, data: '<html>' }, 'later', 3],
    [
      'a function that timed out',
      { statusCode: 200, data: '{"errorCode":-1,"errorMessage":"timed out"}' },
      'later',
      3,
    ],
    [
      'a refusal that is not ours',
      { statusCode: 403, data: '{"message":"Forbidden"}' },
      'never',
      1,
    ],
  ])('%s is told as a bad answer', async (_what, answer, retry, tries) => {
    const phone = scene.phone()
    phone.fault = () => ({ kind: 'answer', ...answer })
    const asked = scene.client(source, phone).form()
    await expect(asked).rejects.toMatchObject({
      code: 'bad-answer',
      retry,
      status: answer.statusCode,
    })
    expect(phone.requests).toHaveLength(tries)
  })

  test('a phone without a network is told so after three tries, in WeChat’s words for the developer', async () => {
    const phone = scene.phone()
    phone.fault = () => ({ kind: 'unreachable' })
    await expect(scene.client(source, phone).form()).rejects.toMatchObject({
      code: 'network',
      retry: 'later',
      status: 0,
      detail: expect.stringContaining('request:fail'),
    })
    expect(phone.requests).toHaveLength(3)
  })

  test('a code that was used up is replaced by a fresh one, once', async () => {
    const phone = scene.phone()
    const used = {
      code: 'wechat-rejected-code',
      message: '登录凭证已失效',
      retry: 'login',
      status: 401,
    }
    const rejected = { kind: 'answer', statusCode: 401, data: JSON.stringify(used) } as const
    phone.fault = first(1, 'POST /login', rejected)
    await scene.client(source, phone).login()
    expect(phone.logins()).toBe(2)
    const other = scene.phone()
    other.fault = first(9, 'POST /login', rejected)
    await expect(scene.client(source, other).login()).rejects.toMatchObject({ code: used.code })
    expect(other.logins()).toBe(2)
  })

  test.each([
    [undefined, 'baseUrl'],
    ['example.com', 'baseUrl'],
    [{ login: 'https://a', 'submit-score': 'https://b', 'query-scores': '' }, 'baseUrl'],
  ])('a client without an address is not made: %j', (baseUrl, message) => {
    expect(() => createClient({ baseUrl } as ClientOptions)).toThrow(message)
  })
})

describe('what a phone keeps', () => {
  test('is apart for each version of the mini program and each server', async () => {
    const [develop, trial] = [scene.phone(), scene.phone({ envVersion: 'trial' })]
    for (const phone of [develop, trial]) {
      await scene.client(source, phone).login()
      const functions = {
        login: scene.baseUrl,
        'submit-score': scene.baseUrl,
        'query-scores': scene.baseUrl,
      }
      await scene.client(source, phone, { baseUrl: functions }).login()
      expect(phone.logins()).toBe(2)
      expect(phone.storage.size).toBe(2)
    }
    expect([...develop.storage.keys()]).not.toEqual([...trial.storage.keys()])
  })

  test('is used by the next start of the app: no second login', async () => {
    const phone = scene.phone()
    await scene.client(source, phone).myScores()
    await scene.client(source, phone).myScores()
    expect(phone.logins()).toBe(1)
  })

  test('is what another client of the same app has renewed meanwhile, and the session goes on', async () => {
    const phone = scene.phone()
    const [one, other] = [scene.client(source, phone), scene.client(source, phone)]
    await one.login()
    const late = scene.client(source, phone)
    const refuseOnce = () => first(1, 'GET /score', { kind: 'answer', statusCode: 401, data: '{}' })
    phone.fault = refuseOnce()
    await one.myScores()
    phone.fault = refuseOnce()
    await late.myScores()
    await other.myScores()
    expect(phone.sent('POST /login/refresh')).toHaveLength(1)
    expect(phone.logins()).toBe(1)
  })

  test('lives as long as the page when the storage is full', async () => {
    const phone = scene.phone()
    phone.wx.setStorageSync = () => {
      throw new Error('setStorageSync:fail exceed storage max size')
    }
    const client = scene.client(source, phone)
    const rating = newRating()
    phone.fault = first(3, 'POST /score', { kind: 'lost-answer' })
    await expect(client.submit(rating)).rejects.toMatchObject({ code: 'network' })
    await client.submit(rating)
    expect(await scene.rows(rating.acc_nbr)).toHaveLength(1)
    expect(phone.logins()).toBe(1)
  })

  test('holds no text and no number of a rating that is not answered yet', async () => {
    const phone = scene.phone()
    phone.fault = first(3, 'POST /score', { kind: 'unreachable' })
    const rating = newRating({ txt1: '只给你看' })
    await expect(scene.client(source, phone).submit(rating)).rejects.toThrow()
    const kept = [...phone.storage].flat().join()
    expect(kept).toContain('unanswered')
    expect(kept).not.toContain('只给你看')
    expect(kept).not.toContain(rating.acc_nbr)
  })
})

describe('other platforms', () => {
  test('with fetch alone everything goes the same way', async () => {
    const client = open()
    const rating = newRating()
    await client.submit(rating)
    expect((await client.query(rating.acc_nbr)).items).toMatchObject([rating])
    await expect(client.query('')).rejects.toMatchObject({ field: 'acc_nbr' })
    const leaving = new AbortController()
    const call = client.form({ signal: leaving.signal })
    leaving.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
  })

  test('an aborted fetch is ended, not only forgotten', async () => {
    let signal: AbortSignal | undefined
    const hanging: ClientOptions['fetch'] = (_url, options) => {
      signal = options.signal
      return new Promise(() => {})
    }
    const leaving = createAbort()
    const call = open({ fetch: hanging }).form({ signal: leaving.signal })
    leaving.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(signal?.aborted).toBe(true)
  })

  test('functions with an address each are found', async () => {
    const asked: string[] = []
    const fetchAt: ClientOptions['fetch'] = (url, options) => {
      asked.push(url.replace(/\?.*/, ''))
      return fetch(url.replace(/https:\/\/\w+\.example/, scene.baseUrl), options)
    }
    const client = open({
      fetch: fetchAt,
      baseUrl: {
        login: 'https://a.example/',
        'submit-score': 'https://b.example',
        'query-scores': 'https://c.example',
      },
    })
    await client.submit(newRating())
    await client.myScores({ limit: 2 })
    await client.query('13800138000')
    await client.logout()
    expect(asked).toEqual([
      'https://a.example/login',
      'https://b.example/score',
      'https://b.example/score',
      'https://c.example/query',
      'https://a.example/logout',
    ])
  })

  test('Taro and uni-app answer by promise as well, and a failure is reported once', async () => {
    const unheard = vi.fn()
    process.on('unhandledRejection', unheard)
    const { wx } = scene.phone()
    const taro = {
      ...wx,
      // Without `abort`, as Taro's task has been.
      request: (options: Parameters<typeof wx.request>[0]) =>
        new Promise((_resolve, reject) => {
          const fail = (failure: { errMsg?: string }) => {
            options.fail(failure)
            reject(new Error(failure.errMsg))
          }
          wx.request({ ...options, url: 'http://127.0.0.1:1/', fail })
        }),
    }
    const client = open({ wx: taro as never, timeoutMs: 5000 })
    await expect(client.form()).rejects.toMatchObject({ code: 'network' })
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('unhandledRejection', unheard)
    expect(unheard).not.toHaveBeenCalled()
  })

  test('wx.cloud carries the same calls to the functions by name, without a login', async () => {
    const openid = 'oCloudPerson0001'
    const called: string[] = []
    const client = createClient({
      functionName: (name) => `prod-${name}`,
      cloud: {
        async callFunction({ name, data }) {
          called.push(name)
          const environment = JSON.stringify({
            WX_OPENID: openid,
            WX_APPID: scene.world.environment.WECHAT_APPID,
          })
          const result = await scene.world.callFunction(
            name.replace('prod-', ''),
            JSON.parse(JSON.stringify(data)) as Record<string, unknown>,
            {
              WX_CONTEXT_KEYS: 'WX_OPENID,WX_APPID',
              ...(JSON.parse(environment) as Record<string, string>),
            },
          )
          return { result }
        },
      },
    })
    expect(await client.login()).toBeUndefined()
    const rating = newRating()
    await client.submit(rating)
    expect((await client.query(rating.acc_nbr)).items).toMatchObject([rating])
    expect((await client.myScores({ limit: 1 })).items).toMatchObject([rating])
    await client.devices()
    await expect(client.submit({ ...rating, grade1: 0 })).rejects.toMatchObject({
      field: 'grade1',
      retry: 'never',
    })
    expect(called).toEqual(
      ['submit-score', 'query-scores', 'submit-score', 'login', 'submit-score'].map(
        (name) => `prod-${name}`,
      ),
    )
  })

  test('a function that wx.cloud cannot reach is a network error', async () => {
    const callFunction = () =>
      Promise.reject({ errCode: -504003, errMsg: 'callFunction:fail -504003' })
    const client = createClient({ cloud: { callFunction }, retryDelayMs: 1 })
    await expect(client.form()).rejects.toMatchObject({
      code: 'network',
      detail: expect.stringContaining('-504003'),
    })
  })
})

test('the digest is SHA-256, whatever the length', () => {
  for (let length = 0; length < 200; length++) {
    const text = 'aZ9~ -'.repeat(40).slice(0, length)
    expect(sha256(text)).toBe(createHash('sha256').update(text).digest('base64url'))
  }
})
