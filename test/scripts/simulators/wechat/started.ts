import { onTestFinished as afterThisTest } from 'vitest'
import {
  type OfflineWeChat,
  startOfflineWeChat,
} from '../../../../scripts/simulators/wechat/server.ts'

export const APPID = 'wx4f4bc4dec97d474b'
export const SECRET = 'secret-of-the-tests-0000000000'

/** What WeChat answers, read as a careful client reads it: text first, then JSON. */
export type Answer = Record<string, unknown>

/** A running offline WeChat with a client for it; it ends with the test. */
export interface Started {
  wechat: OfflineWeChat
  get(path: string, query?: Record<string, string>): Promise<Answer>
  post(path: string, body: unknown, query?: Record<string, string>): Promise<Answer>
  /** Exchanges a login code with the right appid and secret. */
  exchange(code: string, changes?: Record<string, string>): Promise<Answer>
  stableToken(changes?: Record<string, unknown>): Promise<Answer>
  /** A fresh stable token's text. */
  token(): Promise<string>
}

/**
 * Starts one on a free port. `nowMs` fixes its clock, which then moves only when told to. Tests that run
 * at once must hand in their own `onTestFinished`.
 */
export async function started(
  options: { nowMs?: number; adoptUnknownCodes?: boolean; seed?: string } = {},
  onTestFinished: typeof afterThisTest = afterThisTest,
): Promise<Started> {
  const { nowMs, ...rest } = options
  const clock = nowMs === undefined ? {} : { now: () => nowMs }
  const wechat = await startOfflineWeChat({ appid: APPID, secret: SECRET, ...clock, ...rest })
  onTestFinished(() => wechat.close())

  async function get(path: string, query: Record<string, string> = {}): Promise<Answer> {
    return read(await fetch(`${wechat.url}${path}?${new URLSearchParams(query)}`))
  }
  async function post(path: string, body: unknown, query: Record<string, string> = {}) {
    const url = `${wechat.url}${path}?${new URLSearchParams(query)}`
    return read(await fetch(url, { method: 'POST', body: JSON.stringify(body) }))
  }
  const stableToken = (changes: Record<string, unknown> = {}) =>
    post('/cgi-bin/stable_token', {
      grant_type: 'client_credential',
      appid: APPID,
      secret: SECRET,
      ...changes,
    })
  return {
    wechat,
    get,
    post,
    exchange: (code, changes = {}) =>
      get('/sns/jscode2session', {
        appid: APPID,
        secret: SECRET,
        js_code: code,
        grant_type: 'authorization_code',
        ...changes,
      }),
    stableToken,
    token: async () => String((await stableToken()).access_token),
  }
}

async function read(response: Response): Promise<Answer> {
  return JSON.parse(await response.text()) as Answer
}
