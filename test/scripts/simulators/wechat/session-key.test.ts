import { createDecipheriv, createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encryptUserData } from '../../../../scripts/simulators/wechat/encryption.ts'
import vectors from '../../../vectors/wechat-decrypt.json' with { type: 'json' }
import { APPID, type Started, started } from './started.ts'

const NOW_MS = 1_700_000_000_000

function decrypt(data: { encryptedData: string; iv: string }, sessionKey: string): string {
  const [key, iv] = [Buffer.from(sessionKey, 'base64'), Buffer.from(data.iv, 'base64')]
  const decipher = createDecipheriv('aes-128-cbc', key, iv)
  const bytes = [decipher.update(data.encryptedData, 'base64'), decipher.final()]
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes))
}

type Sample = Record<'id' | 'appid' | 'encryptedData' | 'iv' | 'sessionKey', string>

async function login({ wechat, exchange }: Started, openid?: string) {
  const order = openid === undefined ? {} : { openid }
  const answer = await exchange(wechat.issueCode(order).code)
  return { openid: String(answer.openid), sessionKey: String(answer.session_key) }
}

describe('user data', () => {
  test('opens with the session_key, carries openId, watermark and a signature over rawData', async () => {
    const wx = await started({ nowMs: NOW_MS })
    const { openid, sessionKey } = await login(wx)
    wx.wechat.setUser({ openid, unionid: 'union-1' })
    const userInfo = { nickName: '小明😀', city: '南京' }
    const data = wx.wechat.userData({ openid, userInfo })
    const plain = JSON.parse(decrypt(data, sessionKey))
    expect(plain).toMatchObject({ openId: openid, unionId: 'union-1', ...userInfo })
    expect(plain.watermark).toEqual({ timestamp: NOW_MS / 1000, appid: APPID })
    expect(JSON.parse(data.rawData)).toMatchObject(userInfo)
    expect(JSON.parse(data.rawData)).not.toHaveProperty('openId')
    const signature = createHash('sha1').update(`${data.rawData}${sessionKey}`).digest('hex')
    expect(data.signature).toBe(signature)
  })

  test('uses a fresh iv each time, and the watermark of another mini program when asked', async () => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    const one = wx.wechat.userData({ openid })
    const two = wx.wechat.userData({ openid, appid: 'wx0000000000000000' })
    expect(one.iv).not.toBe(two.iv)
    expect(JSON.parse(decrypt(two, sessionKey)).watermark.appid).toBe('wx0000000000000000')
  })

  test("encrypts WeChat's published sample to the published bytes", () => {
    const samples = vectors.decryptCases as Partial<Sample>[]
    const sample = samples.find(({ id }) => id === 'official-sample')
    const { encryptedData = '', iv = '', sessionKey = '' } = sample ?? {}
    const plain = decrypt({ encryptedData, iv }, sessionKey)
    expect(JSON.parse(plain).watermark.appid).toBe(sample?.appid)
    expect(encryptUserData(plain, sessionKey, iv).encryptedData).toBe(encryptedData)
  })
})

describe('rotation', () => {
  test('every new code brings a new key; data made afterwards no longer opens with the old one', async () => {
    const wx = await started()
    const first = await login(wx)
    const before = wx.wechat.userData({ openid: first.openid })
    const second = await login(wx, first.openid)
    expect(second.sessionKey).not.toBe(first.sessionKey)
    const after = wx.wechat.userData({ openid: first.openid })
    expect(JSON.parse(decrypt(before, first.sessionKey)).openId).toBe(first.openid)
    expect(JSON.parse(decrypt(after, second.sessionKey)).openId).toBe(first.openid)
    expect(() => JSON.parse(decrypt(after, first.sessionKey))).toThrow()
  })

  test('the key changes when the code is issued, so a server that exchanges late holds a stale key', async () => {
    const wx = await started()
    const { code, openid } = wx.wechat.issueCode({})
    wx.wechat.issueCode({ openid })
    const stale = String((await wx.exchange(code)).session_key)
    const data = wx.wechat.userData({ openid })
    expect(() => JSON.parse(decrypt(data, stale))).toThrow()
    expect(await check(wx, openid, stale)).toMatchObject({ errcode: 87009 })
  })

  test('the phone button leaves the key as it is', async () => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    wx.wechat.issuePhoneCode({ openid, phone: '13800138000' })
    expect(await check(wx, openid, sessionKey)).toMatchObject({ errcode: 0 })
  })
})

function signed(openid: string, key: string | Buffer): Record<string, string> {
  const signature = createHmac('sha256', key).update('').digest('hex')
  return { openid, signature, sig_method: 'hmac_sha256' }
}

async function check({ get, token }: Started, openid: string, key: string | Buffer) {
  return get('/wxa/checksession', { access_token: await token(), ...signed(openid, key) })
}

describe('checksession and resetusersessionkey', () => {
  test('the key to sign with is the base64 text, not its bytes', async () => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    expect(await check(wx, openid, sessionKey)).toEqual({ errcode: 0, errmsg: 'ok' })
    const bytes = Buffer.from(sessionKey, 'base64')
    expect(await check(wx, openid, bytes)).toMatchObject({ errcode: 87009 })
  })

  test('a reset gives a new key and kills the old one', async () => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    const query = { access_token: await wx.token(), ...signed(openid, sessionKey) }
    const reset = await wx.get('/wxa/resetusersessionkey', query)
    expect(reset).toMatchObject({ errcode: 0, openid })
    expect(await check(wx, openid, sessionKey)).toMatchObject({ errcode: 87009 })
    expect(await check(wx, openid, String(reset.session_key))).toMatchObject({ errcode: 0 })
  })

  test.each([
    [{ sig_method: 'md5' }, 87008],
    [{ openid: 'oUnknownUser' }, 87007],
    [{ openid: '' }, 40097],
    [{ signature: '' }, 40097],
    [{ signature: '0'.repeat(64) }, 87009],
    [{ access_token: '' }, 41001],
    [{ access_token: 'malformed' }, 40014],
  ])('%j is refused with %i by both', async (changes, errcode) => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    const query = { access_token: await wx.token(), ...signed(openid, sessionKey), ...changes }
    expect(await wx.get('/wxa/checksession', query)).toMatchObject({ errcode })
    expect(await wx.get('/wxa/resetusersessionkey', query)).toMatchObject({ errcode })
  })

  test('parameters in a body do not count', async () => {
    const wx = await started()
    const { openid, sessionKey } = await login(wx)
    const body = signed(openid, sessionKey)
    const query = { access_token: await wx.token() }
    expect(await wx.post('/wxa/checksession', body, query)).toMatchObject({ errcode: 43001 })
    expect(await wx.get('/wxa/checksession', query)).toMatchObject({ errcode: 40097 })
  })
})
