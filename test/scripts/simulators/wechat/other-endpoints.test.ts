import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { APPID, type Started, started } from './started.ts'

let wx: Started
let openid = ''
let access_token = ''
beforeAll(async () => {
  wx = await started({ nowMs: 1_700_000_000_000 }, () => undefined)
  openid = wx.wechat.issueCode({}).openid
  access_token = await wx.token()
  return () => wx.wechat.close()
})

const ask = (path: string, body: unknown) => wx.post(path, body, { access_token })

describe('getuserriskrank', () => {
  const rank = (changes = {}) =>
    ask('/wxa/getuserriskrank', {
      appid: APPID,
      openid,
      scene: 0,
      client_ip: '203.0.113.7',
      ...changes,
    })

  test('answers as the page shows it, with the rank the person was given', async () => {
    expect(await rank()).toEqual({
      errcode: 0,
      errmsg: 'getuserriskrank succ',
      risk_rank: 0,
      unoin_id: expect.any(Number),
    })
    wx.wechat.setUser({ openid, riskRank: 3 })
    expect(await rank()).toMatchObject({ risk_rank: 3 })
    wx.wechat.setUser({ openid, risk: true })
    expect(await rank()).toMatchObject({ risk_rank: 4 })
  })

  test.each([
    [{ scene: 9 }, 40129],
    [{ scene: undefined }, 40129],
    [{ openid: 'oNobody' }, 40003],
    [{ openid: undefined }, 40003],
    [{ appid: 'wxanother' }, 43104],
    [{ client_ip: '' }, 47001],
  ])('%j is refused with %i', async (changes, errcode) => {
    expect(await rank(changes)).toMatchObject({ errcode })
  })

  test('a person not seen for two hours is 61010', async () => {
    const away = await started({ nowMs: 1_700_000_000_000 })
    const visitor = away.wechat.issueCode({}).openid
    away.wechat.clock.advance(2 * 3600_000 + 1)
    const body = { appid: APPID, openid: visitor, scene: 0, client_ip: '203.0.113.7' }
    const answer = await away.post('/wxa/getuserriskrank', body, {
      access_token: await away.token(),
    })
    expect(answer).toMatchObject({ errcode: 61010 })
  })
})

describe('subscribe messages', () => {
  const message = (
    data: object = { thing1: { value: '评价已收到' }, date2: { value: '2026年1月15日' } },
  ) => ({
    touser: openid,
    template_id: 'tRated',
    page: 'pages/result/result?acc=1',
    data,
  })
  const send = (changes: object = {}) =>
    ask('/cgi-bin/message/subscribe/send', { ...message(), ...changes })
  beforeAll(async () => {
    await wx.post('/sim/templates', { templateId: 'tRated', keys: ['thing1', 'date2'] })
  })

  test('each tap on 允许 is one message, which the person then has', async () => {
    expect(await send()).toMatchObject({ errcode: 43101 })
    expect(await wx.post('/sim/subscriptions', { openid, templateId: 'tRated' })).toEqual({
      left: 1,
    })
    expect(await send()).toEqual({ errcode: 0, errmsg: 'ok', msgid: expect.any(Number) })
    expect(await send()).toMatchObject({ errcode: 43101 })
    expect(await wx.get('/sim/messages')).toEqual({
      messages: [
        {
          appid: APPID,
          time: '2023-11-14T22:13:20.000Z',
          openid,
          templateId: 'tRated',
          page: 'pages/result/result?acc=1',
          data: { thing1: '评价已收到', date2: '2026年1月15日' },
        },
      ],
    })
  })

  test.each([
    ['thing1', '二十个字以内的文字才可以放进这个位置里去的'],
    ['thing1', ''],
    ['date2', 'yesterday'],
  ])(
    'a value that the kind of its key forbids is 47003, and names it: %s %j',
    async (key, value) => {
      const { data } = message()
      const refused = await send({ data: { ...data, [key]: { value } } })
      expect(refused).toMatchObject({ errcode: 47003 })
      expect(refused.errmsg).toContain(`argument invalid! data.${key}.value invalid`)
    },
  )

  test.each([
    [{ template_id: 'tUnknown' }, 40037],
    [{ template_id: '' }, 40037],
    [{ touser: 'oNobody' }, 40003],
    [{ data: undefined }, 47003],
    [{ miniprogram_state: 'production' }, 47003],
    [{ lang: 'de' }, 47003],
    [{ page: 5 }, 41030],
    [{ data: { thing1: { value: '模拟违规内容' }, date2: { value: '2026-01-15' } } }, 45168],
  ])('%j is refused with %i, and no consent is used up', async (changes, errcode) => {
    await wx.post('/sim/subscriptions', { openid, templateId: 'tRated' })
    expect(await send(changes)).toMatchObject({ errcode })
    expect(await send()).toMatchObject({ errcode: 0 })
  })

  test('kinds of values take what WeChat lists and nothing longer', async () => {
    const kinds: [string, string, string][] = [
      ['number1', '12345', 'twelve'],
      ['letter1', 'abcXYZ', 'a1'],
      ['character_string1', 'No. 2026-01', '编号'],
      ['time1', '15:01', 'noon'],
      ['amount1', '￥100.5元', 'free'],
      ['phone_number1', '+86-0766-66888866', 'none at all, sorry'],
      ['name1', '张三', '十个汉字以内的名字才可以'],
      ['phrase1', '已完成', '超过五个汉字了'],
    ]
    for (const [key, good, bad] of kinds) {
      await wx.post('/sim/templates', { templateId: key, keys: [key] })
      await wx.post('/sim/subscriptions', { openid, templateId: key })
      const sent = async (value: string) =>
        (await send({ template_id: key, data: { [key]: { value } } })).errcode
      expect([key, await sent(bad), await sent(good)]).toEqual([key, 47003, 0])
    }
  })
})

