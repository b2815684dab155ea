import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  encryptedDataHash,
  sessionSignature,
} from '../../../../scripts/simulators/wechat/encryption.ts'
import { maskOf } from '../../../../scripts/simulators/wechat/request-log.ts'
import { createWeChat } from '../../../../shared/wechat/client.ts'
import published from '../../../vectors/wechat-published.json' with { type: 'json' }
import { type Answer, APPID, SECRET, type Started, started } from './started.ts'

const PERSON = { openid: 'oPublishedSample', unionid: 'uPublishedSample' }

let wx: Started
beforeAll(async () => {
  wx = await started({}, () => undefined)
  return () => wx.wechat.close()
})

test.each(published.sessionSignatures)(
  'the published signature of a session is made: $id',
  ({ sessionKey, message, signature }) => {
    expect(sessionSignature(sessionKey, message)).toBe(signature)
  },
)

test.each(published.encryptedMessages)(
  'the published hash of encrypted data is made: $id',
  ({ encryptedData, hash }) => {
    expect(encryptedDataHash(encryptedData)).toBe(hash)
  },
)

/** The names of all members with the types of their values; the kinds of a list's items once each. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))].sort()
  }
  if (typeof value !== 'object' || value === null) return typeof value
  const members = Object.entries(value).map(([name, member]) => [name, shapeOf(member)])
  return Object.fromEntries(members.sort(([one], [two]) => (String(one) < String(two) ? -1 : 1)))
}

describe('the simulator answers in the shape of the published samples', () => {
  let access_token = ''
  let sessionKey = ''
  let phone: { code: string; encryptedData: string }
  beforeAll(async () => {
    access_token = await wx.token()
    sessionKey = String((await wx.exchange(wx.wechat.issueCode(PERSON).code)).session_key)
    const order = { openid: PERSON.openid, phone: '13800138000' }
    phone = wx.wechat.issuePhoneCode({ ...order, countryCodeAs: 'number' })
  })

  const asked: Record<string, () => Promise<Answer>> = {
    'phone-number': () =>
      wx.post('/wxa/business/getuserphonenumber', { code: phone.code }, { access_token }),
    'encrypted-message': () => {
      const encrypted_msg_hash = encryptedDataHash(phone.encryptedData)
      return wx.post('/wxa/business/checkencryptedmsg', { encrypted_msg_hash }, { access_token })
    },
    'stable-token': () => wx.stableToken(),
    checksession: () => {
      const signature = sessionSignature(sessionKey)
      const query = { access_token, openid: PERSON.openid, signature, sig_method: 'hmac_sha256' }
      return wx.get('/wxa/checksession', query)
    },
    'text-check': () => {
      const text = { version: 2, scene: 2, openid: PERSON.openid, content: '模拟违规内容' }
      return wx.post('/wxa/msg_sec_check', text, { access_token })
    },
    'risk-rank': () => {
      const body = { appid: APPID, openid: PERSON.openid, scene: 1, client_ip: '203.0.113.7' }
      return wx.post('/wxa/getuserriskrank', body, { access_token })
    },
    code2session: () => wx.exchange(wx.wechat.issueCode(PERSON).code),
  }

  test('all of them are asked', () => {
    expect(Object.keys(asked).sort()).toEqual(published.replies.map(({ id }) => id).sort())
  })

  test.each(published.replies)('$id', async ({ id, body, absent }) => {
    const expected = Object.entries(body).filter(([name]) => !(absent as string[]).includes(name))
    expect(shapeOf(await asked[id]?.())).toEqual(shapeOf(Object.fromEntries(expected)))
  })
})

describe('our client reads the published samples', () => {
  const play = (id: string, changes: object = {}) => {
    const { path = '', body = {} } = published.replies.find((reply) => reply.id === id) ?? {}
    wx.wechat.addFault({ kind: 'raw', path, body: JSON.stringify({ ...body, ...changes }) })
  }
  const client = () =>
    createWeChat({
      appid: APPID,
      secret: SECRET,
      apiUrl: wx.wechat.url,
      now: Date.now,
      steadyMs: () => performance.now(),
    })
  afterAll(() => wx.wechat.clearFaults())

  test('a login, with an errcode of 0 that the field does not have', async () => {
    const session_key = 'tiihtNczf5v6AKRyjwEUhQ=='
    play('code2session', { session_key })
    const user = await client().exchangeCode('code', 3000)
    expect(user).toEqual({ openid: 'xxxxxx', unionid: 'xxxxx', sessionKey: session_key })
  })

  test('a login whose key is a placeholder is none', async () => {
    play('code2session')
    await expect(client().exchangeCode('code', 3000)).rejects.toMatchObject({
      code: 'wechat-bad-answer',
    })
  })

  test('a token and a phone number, whose country is a number in the sample', async () => {
    play('stable-token')
    const watermark = { timestamp: 1637744274, appid: 'xxxx' }
    const numbers = { phoneNumber: '13800138000', purePhoneNumber: '13800138000' }
    play('phone-number', { phone_info: { ...numbers, countryCode: 86, watermark } })
    expect(await client().exchangePhoneCode('code', 3000)).toEqual({
      purePhoneNumber: '13800138000',
      countryCode: '86',
    })
    // The token of the sample is what it then called with.
    expect(wx.wechat.requests().at(-1)).toMatchObject({
      path: '/wxa/business/getuserphonenumber',
      params: { access_token: maskOf('ACCESS_TOKEN') },
    })
  })
})
