import { createDecipheriv } from 'node:crypto'
import { expect, test } from 'vitest'
import { APPID, type Started, started } from './started.ts'

const NOW_MS = 1_700_000_000_000
const PHONE = '13800138000'

async function withUser(): Promise<Started & { openid: string; sessionKey: string }> {
  const wx = await started({ nowMs: NOW_MS })
  const { code, openid } = wx.wechat.issueCode({})
  return { ...wx, openid, sessionKey: String((await wx.exchange(code)).session_key) }
}

async function phoneOf({ post, token }: Started, code: string) {
  return post('/wxa/business/getuserphonenumber', { code }, { access_token: await token() })
}

test('a phone code gives the number with its watermark, once, and is counted as paid', async () => {
  const wx = await withUser()
  const { code } = wx.wechat.issuePhoneCode({ openid: wx.openid, phone: PHONE })
  expect(wx.wechat.paidPhoneCalls()).toBe(0)
  expect(await phoneOf(wx, code)).toEqual({
    errcode: 0,
    errmsg: 'ok',
    phone_info: {
      phoneNumber: PHONE,
      purePhoneNumber: PHONE,
      countryCode: '86',
      watermark: { timestamp: NOW_MS / 1000, appid: APPID },
    },
  })
  expect(await phoneOf(wx, code)).toMatchObject({ errcode: 40029 })
  expect(wx.wechat.paidPhoneCalls()).toBe(1)
})

test('the country code comes as a number when asked for, and a foreign number with its prefix', async () => {
  const wx = await withUser()
  const order = { openid: wx.openid, phone: PHONE, countryCodeAs: 'number' } as const
  const numeric = wx.wechat.issuePhoneCode(order).code
  expect(await phoneOf(wx, numeric)).toMatchObject({ phone_info: { countryCode: 86 } })
  const foreign = { openid: wx.openid, phone: '51234567', countryCode: '852' }
  expect(await phoneOf(wx, wx.wechat.issuePhoneCode(foreign).code)).toMatchObject({
    phone_info: { phoneNumber: '+85251234567', purePhoneNumber: '51234567', countryCode: '852' },
  })
})

test('a phone code works until five minutes have passed, not after', async () => {
  const wx = await withUser()
  const early = wx.wechat.issuePhoneCode({ openid: wx.openid, phone: PHONE }).code
  const late = wx.wechat.issuePhoneCode({ openid: wx.openid, phone: PHONE }).code
  wx.wechat.clock.advance(5 * 60_000 - 1)
  expect(await phoneOf(wx, early)).toMatchObject({ errcode: 0 })
  wx.wechat.clock.advance(1)
  expect(await phoneOf(wx, late)).toMatchObject({ errcode: 40029 })
})

test('a login code is refused with 40029, a code of another mini program with 40013', async () => {
  const wx = await withUser()
  expect(await phoneOf(wx, wx.wechat.issueCode({}).code)).toMatchObject({ errcode: 40029 })
  const order = { openid: wx.openid, phone: PHONE, appid: 'wx0000000000000000' }
  const foreign = wx.wechat.issuePhoneCode(order).code
  expect(await phoneOf(wx, foreign)).toMatchObject({ errcode: 40013 })
})

test('a refused token leaves the code unused and costs nothing', async () => {
  const wx = await withUser()
  const { code } = wx.wechat.issuePhoneCode({ openid: wx.openid, phone: PHONE })
  const stale = { access_token: await wx.token() }
  wx.wechat.revokeTokens()
  const path = '/wxa/business/getuserphonenumber'
  expect(await wx.post(path, { code }, stale)).toMatchObject({ errcode: 40001 })
  expect(wx.wechat.paidPhoneCalls()).toBe(0)
  expect(await phoneOf(wx, code)).toMatchObject({ errcode: 0 })
})

test('GET is refused with 43002', async () => {
  const { get } = await started()
  expect(await get('/wxa/business/getuserphonenumber')).toMatchObject({ errcode: 43002 })
})

test('the older encrypted pair holds the same number and opens with the key of the login', async () => {
  const { wechat, openid, sessionKey } = await withUser()
  const { encryptedData, iv } = wechat.issuePhoneCode({ openid, phone: PHONE })
  const [key, start] = [Buffer.from(sessionKey, 'base64'), Buffer.from(iv, 'base64')]
  const decipher = createDecipheriv('aes-128-cbc', key, start)
  const plain = decipher.update(encryptedData, 'base64', 'utf8') + decipher.final('utf8')
  expect(JSON.parse(plain)).toMatchObject({ purePhoneNumber: PHONE, watermark: { appid: APPID } })
})
