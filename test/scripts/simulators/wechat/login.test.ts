import { describe, expect, test } from 'vitest'
import { DEVTOOLS_MOCK_CODE } from '../../../../scripts/simulators/wechat/login.ts'
import { APPID, SECRET, started } from './started.ts'

const MINUTE_MS = 60_000

describe('jscode2session', () => {
  test('a code gives openid and session_key, and no errcode', async () => {
    const { wechat, exchange } = await started()
    const { code, openid } = wechat.issueCode({})
    const answer = await exchange(code)
    expect(Object.keys(answer).sort()).toEqual(['openid', 'session_key'])
    expect(answer.openid).toBe(openid)
    expect(openid).toMatch(/^o[A-Za-z0-9_-]{27}$/)
    expect(Buffer.from(String(answer.session_key), 'base64')).toHaveLength(16)
  })

  test('a user with a unionid gets it, one bound later gets it later', async () => {
    const { wechat, exchange } = await started()
    const { code, openid } = wechat.issueCode({})
    expect(await exchange(code)).not.toHaveProperty('unionid')
    wechat.setUser({ openid, unionid: 'union-1' })
    expect(await exchange(wechat.issueCode({ openid }).code)).toMatchObject({ unionid: 'union-1' })
  })

  test('answers JSON under text/plain with status 200, refusals too, with a rid', async () => {
    const { wechat } = await started()
    const response = await fetch(`${wechat.url}/sns/jscode2session?appid=${APPID}&secret=${SECRET}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain')
    const { errcode, errmsg } = JSON.parse(await response.text())
    expect(errcode).toBe(41008)
    expect(errmsg).toMatch(/^missing code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
  })

  test('a code works once', async () => {
    const { wechat, exchange } = await started()
    const { code } = wechat.issueCode({})
    await exchange(code)
    expect(await exchange(code)).toMatchObject({ errcode: 40163 })
    expect(await exchange(code)).toMatchObject({ errcode: 40163 })
  })

  test('of fifty uses of one code at once, one wins', async () => {
    const { wechat, exchange } = await started()
    const { code } = wechat.issueCode({})
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(code)))
    expect(answers.filter((answer) => answer.errcode === undefined)).toHaveLength(1)
    expect(answers.filter((answer) => answer.errcode === 40163)).toHaveLength(49)
  })

  test('a code works until five minutes have passed, not after', async () => {
    const { wechat, exchange } = await started({ nowMs: 1_700_000_000_000 })
    const early = wechat.issueCode({}).code
    const late = wechat.issueCode({}).code
    wechat.clock.advance(5 * MINUTE_MS - 1)
    expect(await exchange(early)).toHaveProperty('openid')
    wechat.clock.advance(1)
    expect(await exchange(late)).toMatchObject({ errcode: 40029 })
  })

  test.each([
    ['appid', '', 41002],
    ['secret', '', 41004],
    ['js_code', '', 41008],
    ['grant_type', '', 40002],
    ['grant_type', 'client_credential', 40002],
    ['appid', 'wx0000000000000000', 40013],
    ['secret', 'wrong', 40125],
    ['js_code', 'nobody-issued-this', 40029],
  ])('%s=%j is refused with %i, and leaves the code unused', async (name, value, errcode) => {
    const { wechat, exchange } = await started()
    const { code } = wechat.issueCode({})
    expect(await exchange(code, { [name]: value })).toMatchObject({ errcode })
    expect(await exchange(code)).toHaveProperty('openid')
  })

  test('a phone code or a code of another mini program is refused with 40029', async () => {
    const { wechat, exchange } = await started()
    const { openid } = wechat.issueCode({})
    const phoneCode = wechat.issuePhoneCode({ openid, phone: '13800138000' }).code
    expect(await exchange(phoneCode)).toMatchObject({ errcode: 40029 })
    const foreign = wechat.issueCode({ appid: 'wx0000000000000000' }).code
    expect(await exchange(foreign)).toMatchObject({ errcode: 40029 })
  })

  test('another method than GET is refused with 43001', async () => {
    const { post } = await started()
    expect(await post('/sns/jscode2session', {})).toMatchObject({ errcode: 43001 })
  })

  test('a high-risk user is refused with 40226 until the mark is taken away', async () => {
    const { wechat, exchange } = await started()
    const { code, openid } = wechat.issueCode({})
    wechat.setUser({ openid, risk: true })
    expect(await exchange(code)).toMatchObject({ errcode: 40226 })
    wechat.setUser({ openid, risk: false })
    expect(await exchange(code)).toHaveProperty('openid')
  })

  test('a user gets 100 exchanges a minute, then 45011; others are not concerned', async () => {
    const { wechat, exchange } = await started({ nowMs: 1_700_000_000_000 })
    const { openid } = wechat.issueCode({})
    for (let count = 0; count < 100; count += 1) {
      expect(await exchange(wechat.issueCode({ openid }).code)).toHaveProperty('openid')
    }
    const { code } = wechat.issueCode({ openid })
    expect(await exchange(code)).toMatchObject({ errcode: 45011 })
    expect(await exchange(wechat.issueCode({}).code)).toHaveProperty('openid')
    wechat.clock.advance(MINUTE_MS)
    expect(await exchange(code)).toHaveProperty('openid')
  })

  test('openids that differ only in letter case are two users', async () => {
    const { wechat, exchange } = await started()
    const upper = await exchange(wechat.issueCode({ openid: 'oABCDEF' }).code)
    const lower = await exchange(wechat.issueCode({ openid: 'oabcdef' }).code)
    expect([upper.openid, lower.openid]).toEqual(['oABCDEF', 'oabcdef'])
    expect(upper.session_key).not.toBe(lower.session_key)
  })

  test('codes of the DevTools are adopted only when asked for, each of them once', async () => {
    const foreign = '0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P'
    const strict = await started()
    expect(await strict.exchange(foreign)).toMatchObject({ errcode: 40029 })
    const open = await started({ adoptUnknownCodes: true })
    const first = await open.exchange(foreign)
    expect(first).toHaveProperty('openid')
    expect(await open.exchange(foreign)).toMatchObject({ errcode: 40163 })
    expect(await open.exchange(DEVTOOLS_MOCK_CODE)).toMatchObject({ openid: first.openid })
    expect(await open.exchange(DEVTOOLS_MOCK_CODE)).toMatchObject({ openid: first.openid })
    expect(await open.exchange('short')).toMatchObject({ errcode: 40029 })
  })
})

test('what is not an endpoint of WeChat is a 404 page in HTML', async () => {
  const { wechat } = await started()
  for (const path of ['/page/nothing.js', '/sns/jscode2session/', '/wxa/nothing', '//evil', '/%']) {
    const response = await fetch(`${wechat.url}${path}`)
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(await response.text()).toContain('404 Not Found')
  }
})
