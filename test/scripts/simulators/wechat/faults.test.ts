import { describe, expect, test } from 'vitest'
import type { FaultSpec } from '../../../../scripts/simulators/wechat/faults.ts'
import { exchangeRaw, parts } from './socket.ts'
import { APPID, SECRET, type Started, started } from './started.ts'

function loginPath(code: string): string {
  const query = { appid: APPID, secret: SECRET, js_code: code, grant_type: 'authorization_code' }
  return `/sns/jscode2session?${new URLSearchParams(query)}`
}

/** Plays a fault on one login and tells what the client saw and whether the code is used up. */
async function loginUnder(wx: Started, fault: FaultSpec) {
  expect(await wx.post('/sim/faults', fault)).toEqual({ waiting: 1 })
  const { code } = wx.wechat.issueCode({})
  const watchMs = fault.kind === 'hang' ? 120 : 5000
  const seen = await exchangeRaw(wx.wechat.url, loginPath(code), { watchMs })
  await wx.wechat.clearFaults()
  const again = await wx.exchange(code)
  return { seen, reply: parts(seen.text), used: again.errcode === 40163 }
}

describe('what the client sees', () => {
  test('errcode: the refusal with a rid, known by number or with words of your own', async () => {
    const wx = await started()
    const busy = await loginUnder(wx, { kind: 'errcode', errcode: -1 })
    expect(busy.reply.body).toMatch(/^{"errcode":-1,"errmsg":"system error, rid: [0-9a-f-]{26}"}$/)
    const other = await loginUnder(wx, { kind: 'errcode', errcode: 12345, errmsg: 'mine' })
    expect(JSON.parse(other.reply.body)).toMatchObject({ errcode: 12345 })
    expect(other.reply.body).toContain('mine, rid: ')
  })

  test('status: an HTML page with that status; body and headers can be given', async () => {
    const wx = await started()
    const { reply } = await loginUnder(wx, {
      kind: 'status',
      status: 503,
      headers: { 'Retry-After': '7' },
    })
    expect(reply).toMatchObject({ status: 503, body: '<html>503</html>' })
    expect(reply.headers.get('retry-after')).toBe('7')
    expect(reply.headers.get('content-type')).toBe('text/html')
  })

  test('empty: no body, as HTML in gbk', async () => {
    const { reply } = await loginUnder(await started(), { kind: 'empty' })
    expect(reply).toMatchObject({ status: 200, body: '' })
    expect(reply.headers.get('content-type')).toBe('text/html; charset=gbk')
  })

  test('html: a page with status 200', async () => {
    const { reply } = await loginUnder(await started(), { kind: 'html' })
    expect(reply.status).toBe(200)
    expect(reply.body).toMatch(/^<html>/)
  })

  test('truncate: half of the real answer in a well-formed reply', async () => {
    const { seen, reply } = await loginUnder(await started(), { kind: 'truncate' })
    expect(seen.outcome).toBe('ended')
    expect(reply.body).toMatch(/^{"session_key":"/)
    expect(() => JSON.parse(reply.body)).toThrow()
    expect(reply.headers.get('content-length')).toBe(String(reply.body.length))
  })

  test('reset with a body: headers and half of it arrive, then the connection is reset', async () => {
    const { seen, reply } = await loginUnder(await started(), { kind: 'reset', body: '0123456789' })
    expect(seen.outcome).toBe('reset')
    expect(reply.body).toBe('01234')
    expect(reply.headers.get('content-length')).toBe('10')
  })

  test('slow: the real answer, later', async () => {
    const { seen, reply } = await loginUnder(await started(), { kind: 'slow', delayMs: 120 })
    expect(seen.elapsedMs).toBeGreaterThan(110)
    expect(JSON.parse(reply.body)).toHaveProperty('openid')
  })

  test('drip: one byte at a time until the whole answer is there', async () => {
    const wx = await started()
    await wx.post('/sim/faults', { kind: 'drip', body: '{"a":1}', delayMs: 20 })
    const seen = await exchangeRaw(wx.wechat.url, '/sns/jscode2session', { watchMs: 2000 })
    expect(seen.outcome).toBe('ended')
    expect(seen.elapsedMs).toBeGreaterThan(7 * 20 - 10)
    expect(parts(seen.text).body).toBe('{"a":1}')
  })

  test('refuse: nobody listens for that long, then the same port answers again', async () => {
    const wx = await started()
    const { url } = wx.wechat
    await wx.post('/sim/faults', { kind: 'refuse', delayMs: 300 })
    await expect(fetch(url)).rejects.toThrow('fetch failed')
    await expect.poll(async () => (await exchangeRaw(url, '/')).outcome).toBe('refused')
    await expect.poll(async () => (await exchangeRaw(url, '/')).outcome).toBe('ended')
  })
})

test.each([
  ['truncate', true],
  ['hang', true],
  ['reset', true],
  ['slow', true],
  ['empty', false],
  ['html', false],
  ['raw', false],
] as const)('%s leaves the code used up: %s, unless told otherwise', async (kind, used) => {
  const wx = await started()
  const base = { kind, delayMs: 10 }
  expect(await loginUnder(wx, base)).toMatchObject({ used })
  expect(await loginUnder(wx, { ...base, consumes: !used })).toMatchObject({ used: !used })
})

test('faults are played in order, as often as asked, and only on their path', async () => {
  const wx = await started()
  const path = '/sns/jscode2session'
  await wx.post('/sim/faults', { kind: 'errcode', errcode: 45009, path, times: 2 })
  await wx.post('/sim/faults', { kind: 'errcode', errcode: -1 })
  expect(await wx.stableToken()).toMatchObject({ errcode: -1 })
  const { code } = wx.wechat.issueCode({})
  expect(await wx.get('/sim/faults')).toMatchObject({ faults: [{ errcode: 45009, times: 2 }] })
  expect(await wx.exchange(code)).toMatchObject({ errcode: 45009 })
  expect(await wx.stableToken()).toHaveProperty('access_token')
  expect(await wx.exchange(code)).toMatchObject({ errcode: 45009 })
  expect(await wx.exchange(code)).toHaveProperty('openid')
})

test('DELETE forgets waiting faults; the control surface itself never plays one', async () => {
  const wx = await started()
  const url = `${wx.wechat.url}/sim/faults`
  await wx.post('/sim/faults', { kind: 'hang', times: 1000 })
  expect(await wx.get('/sim/faults')).toMatchObject({ faults: [{ kind: 'hang' }] })
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(200)
  expect(await wx.get('/sim/faults')).toEqual({ faults: [] })
  expect(await wx.stableToken()).toHaveProperty('access_token')
})

test.each([
  [{}, 'kind: is missing.'],
  [{ kind: 'explode' }, 'kind: must be one of'],
  [{ kind: 'errcode' }, 'errcode: is needed'],
  [{ kind: 'status' }, 'status: is needed'],
  [{ kind: 'status', status: 99 }, 'status: must be at least 200'],
  [{ kind: 'hang', times: 0 }, 'times: must be at least 1'],
  [{ kind: 'hang', times: '2' }, 'times: must be a number'],
  [{ kind: 'slow', delayMs: 1.5 }, 'delayMs: must be a whole number'],
  [{ kind: 'raw', headers: { 'bad name': 'x' } }, 'headers: must be valid HTTP headers'],
  [{ kind: 'raw', headers: { a: 'x\r\ny: z' } }, 'headers: must be valid HTTP headers'],
  [{ kind: 'raw', headers: ['x'] }, 'headers: must be a JSON object'],
  [{ kind: 'hang', path: 'sns' }, 'path: must start with /'],
  [{ kind: 'hang', often: true }, 'often: is not known here.'],
])('a fault of %j is refused with a sentence, and none is played', async (fault, sentence) => {
  const wx = await started()
  const init = { method: 'POST', body: JSON.stringify(fault) }
  const response = await fetch(`${wx.wechat.url}/sim/faults`, init)
  expect(response.status).toBe(400)
  expect(await response.text()).toContain(sentence)
  expect(await wx.get('/sim/faults')).toEqual({ faults: [] })
})

test('closing ends a connection that hangs', async () => {
  const wx = await started()
  wx.wechat.addFault({ kind: 'hang' })
  const hanging = exchangeRaw(wx.wechat.url, '/sns/jscode2session', { watchMs: 5000 })
  await expect.poll(() => wx.wechat.requests()).toHaveLength(1)
  await wx.wechat.close()
  expect((await hanging).outcome).not.toBe('open')
})
