import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from '../../../scripts/doctor/report.ts'
import { checkWeChat } from '../../../scripts/doctor/wechat.ts'
import {
  type OfflineWeChat,
  startOfflineWeChat,
} from '../../../scripts/simulators/wechat/server.ts'
import { idsOf, serviceWith, wordsOf } from '../../support/doctor-scene.ts'

const appid = `wx${randomBytes(8).toString('hex')}`
const secret = randomBytes(16).toString('hex')
const tokenPath = '/cgi-bin/stable_token'

let wechat: OfflineWeChat
beforeAll(async () => {
  wechat = await startOfflineWeChat({ appid, secret })
})
afterEach(() => wechat.reset())
afterAll(() => wechat.close())

function serviceFor(changed: Record<string, string> = {}) {
  return serviceWith({
    WECHAT_APPID: appid,
    WECHAT_SECRET: secret,
    WECHAT_API_URL: wechat.url,
    ...changed,
  })
}

describe('AppID and AppSecret, told by one call to WeChat', () => {
  test('right ones are confirmed with a single call that ends nobody’s token', async () => {
    const token = async (): Promise<string> => {
      const body = JSON.stringify({ grant_type: 'client_credential', appid, secret })
      const answer = await fetch(`${wechat.url}${tokenPath}`, { method: 'POST', body })
      return ((await answer.json()) as { access_token: string }).access_token
    }
    const before = await token()
    wechat.clearRequests()
    expect(idsOf(await checkWeChat(serviceFor()))).toEqual(['ok wechat.credentials'])
    expect(wechat.requests().map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${tokenPath}`,
    ])
    expect(await token()).toBe(before)
  })

  test('an AppID of somebody else and a wrong secret are told apart', async () => {
    const other = await checkWeChat(serviceFor({ WECHAT_APPID: 'wx0123456789abcdef' }))
    expect(idsOf(other)).toEqual(['error wechat.40013'])
    const wrong = await checkWeChat(serviceFor({ WECHAT_SECRET: 'f'.repeat(32) }))
    expect(idsOf(wrong)).toEqual(['error wechat.40125'])
  })

  test.each<[number, 'error' | 'warning', RegExp, RegExp]>([
    [40013, 'error', /不认识这个 AppID/, /does not know this AppID/],
    [40125, 'error', /AppSecret 不对/, /AppSecret is wrong/],
    [40164, 'error', /白名单/, /not on WeChat’s list/],
    [40243, 'error', /冻结/, /frozen/],
    [50007, 'error', /账号已被冻结/, /account is frozen/],
    [89503, 'error', /管理员确认/, /administrator to confirm/],
    [89506, 'error', /24 小时/, /24 hours/],
    [89507, 'error', /1 小时/, /one hour/],
    [-1, 'warning', /系统繁忙/, /busy/],
    [45009, 'warning', /次数已用完/, /used up/],
    [45011, 'warning', /过于频繁/, /too often/],
    [48001, 'error', /微信拒绝了调用/, /refused the call/],
  ])('errcode %i is explained in both languages', async (errcode, severity, zh, en) => {
    wechat.addFault({ kind: 'errcode', path: tokenPath, errcode })
    const findings = await checkWeChat(serviceFor())
    expect(idsOf(findings)).toEqual([`${severity} wechat.${errcode}`])
    const [finding] = findings as [Finding]
    expect(finding.zh).toMatch(zh)
    expect(finding.en).toMatch(en)
    expect(finding.zh).toMatch(new RegExp(`errcode ${errcode}, rid [0-9a-f-]{26}`))
    expect(finding.todo?.zh).not.toBe('')
  })

  test.each([
    ['invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist', '203.0.113.9'],
    ['invalid ip 2001:db8::7, not in whitelist', '2001:db8::7'],
  ])('40164 shows the address WeChat saw: %s', async (errmsg, address) => {
    wechat.addFault({ kind: 'errcode', path: tokenPath, errcode: 40164, errmsg })
    const [finding] = (await checkWeChat(serviceFor())) as [Finding]
    expect(finding.zh).toContain(`IP ${address}`)
    expect(finding.en).toContain(`IP ${address}`)
    expect(finding.todo?.en).toMatch(/fixed one .* Login \(code2Session\) needs no access token/)
    expect(finding.todo?.zh).toMatch(/固定公网出口 IP.*登录（code2Session）不需要 access_token/)
  })

  test('nothing else of WeChat’s text is repeated', async () => {
    const errmsg = `no such app, secret ${secret}`
    wechat.addFault({ kind: 'errcode', path: tokenPath, errcode: 40125, errmsg })
    expect(wordsOf(await checkWeChat(serviceFor()))).not.toContain(secret)
  })

  test('a code that comes as text is understood', async () => {
    wechat.addFault({ kind: 'raw', path: tokenPath, body: '{"errcode":"40013","errmsg":"x"}' })
    const findings = await checkWeChat(serviceFor())
    expect(idsOf(findings)).toEqual(['error wechat.40013'])
  })

  test.each([
    ['a page with status 200', { kind: 'html' }],
    ['a gateway’s error', { kind: 'status', status: 502 }],
    ['an empty body', { kind: 'empty' }],
    ['an empty object', { kind: 'raw', body: '{}' }],
    [
      'another address',
      { kind: 'raw', status: 302, headers: { location: '/elsewhere' }, body: '' },
    ],
  ] as const)('%s is not taken for WeChat', async (_what, fault) => {
    wechat.addFault({ ...fault, path: tokenPath })
    const findings = await checkWeChat(serviceFor())
    expect(idsOf(findings)).toEqual(['error wechat.bad-answer'])
  })

  test('silence and a closed port end within the deadline, with their reason', async () => {
    wechat.addFault({ kind: 'hang', path: tokenPath })
    const silent = await checkWeChat(serviceFor(), { deadlineMs: 200 })
    expect(idsOf(silent)).toEqual(['error wechat.unreachable'])
    expect(wordsOf(silent)).toContain('no answer in time')
    const closed = await checkWeChat(serviceFor({ WECHAT_API_URL: 'http://127.0.0.1:1' }))
    expect(wordsOf(closed)).toContain('the connection is refused')
  })

  test('without both values WeChat is left alone', async () => {
    const findings = await checkWeChat(serviceFor({ WECHAT_APPID: '' }))
    expect(idsOf(findings)).toEqual(['skipped wechat.not-called'])
    expect(wechat.requests()).toEqual([])
  })
})
