import { describe, expect, test } from 'vitest'
import { APPID, SECRET, type Started, started } from './started.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** 12:00 in Beijing. */
const NOON_MS = Date.UTC(2026, 0, 15, 4)

/** The errcode a call with this token gets; 41008 means that the token itself was good. */
async function verdict({ post }: Started, access_token: unknown): Promise<unknown> {
  const query = { access_token: String(access_token) }
  return (await post('/wxa/business/getuserphonenumber', {}, query)).errcode
}
const GOOD = 41008

describe('stable_token in normal mode', () => {
  test('gives the same token while it is valid, with the time that is left', async () => {
    const wx = await started({ nowMs: NOON_MS })
    const first = await wx.stableToken()
    expect(first).toMatchObject({ expires_in: 7200 })
    wx.wechat.clock.advance(HOUR_MS)
    expect(await wx.stableToken()).toEqual({ ...first, expires_in: 3600 })
  })

  test('gives a new one in the last five minutes, and both work until the old one ends', async () => {
    const wx = await started({ nowMs: NOON_MS })
    const old = await wx.stableToken()
    wx.wechat.clock.advance(2 * HOUR_MS - 5 * MINUTE_MS)
    expect(await wx.stableToken()).toMatchObject({ ...old, expires_in: 300 })
    wx.wechat.clock.advance(1)
    const fresh = await wx.stableToken()
    expect(fresh.access_token).not.toBe(old.access_token)
    expect(fresh.expires_in).toBe(7200)
    wx.wechat.clock.advance(5 * MINUTE_MS - 2)
    expect(await verdict(wx, old.access_token)).toBe(GOOD)
    expect(await verdict(wx, fresh.access_token)).toBe(GOOD)
    wx.wechat.clock.advance(1)
    expect(await verdict(wx, old.access_token)).toBe(42001)
    expect(await verdict(wx, fresh.access_token)).toBe(GOOD)
  })

  test('never promises less than 300 seconds', async () => {
    const wx = await started({ nowMs: NOON_MS })
    for (let step = 0; step < 60; step += 1) {
      expect((await wx.stableToken()).expires_in).toBeGreaterThanOrEqual(300)
      wx.wechat.clock.advance(4 * MINUTE_MS + 700)
    }
  })
})

describe('stable_token with force_refresh', () => {
  test('kills the former token at once', async () => {
    const wx = await started({ nowMs: NOON_MS })
    const old = await wx.token()
    const forced = await wx.stableToken({ force_refresh: true })
    expect(await verdict(wx, old)).toBe(40001)
    expect(await verdict(wx, forced.access_token)).toBe(GOOD)
    expect(await wx.token()).toBe(forced.access_token)
  })

  test('does not refresh again within 30 seconds', async () => {
    const wx = await started({ nowMs: NOON_MS })
    const first = await wx.stableToken({ force_refresh: true })
    wx.wechat.clock.advance(29_999)
    expect((await wx.stableToken({ force_refresh: true })).access_token).toBe(first.access_token)
    wx.wechat.clock.advance(1)
    expect((await wx.stableToken({ force_refresh: true })).access_token).not.toBe(
      first.access_token,
    )
  })

  test('works 20 times a day, Beijing time, then 45009', async () => {
    const wx = await started({ nowMs: NOON_MS })
    for (let count = 0; count < 20; count += 1) {
      expect(await wx.stableToken({ force_refresh: true })).toHaveProperty('access_token')
      wx.wechat.clock.advance(30_000)
    }
    expect(await wx.stableToken({ force_refresh: true })).toMatchObject({ errcode: 45009 })
    expect(await wx.stableToken()).toHaveProperty('access_token')
    wx.wechat.clock.advance(12 * HOUR_MS)
    expect(await wx.stableToken({ force_refresh: true })).toHaveProperty('access_token')
  })
})

test('the classic token kills its predecessor and leaves the stable one alone', async () => {
  const wx = await started()
  const credentials = { grant_type: 'client_credential', appid: APPID, secret: SECRET }
  const stable = await wx.token()
  const one = await wx.get('/cgi-bin/token', credentials)
  const two = await wx.get('/cgi-bin/token', credentials)
  expect(one.expires_in).toBe(7200)
  expect(await verdict(wx, one.access_token)).toBe(40001)
  expect(await verdict(wx, two.access_token)).toBe(GOOD)
  expect(await verdict(wx, stable)).toBe(GOOD)
  await wx.stableToken({ force_refresh: true })
  expect(await verdict(wx, two.access_token)).toBe(GOOD)
})

test.each([
  [{ appid: undefined }, 41002],
  [{ secret: undefined }, 41004],
  [{ grant_type: 'authorization_code' }, 40002],
  [{ appid: 'wx0000000000000000' }, 40013],
  [{ secret: 'wrong' }, 40125],
])('stable_token with %j is refused with %i', async (changes, errcode) => {
  const { stableToken } = await started()
  expect(await stableToken(changes)).toMatchObject({ errcode })
})

test('stable_token refuses GET, an empty body and what is not a JSON object', async () => {
  const { wechat, get, post } = await started()
  const url = `${wechat.url}/cgi-bin/stable_token`
  const sent = async (body: string) =>
    JSON.parse(await (await fetch(url, { method: 'POST', body })).text()).errcode
  expect(await get('/cgi-bin/stable_token')).toMatchObject({ errcode: 43002 })
  expect(await sent('')).toBe(44002)
  expect(await sent('{"appid":')).toBe(47001)
  expect(await sent('[]')).toBe(47001)
  expect(await post('/cgi-bin/token', {})).toMatchObject({ errcode: 43001 })
})

test('a missing, malformed, unknown or revoked token has its own errcode each', async () => {
  const wx = await started()
  expect(await verdict(wx, '')).toBe(41001)
  expect(await verdict(wx, 'not a token')).toBe(40014)
  expect(await verdict(wx, `90_${'A'.repeat(132)}`)).toBe(40001)
  const token = await wx.token()
  wx.wechat.revokeTokens()
  expect(await verdict(wx, token)).toBe(40001)
  expect(await verdict(wx, await wx.token())).toBe(GOOD)
})
