import { beforeAll, describe, expect, test } from 'vitest'
import { startOfflineWeChat } from '../../../../scripts/simulators/wechat/server.ts'
import { type Answer, APPID, SECRET, type Started, started } from './started.ts'

const OTHER = { appid: 'wxother000000000000', secret: 'secret-of-the-other' }
const NOW_MS = Date.UTC(2026, 0, 15, 4)

let wx: Started
beforeAll(async () => {
  // Its end is the file's: the worker goes with it.
  wx = await started({ nowMs: NOW_MS }, () => undefined)
  await wx.post('/sim/apps', OTHER)
  return () => wx.wechat.close()
})

const tokenOf = async (app: { appid: string; secret: string }) =>
  String((await wx.stableToken(app)).access_token)

describe('several mini programs at once', () => {
  test('a code is good for the mini program it was issued in, and no other', async () => {
    const { code } = wx.wechat.issueCode({ appid: OTHER.appid })
    expect(await wx.exchange(code)).toMatchObject({ errcode: 40029 })
    expect(await wx.exchange(code, OTHER)).toHaveProperty('session_key')
  })

  test('a secret is good for its own mini program', async () => {
    const { code } = wx.wechat.issueCode({})
    expect(await wx.exchange(code, { secret: OTHER.secret })).toMatchObject({ errcode: 40125 })
    expect(await wx.exchange(code, { appid: 'wxnobody' })).toMatchObject({ errcode: 40013 })
  })

  test('the same openid is another person in another mini program, with a key of their own', async () => {
    const openid = 'oSameTextTwice'
    const one = await wx.exchange(wx.wechat.issueCode({ openid }).code)
    const two = await wx.exchange(wx.wechat.issueCode({ openid, appid: OTHER.appid }).code, OTHER)
    expect(one.openid).toBe(two.openid)
    expect(one.session_key).not.toBe(two.session_key)
  })

  test('tokens are apart: a forced refresh of one leaves the other, and people of one are none of the other', async () => {
    const { openid } = wx.wechat.issueCode({ appid: OTHER.appid })
    const [mine, other] = [await tokenOf({ appid: APPID, secret: SECRET }), await tokenOf(OTHER)]
    await wx.stableToken({ force_refresh: true })
    const check = (access_token: string, of = openid) =>
      wx.post(
        '/wxa/msg_sec_check',
        { version: 2, scene: 2, openid: of, content: '好' },
        { access_token },
      )
    expect(await check(mine)).toMatchObject({ errcode: 40001 })
    expect(await check(other)).toMatchObject({ errcode: 0 })
    expect(await check(await wx.token())).toMatchObject({ errcode: 43104 })
    expect(await check(await wx.token(), 'oNobodyAtAll')).toMatchObject({ errcode: 40003 })
    await wx.post('/sim/tokens/revoke', { appid: OTHER.appid })
    expect(await check(other)).toMatchObject({ errcode: 40001 })
  })

  test('a phone code of another mini program is refused with 40013', async () => {
    const { openid } = wx.wechat.issueCode({ appid: OTHER.appid })
    const order = { openid, phone: '13800138000', appid: OTHER.appid }
    const { code } = wx.wechat.issuePhoneCode(order)
    const ask = async (access_token: string): Promise<Answer> =>
      wx.post('/wxa/business/getuserphonenumber', { code }, { access_token })
    expect(await ask(await wx.token())).toMatchObject({ errcode: 40013 })
    expect(await ask(await tokenOf(OTHER))).toMatchObject({
      phone_info: { watermark: { appid: OTHER.appid } },
    })
  })

  test('a mini program without a secret of its own gets one, told once', async () => {
    const made = await wx.post('/sim/apps', { appid: 'wxmadeup' })
    const app = { appid: 'wxmadeup', secret: String(made.secret) }
    expect(await wx.stableToken(app)).toHaveProperty('access_token')
    expect(await wx.post('/sim/apps', { appid: 'wxmadeup' })).not.toHaveProperty('secret')
    expect(JSON.stringify(await wx.get('/sim/state'))).not.toContain(app.secret)
  })
})

