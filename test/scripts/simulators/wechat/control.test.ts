import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { maskOf } from '../../../../scripts/simulators/wechat/request-log.ts'
import { startOfflineWeChat } from '../../../../scripts/simulators/wechat/server.ts'
import { APPID, SECRET, started } from './started.ts'

/** A request with headers that fetch would not let through. */
function sent(url: string, path: string, method: string, headers: Record<string, string>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

async function reply(url: string, method: string, body?: string) {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

describe('over HTTP', () => {
  test('codes, user data, phone codes and users do what they do in the process', async () => {
    const { post, exchange, wechat } = await started()
    const issued = await post('/sim/codes', { unionid: 'union-1' })
    const { openid } = issued
    expect(await exchange(String(issued.code))).toMatchObject({ openid, unionid: 'union-1' })
    expect(Object.keys(await post('/sim/user-data', { openid }))).toEqual([
      'rawData',
      'signature',
      'encryptedData',
      'iv',
    ])
    const phone = await post('/sim/phone-codes', { openid, phone: '13800138000' })
    expect(Object.keys(phone)).toEqual(['code', 'encryptedData', 'iv'])
    expect(await post('/sim/users', { openid, risk: true })).toEqual({
      openid,
      unionid: 'union-1',
      risk: true,
      riskRank: 0,
    })
    const next = wechat.issueCode({ openid: String(openid) }).code
    expect(await exchange(next)).toMatchObject({ errcode: 40226 })
  })

  test('the clock moves forth and back, and the codes feel it', async () => {
    const { post, exchange, wechat } = await started({ nowMs: 1_700_000_000_000 })
    const { code } = wechat.issueCode({})
    const moved = await post('/sim/clock', { advanceMs: 300_000 })
    expect(moved).toEqual({
      nowMs: 1_700_000_300_000,
      now: '2023-11-14T22:18:20.000Z',
      stopped: false,
    })
    expect(await exchange(code)).toMatchObject({ errcode: 40029 })
    await post('/sim/clock', { advanceMs: -300_000 })
    expect(await exchange(code)).toHaveProperty('openid')
  })

  test('a reset forgets users, codes, tokens, faults, requests, money and the clock', async () => {
    const { post, get, exchange, token, wechat } = await started({ nowMs: 1_700_000_000_000 })
    const { code, openid } = wechat.issueCode({ unionid: 'union-1' })
    const access_token = await token()
    const phoneCode = wechat.issuePhoneCode({ openid, phone: '13800138000' }).code
    const path = '/wxa/business/getuserphonenumber'
    await post(path, { code: phoneCode }, { access_token })
    wechat.clock.advance(1000)
    wechat.addFault({ kind: 'errcode', errcode: -1, times: 9 })
    expect(await post('/sim/reset', {})).toEqual({ ok: true })
    expect(await get('/sim/requests')).toEqual({ requests: [], paidPhoneCalls: 0 })
    expect(wechat.clock.now()).toBe(1_700_000_000_000)
    expect(await exchange(code)).toMatchObject({ errcode: 40029 })
    expect(await post(path, {}, { access_token })).toMatchObject({ errcode: 40001 })
    expect(await exchange(wechat.issueCode({ openid }).code)).not.toHaveProperty('unionid')
  })

  test('the help page names every endpoint in English and Chinese', async () => {
    const { wechat } = await started()
    const page = await reply(`${wechat.url}/sim`, 'GET')
    expect(page.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(page.text).toContain('离线微信')
    for (const name of [
      'codes',
      'user-data',
      'phone-codes',
      'users',
      'words',
      'clock',
      'requests',
    ]) {
      expect(page.text).toMatch(new RegExp(`curl .*${wechat.url}/sim/${name}`))
    }
    for (const name of ['faults', 'tokens/revoke', 'reset']) {
      expect(page.text).toMatch(new RegExp(`curl .*${wechat.url}/sim/${name}`))
    }
  })

  test('every curl line of the help page is accepted as it stands, in that order', async () => {
    const { wechat } = await started()
    const { text } = await reply(`${wechat.url}/sim`, 'GET')
    const lines = [...text.matchAll(/curl(?: -X (\w+))? (http\S+)(?: -d '(.*)')?$/gm)]
    expect(lines.length).toBeGreaterThan(12)
    for (const [line, method = 'GET', url = '', body] of lines) {
      expect([line, (await reply(url, method, body)).status]).toEqual([line, 200])
    }
  })
})

describe('the request log', () => {
  test('lists what reached WeChat and what was answered, not what was asked of the simulator', async () => {
    const { wechat, exchange, get, stableToken } = await started({ nowMs: 1_700_000_000_000 })
    const { code } = wechat.issueCode({})
    await exchange(code)
    await exchange(code)
    wechat.addFault({ kind: 'empty' })
    await stableToken().catch(() => undefined)
    const { requests } = await get('/sim/requests')
    const credentials = { appid: APPID, secret: maskOf(SECRET) }
    const login = {
      method: 'GET',
      path: '/sns/jscode2session',
      time: '2023-11-14T22:13:20.000Z',
      params: { ...credentials, grant_type: 'authorization_code', js_code: maskOf(code) },
      status: 200,
      fault: null,
    }
    expect(requests).toEqual([
      { ...login, errcode: 0 },
      { ...login, errcode: 40163 },
      {
        method: 'POST',
        path: '/cgi-bin/stable_token',
        time: login.time,
        params: { ...credentials, grant_type: 'client_credential' },
        status: 200,
        errcode: null,
        fault: 'empty',
      },
    ])
  })

  test('a lost answer shows neither status nor errcode', async () => {
    const { wechat, exchange } = await started()
    wechat.addFault({ kind: 'reset' })
    await expect(exchange(wechat.issueCode({}).code)).rejects.toThrow()
    expect(wechat.requests()).toMatchObject([{ status: null, errcode: null, fault: 'reset' }])
  })

  test('holds no secret, token, code, key, phone or text, in query or body, valid or not', async () => {
    const { wechat, exchange, post, get, token } = await started()
    const { code, openid } = wechat.issueCode({})
    const sessionKey = String((await exchange(code)).session_key)
    const access_token = await token()
    const phone = wechat.issuePhoneCode({ openid, phone: '13800138000' })
    await post('/wxa/business/getuserphonenumber', { code: phone.code }, { access_token })
    const text = { version: 2, scene: 2, openid, content: 'canary-text' }
    await post('/wxa/msg_sec_check', text, { access_token })
    await post('/wxa/msg_sec_check', { content: { deep: 'canary-text' } }, { access_token })
    await fetch(`${wechat.url}/unknown?password=canary-text`)
    const body = `{"secret":"${SECRET}"`
    await fetch(`${wechat.url}/cgi-bin/stable_token`, { method: 'POST', body })
    const log = JSON.stringify(await get('/sim/requests'))
    for (const canary of [SECRET, access_token, code, phone.code, sessionKey, '13800138000']) {
      expect(log).not.toContain(canary)
    }
    expect(log).not.toContain('canary-text')
    expect(log).toContain(maskOf(access_token))
    expect(log).toContain(openid)
  })

  test('DELETE empties it', async () => {
    const { wechat, get, stableToken } = await started()
    await stableToken()
    expect((await reply(`${wechat.url}/sim/requests`, 'DELETE')).status).toBe(200)
    expect(await get('/sim/requests')).toMatchObject({ requests: [] })
  })
})

describe('bad orders', () => {
  test.each([
    ['/sim/codes', '{"openid":5}', 'openid: must be a text'],
    ['/sim/codes', '{"openid":"o\' OR 1=1"}', 'openid: must be 6 to 64'],
    ['/sim/codes', '{"unionid":""}', 'unionid: must not be empty'],
    ['/sim/codes', '{"code":"x"}', 'code: is not known here'],
    ['/sim/codes', '{', 'not valid JSON'],
    ['/sim/codes', '[]', 'must be a JSON object'],
    ['/sim/user-data', '{}', 'openid: is missing'],
    ['/sim/user-data', '{"openid":"oNeverLoggedIn"}', 'no session_key yet'],
    ['/sim/user-data', '{"openid":"oabcdef","userInfo":[]}', 'userInfo: '],
    ['/sim/phone-codes', '{"openid":"oabcdef","phone":13800138000}', 'phone: must be a text'],
    ['/sim/phone-codes', '{"openid":"oabcdef","phone":"+86138"}', 'phone: must be 5 to 20 digits'],
    ['/sim/users', '{"openid":"oabcdef","risk":"yes"}', 'risk: must be true or false'],
    ['/sim/words', '{"words":[{"word":"x"}]}', 'words.0.suggest: is missing'],
    ['/sim/clock', '{}', 'advanceMs: is missing'],
    ['/sim/clock', '{"advanceMs":1e300}', 'advanceMs: must be at most ten years'],
    ['/sim/reset', '{"hard":true}', 'hard: is not known here'],
  ])('POST %s %s gets 400: %s', async (path, body, sentence) => {
    const { wechat } = await started()
    const { status, text } = await reply(`${wechat.url}${path}`, 'POST', body)
    expect(status).toBe(400)
    expect(JSON.parse(text).error).toContain(sentence)
  })

  test('an unknown path or method is 404 and points to the help, a huge body 413', async () => {
    const { wechat } = await started()
    expect((await reply(`${wechat.url}/sim/nothing`, 'GET')).status).toBe(404)
    const wrong = await reply(`${wechat.url}/sim/requests`, 'PUT', '{}')
    expect(wrong.status).toBe(404)
    expect(wrong.text).toContain(
      'There is no PUT /sim/requests here: GET /sim lists what there is.',
    )
    const huge = 'x'.repeat(1024 * 1024 + 1)
    expect((await reply(`${wechat.url}/sim/codes`, 'POST', huge)).status).toBe(413)
  })

  test("WeChat's own endpoints answer whatever the Host", async () => {
    const { wechat } = await started()
    const host = 'api.weixin.qq.com'
    expect(await sent(wechat.url, '/sns/jscode2session', 'GET', { host })).toBe(200)
  })
})

test('starting without appid or on a taken port is refused with a sentence', async () => {
  const { wechat } = await started()
  await expect(startOfflineWeChat({ appid: '', secret: SECRET })).rejects.toThrow('needs an appid')
  const again = startOfflineWeChat({ appid: APPID, secret: SECRET, port: wechat.port })
  await expect(again).rejects.toThrow(`Cannot listen on 127.0.0.1:${wechat.port} (EADDRINUSE).`)
})

test('closing twice is no error', async () => {
  const { wechat } = await started()
  await wechat.close()
  await wechat.close()
})
