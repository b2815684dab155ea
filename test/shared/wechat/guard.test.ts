import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type OfflineWeChat,
  startOfflineWeChat,
} from '../../../scripts/simulators/wechat/server.ts'
import type { WeChat } from '../../../shared/ports.ts'
import { Problem } from '../../../shared/problem.ts'
import { createWeChat } from '../../../shared/wechat/client.ts'
import { guardWeChat } from '../../../shared/wechat/guard.ts'

const APPID = 'wx0123456789abcdef'
const SECRET = 'a'.repeat(32)
/** 12:00:15 in China. */
const NOON_MS = Date.parse('2026-11-24T04:00:15Z')
const LOGIN = '/sns/jscode2session'

let nowMs: number
let offline: OfflineWeChat
let weChat: WeChat
beforeEach(async () => {
  nowMs = NOON_MS
  const now = () => nowMs
  offline = await startOfflineWeChat({ appid: APPID, secret: SECRET, now })
  const steadyMs = () => performance.now()
  const client = createWeChat({ appid: APPID, secret: SECRET, apiUrl: offline.url, now, steadyMs })
  weChat = guardWeChat(client, now)
})
afterEach(() => offline.close())

/** What an attempt came to: `ok`, or the problem's code and its Retry-After. */
async function outcomeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'ok'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return `${error.code} ${error.details.retryAfterSeconds ?? '-'}`
  }
}

const logIn = (openid = 'oAnyone') =>
  outcomeOf(weChat.exchangeCode(offline.issueCode({ openid }).code, 10_000))

const provePhone = () =>
  outcomeOf(
    weChat.exchangePhoneCode(
      offline.issuePhoneCode({ openid: 'oAnyone', phone: '13800138000' }).code,
      10_000,
    ),
  )

async function often(times: number, attempt: () => Promise<string>): Promise<string[]> {
  const outcomes: string[] = []
  for (let index = 0; index < times; index++) outcomes.push(await attempt())
  return outcomes
}

const refuse = (errcode: number, times: number, path = LOGIN) =>
  offline.addFault({ kind: 'errcode', errcode, path, times })

describe('the quota of a day (45009)', () => {
  test('is asked for once, and then nobody asks for ten minutes', async () => {
    refuse(45009, 1)
    expect(await often(24, logIn)).toEqual(Array(24).fill('wechat-rate-limited 600'))
    expect(offline.requests()).toHaveLength(1)
  })

  test('is tried by one login after ten minutes, which lets all in if it was raised', async () => {
    refuse(45009, 1)
    await logIn()
    nowMs += 10 * 60_000 - 1
    expect(await logIn()).toBe('wechat-rate-limited 1')
    nowMs += 1
    expect(await often(3, logIn)).toEqual(['ok', 'ok', 'ok'])
  })

  test('keeps everybody away again where it was not', async () => {
    refuse(45009, 2)
    await logIn()
    nowMs += 10 * 60_000
    await often(5, logIn)
    expect(offline.requests()).toHaveLength(2)
  })

  test('ends at midnight in China', async () => {
    nowMs = Date.parse('2026-11-24T23:58:20+08:00')
    refuse(45009, 1)
    await logIn()
    expect(await logIn()).toBe('wechat-rate-limited 100')
    nowMs = Date.parse('2026-11-25T00:00:00+08:00')
    expect(await logIn()).toBe('ok')
  })

  test.each([
    ['logins', '/sns/jscode2session', 'wechat-rate-limited 600', 'ok'],
    ['phone numbers', '/wxa/business/getuserphonenumber', 'ok', 'wechat-rate-limited 600'],
    ['access tokens', '/cgi-bin/stable_token', 'ok', 'wechat-rate-limited 600'],
  ])('of %s concerns nothing else', async (_of, path, login, phone) => {
    refuse(45009, 1, path)
    await logIn()
    await provePhone()
    expect([await logIn(), await provePhone()]).toEqual([login, phone])
  })
})

describe('the quota of a minute (45011)', () => {
  test('leaves WeChat alone once five in a row met it, with one try every ten seconds', async () => {
    refuse(45011, 6)
    expect(await often(24, logIn)).toEqual([
      ...Array(5).fill('wechat-rate-limited 60'),
      ...Array(19).fill('wechat-rate-limited 10'),
    ])
    expect(offline.requests()).toHaveLength(5)
    nowMs += 10_000
    await often(24, logIn)
    expect(offline.requests()).toHaveLength(6)
    nowMs += 10_000
    expect(await often(2, logIn)).toEqual(['ok', 'ok'])
  })

  test('ends with the minute', async () => {
    nowMs = Date.parse('2026-11-24T04:00:57Z')
    refuse(45011, 5)
    await often(5, logIn)
    expect(await logIn()).toBe('wechat-rate-limited 3')
    nowMs += 3000
    expect(await logIn()).toBe('ok')
  })

  test('one user who used up theirs keeps nobody else out', async () => {
    await often(100, () => logIn('oBusy'))
    for (let index = 0; index < 10; index++) {
      expect(await logIn('oBusy')).toBe('wechat-rate-limited 60')
      expect(await logIn('oAnother')).toBe('ok')
    }
  })
})

describe('an error code', () => {
  test.each([40003, 41030, 87009, 123456])(
    '%i keeps nobody out, however often',
    async (errcode) => {
      refuse(errcode, 24)
      expect(await often(24, logIn)).toEqual(Array(24).fill('wechat-bad-answer -'))
      expect(await logIn()).toBe('ok')
    },
  )

  test('ends a row of failures, for it is an answer', async () => {
    offline.addFault({ kind: 'html', path: LOGIN, times: 4 })
    await often(4, logIn)
    refuse(123456, 1)
    await logIn()
    offline.addFault({ kind: 'html', path: LOGIN, times: 4 })
    await often(4, logIn)
    expect(await logIn()).toBe('ok')
  })
})

test('five answers in a row that are none leave WeChat alone for two seconds', async () => {
  offline.addFault({ kind: 'html', path: LOGIN, times: 5 })
  expect(await often(6, logIn)).toEqual([
    ...Array(5).fill('wechat-bad-answer -'),
    'wechat-unavailable 2',
  ])
  nowMs += 2000
  expect(await logIn()).toBe('ok')
})
