import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  callerFromContext,
  callerFromEnvironment,
} from '../../../shared/transport/call-function.ts'
import { recordedEvent } from '../../support/http-events.ts'
import { rating } from '../../support/ratings.ts'
import { startWorld, type World } from '../../support/world.ts'

const OPENID = 'oFunctionCaller00000000000000'
const VICTIM = 'oVictim000000000000000000000'

let world: World
let written: Record<string, string>
beforeAll(async () => {
  world = await startWorld()
  written = { WX_OPENID: OPENID, WX_APPID: world.environment.WECHAT_APPID ?? '' }
})
afterAll(() => world?.close())

interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape they assert
  body: any
}
function callFunction(name: string, data: Record<string, unknown>, by = written) {
  return world.callFunction(name, data, by) as Promise<Reply>
}

describe('wx.cloud.callFunction', () => {
  test('a person submits and reads without a token: the platform says who they are', async () => {
    const added = await callFunction('submit-score', { route: 'POST /score', body: rating() })
    expect(added).toEqual({
      status: 201,
      body: { id: expect.any(String), message: '数据提交成功' },
    })
    const page = await callFunction('query-scores', { route: 'GET /score', query: { limit: 5 } })
    expect(page.body.items).toMatchObject([{ id: added.body.id, txt1: '很好' }])
    const query = { route: 'POST /query', body: { acc_nbr: '13800138000' } }
    expect((await callFunction('query-scores', query)).body.items).toHaveLength(1)
  })

  test('it is the same person who logs in over HTTP, with a session of its own kind', async () => {
    const { token } = await world.logIn(OPENID)
    expect((await world.call('GET /score', { token })).body.items).toHaveLength(1)
    const { body } = await world.call('GET /login/devices', { token })
    const devices = body.items.map(({ device }: { device: string }) => device)
    expect(devices).toEqual(expect.arrayContaining(['wx.cloud', '']))
  })

  test('an ended session starts anew with the next call, because the platform vouches again', async () => {
    const { token } = await world.logIn(OPENID)
    await world.call('POST /logout', { token, body: { everywhere: true } })
    expect((await callFunction('query-scores', { route: 'GET /score' })).status).toBe(200)
  })

  test('somebody else’s failures to decrypt lock nobody out', async () => {
    const junk = { route: 'POST /login/user-data', body: { encryptedData: 'AAAA', iv: 'AAAA' } }
    const stranger = { ...written, WX_OPENID: 'oStranger0000000000000000000' }
    for (let index = 0; index < 6; index++) await callFunction('login', junk, stranger)
    expect((await callFunction('login', junk, stranger)).status).toBe(429)
    expect((await callFunction('login', junk)).status).toBe(409)
  })

  test('Idempotency works as over HTTP', async () => {
    const data = { route: 'POST /score', body: rating({ acc_nbr: '10001' }), idempotencyKey: 'k1' }
    const answers = [
      await callFunction('submit-score', data),
      await callFunction('submit-score', data),
    ]
    expect(answers[0]?.body.id).toBe(answers[1]?.body.id)
  })

  test.each([
    ['no route', {}, 404],
    ['a route that is no text', { route: ['POST /score'] }, 404],
    ['an unknown route', { route: 'POST /nowhere' }, 404],
    ['a wrong method', { route: 'DELETE /score' }, 405],
    ['a bad field', { route: 'POST /score', body: rating({ grade1: 9 }) }, 400],
    ['half a character', { route: 'POST /score', body: rating({ txt1: '\ud800' }) }, 400],
    ['a body that is no object', { route: 'POST /score', body: [1] }, 400],
    ['too much', { route: 'POST /score', body: { txt1: 'a'.repeat(17_000) } }, 413],
  ])('%s is answered with a problem', async (_name, data, status) => {
    const answer = await callFunction('submit-score', data)
    expect(answer).toMatchObject({ status, body: { status, retry: 'never' } })
  })

  test('a caller of another mini program is nobody here', async () => {
    const foreign = { ...written, WX_APPID: 'wxffffffffffffffff' }
    const answer = await callFunction('query-scores', { route: 'GET /score' }, foreign)
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  })
})

describe('who calls is never taken from what the caller wrote', () => {
  test('userInfo, openid and WX_OPENID in the data change nothing', async () => {
    await world.logIn(VICTIM)
    const forged = {
      route: 'GET /login/devices',
      openid: VICTIM,
      WX_OPENID: VICTIM,
      userInfo: { openId: VICTIM, appId: written.WX_APPID },
      context: { environment: JSON.stringify({ ...written, WX_OPENID: VICTIM }) },
    }
    const { body } = await callFunction('login', forged)
    expect(body.items.every(({ device }: { device: string }) => device === 'wx.cloud')).toBe(true)
  })

  test('the recorded event alone, without the platform’s word, is nobody', async () => {
    const event = { ...recordedEvent('cloudbase-callfunction-event.json'), route: 'GET /score' }
    const answer = await world.handler('query-scores')(event)
    expect(answer.statusCode).toBe(404)
  })

  test('an HTTP event with userInfo or a forged context is an HTTP event', async () => {
    const event = {
      httpMethod: 'GET',
      path: '/score',
      headers: { 'x-wx-openid': VICTIM },
      queryString: { openid: VICTIM },
      userInfo: { openId: VICTIM, appId: written.WX_APPID },
      context: { environment: JSON.stringify({ ...written, WX_OPENID: VICTIM }) },
      WX_CONTEXT_KEYS: 'WX_OPENID,WX_APPID',
      WX_OPENID: VICTIM,
    }
    expect((await world.handler('query-scores')(event)).statusCode).toBe(401)
  })

  test('a function call that looks like an HTTP event is still a function call', async () => {
    const { token } = await world.logIn(VICTIM)
    const disguised = {
      httpMethod: 'GET',
      path: '/score',
      headers: { authorization: `JWT ${token}` },
      requestContext: { sourceIp: '1.2.3.4' },
    }
    expect((await callFunction('query-scores', disguised)).status).toBe(404)
  })
})

describe('what the platform wrote', () => {
  const good = { WX_OPENID: 'oPerson', WX_APPID: 'wxapp' }

  test.each([
    [JSON.stringify(good), { openid: 'oPerson', appid: 'wxapp' }],
    [JSON.stringify({ WX_OPENID: 'oPerson' }), undefined],
    [JSON.stringify({ ...good, WX_OPENID: '' }), undefined],
    [JSON.stringify({ ...good, WX_OPENID: "o' or 1=1" }), undefined],
    [JSON.stringify({ ...good, WX_OPENID: 5 }), undefined],
    ['null', undefined],
    ['not JSON', undefined],
    [undefined, undefined],
    [good, undefined],
  ])('context.environment %j', (environment, caller) => {
    expect(callerFromContext({ environment })).toEqual(caller)
  })

  test('variables count only when WX_CONTEXT_KEYS says they are of this call', () => {
    const keys = 'WX_OPENID,WX_APPID'
    expect(callerFromEnvironment({ ...good, WX_CONTEXT_KEYS: keys })).toEqual({
      openid: 'oPerson',
      appid: 'wxapp',
    })
    expect(callerFromEnvironment(good)).toBeUndefined()
    expect(callerFromEnvironment({ ...good, WX_CONTEXT_KEYS: 'WX_OPENID' })).toBeUndefined()
  })
})