describe('what holds for a mini program', () => {
  const order = (changes: object) => wx.post('/sim/apps', { ...OTHER, ...changes })
  const classic = () => wx.get('/cgi-bin/token', { ...OTHER, grant_type: 'client_credential' })

  test('a caller that is not on the address list gets no token (40164), but logs people in', async () => {
    await order({ ipList: ['203.0.113.7'] })
    const refused = await classic()
    expect(refused).toMatchObject({ errcode: 40164 })
    expect(refused.errmsg).toContain('invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist')
    expect(await wx.stableToken(OTHER)).toMatchObject({ errcode: 40164 })
    const { code } = wx.wechat.issueCode({ appid: OTHER.appid })
    expect(await wx.exchange(code, OTHER)).toHaveProperty('openid')
    const query = new URLSearchParams({ ...OTHER, grant_type: 'client_credential' })
    const listed = await fetch(`${wx.wechat.url}/cgi-bin/token?${query}`, {
      headers: { 'x-forwarded-for': '203.0.113.7, 10.0.0.1' },
    })
    expect(await listed.json()).toHaveProperty('access_token')
    await order({ ipList: [] })
    expect(await classic()).toHaveProperty('access_token')
  })

  test('a frozen secret is 40243 for tokens and logins, tokens already out still work', async () => {
    const access_token = await tokenOf(OTHER)
    await order({ state: 'secret-frozen' })
    expect(await classic()).toMatchObject({ errcode: 40243 })
    const { code } = wx.wechat.issueCode({ appid: OTHER.appid })
    expect(await wx.exchange(code, OTHER)).toMatchObject({ errcode: 40243 })
    const path = '/wxa/business/getuserphonenumber'
    expect(await wx.post(path, {}, { access_token })).toMatchObject({ errcode: 41008 })
    await order({ state: 'account-frozen' })
    expect(await wx.post(path, {}, { access_token })).toMatchObject({ errcode: 50007 })
    await order({ state: 'active' })
    expect(await wx.exchange(code, OTHER)).toHaveProperty('openid')
  })

  test('quotas end a minute (44991, 45011) and a day (45009, Beijing), each mini program for itself', async () => {
    const access_token = await tokenOf(OTHER)
    const { openid } = wx.wechat.issueCode({ appid: OTHER.appid })
    const path = '/wxa/msg_sec_check'
    const check = async () => {
      const body = { version: 2, scene: 2, openid, content: '好' }
      return (await wx.post(path, body, { access_token })).errcode
    }
    await order({ quotas: { [path]: { perMinute: 2, perDay: 3 } } })
    const before = (await quotas()).find((each) => each.path === path)?.today ?? 0
    await order({ quotas: { [path]: { perMinute: 2, perDay: before + 3 } } })
    wx.wechat.clock.advance(60_000)
    expect([await check(), await check(), await check()]).toEqual([0, 0, 44991])
    wx.wechat.clock.advance(60_000)
    expect([await check(), await check()]).toEqual([0, 45009])
    expect((await quotas()).find((each) => each.path === path)?.today).toBe(before + 3)
    wx.wechat.clock.advance(12 * 3600_000)
    wx.wechat.issueCode({ openid, appid: OTHER.appid })
    expect(await wx.stableToken(OTHER)).toHaveProperty('access_token')
    const renewed = await tokenOf(OTHER)
    const body = { version: 2, scene: 2, openid, content: '好' }
    expect(await wx.post(path, body, { access_token: renewed })).toMatchObject({ errcode: 0 })
  })

  async function quotas(): Promise<{ path: string; today: number }[]> {
    const { apps } = (await wx.get('/sim/state')) as {
      apps: { appid: string; quotas: { path: string; today: number }[] }[]
    }
    return apps.find(({ appid }) => appid === OTHER.appid)?.quotas ?? []
  }

  test('a session_key that has ended is 87007', async () => {
    const { openid } = await wx.exchange(wx.wechat.issueCode({}).code)
    expect(await wx.post('/sim/sessions/end', { openid })).toEqual({ ok: true })
    const query = {
      access_token: await wx.token(),
      openid: String(openid),
      signature: '0',
      sig_method: 'hmac_sha256',
    }
    expect(await wx.get('/wxa/checksession', query)).toMatchObject({ errcode: 87007 })
  })
})

describe('from a seed', () => {
  const options = { seed: 'monday', nowMs: NOW_MS }
  async function story({ wechat, get, post, exchange, token }: Started) {
    const issued = wechat.issueCode({})
    return JSON.stringify([
      issued,
      await exchange(issued.code),
      await exchange(issued.code),
      await token(),
      wechat.userData({ openid: issued.openid }),
      wechat.issuePhoneCode({ openid: issued.openid, phone: '13800138000' }),
      await post('/sim/apps', { appid: 'wxseeded' }),
      await get('/sim/state'),
    ])
  }

  test('the same requests get the same answers, to the last character; another seed others', async () => {
    const first = await started(options)
    const told = await story(first)
    await first.post('/sim/reset', {})
    expect(await story(first)).toBe(told)
    expect(await story(await started(options))).toBe(told)
    await first.post('/sim/reset', { seed: 'tuesday' })
    expect(await story(first)).not.toBe(told)
  })

  test('without a seed nothing repeats', async () => {
    expect(await story(await started({ nowMs: NOW_MS }))).not.toBe(
      await story(await started({ nowMs: NOW_MS })),
    )
  })
})

test('the clock can be set and stopped, and runs on from there', async () => {
  let realMs = NOW_MS
  const wechat = await startOfflineWeChat({ appid: APPID, secret: SECRET, now: () => realMs })
  const order = async (body: object) =>
    (await fetch(`${wechat.url}/sim/clock`, { method: 'POST', body: JSON.stringify(body) })).json()
  expect(await order({ nowMs: 1000, stopped: true })).toMatchObject({ nowMs: 1000, stopped: true })
  realMs += 5000
  expect(await order({ advanceMs: 10 })).toMatchObject({ nowMs: 1010, stopped: true })
  expect(await order({ stopped: false })).toMatchObject({ nowMs: 1010, stopped: false })
  realMs += 5000
  expect(wechat.clock.now()).toBe(6010)
  wechat.clock.reset()
  expect(wechat.clock.now()).toBe(realMs)
  await wechat.close()
})