describe('checkencryptedmsg', () => {
  const check = (encryptedData: string) => {
    const encrypted_msg_hash = createHash('sha256').update(encryptedData).digest('hex')
    return ask('/wxa/business/checkencryptedmsg', { encrypted_msg_hash })
  }

  test('knows phone data that was encrypted here, and when; nothing else', async () => {
    const phone = wx.wechat.issuePhoneCode({ openid, phone: '13800138000' })
    const known = { errcode: 0, errmsg: 'ok', vaild: true, create_time: 1_700_000_000 }
    expect(await check(phone.encryptedData)).toEqual(known)
    const unknown = { errcode: 1 }
    expect(await check(`${phone.encryptedData}=`)).toMatchObject(unknown)
    expect(await check(wx.wechat.userData({ openid }).encryptedData)).toMatchObject(unknown)
    for (const body of [{}, { encrypted_msg_hash: 'not a hash' }]) {
      expect(await ask('/wxa/business/checkencryptedmsg', body)).toMatchObject({ errcode: 40097 })
    }
  })

  test('forgets it after three days', async () => {
    const later = await started({ nowMs: 1_700_000_000_000 })
    const visitor = later.wechat.issueCode({}).openid
    const { encryptedData } = later.wechat.issuePhoneCode({ openid: visitor, phone: '13800138000' })
    const encrypted_msg_hash = createHash('sha256').update(encryptedData).digest('hex')
    const verdicts = []
    for (const ms of [3 * 86_400_000 - 1, 1]) {
      later.wechat.clock.advance(ms)
      const query = { access_token: await later.token() }
      const path = '/wxa/business/checkencryptedmsg'
      verdicts.push((await later.post(path, { encrypted_msg_hash }, query)).errcode)
    }
    expect(verdicts).toEqual([0, 1])
  })
})

describe('getwxacodeunlimit', () => {
  const PATH = '/wxa/getwxacodeunlimit'
  async function picture(body: object) {
    const query = new URLSearchParams({ access_token })
    const response = await fetch(`${wx.wechat.url}${PATH}?${query}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    return {
      type: response.headers.get('content-type'),
      bytes: Buffer.from(await response.arrayBuffer()),
    }
  }

  test('is a picture of the wanted width that says what it stands for, and differs with it', async () => {
    const one = await picture({ scene: 'acc=13800138000', page: 'pages/rate/rate', width: 280 })
    expect(one.type).toBe('image/png')
    expect(one.bytes.subarray(1, 4).toString()).toBe('PNG')
    expect(one.bytes.readUInt32BE(16)).toBe(280)
    expect(one.bytes.toString('latin1')).toContain('scene\0acc=13800138000')
    expect(one.bytes.toString('latin1')).toContain('page\0pages/rate/rate')
    const at = one.bytes.indexOf('IDAT')
    const packed = one.bytes.subarray(at + 4, at + 4 + one.bytes.readUInt32BE(at - 4))
    const lines = inflateSync(packed)
    expect(lines).toHaveLength(281 * 280)
    expect(lines.includes(0xff)).toBe(true)
    const two = await picture({ scene: 'acc=13800138001', page: 'pages/rate/rate', width: 280 })
    expect(two.bytes.equals(one.bytes)).toBe(false)
    expect((await picture({ scene: 'x' })).bytes.readUInt32BE(16)).toBe(430)
    expect(wx.wechat.requests().at(-1)).toMatchObject({ path: PATH, errcode: 0 })
  })

  test.each([
    [{ scene: '' }, 40129],
    [{ scene: undefined }, 40129],
    [{ scene: 'x'.repeat(33) }, 40129],
    [{ scene: '中文' }, 40129],
    [{ page: '/pages/rate/rate' }, 41030],
    [{ page: 'pages/rate/rate?a=1' }, 41030],
    [{ env_version: 'beta' }, 40097],
    [{ width: 279 }, 40097],
    [{ width: 1281 }, 40097],
  ])('%j is refused with %i', async (changes, errcode) => {
    expect(await ask(PATH, { scene: 'x', ...changes })).toMatchObject({ errcode })
  })

  test('a page that the mini program does not have is 41030, unless it is not to be checked', async () => {
    await wx.post('/sim/apps', { appid: APPID, pages: ['pages/rate/rate'] })
    const body = { scene: 'x', page: 'pages/none/none' }
    expect(await ask(PATH, body)).toMatchObject({ errcode: 41030 })
    expect((await picture({ ...body, check_path: false })).type).toBe('image/png')
    expect((await picture({ scene: 'x', page: 'pages/rate/rate' })).type).toBe('image/png')
  })
})
