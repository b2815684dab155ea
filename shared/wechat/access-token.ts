/** The mini program's access token, cached per instance; stable mode needs no cache shared by instances. */

import { callWeChat, refusal } from './api-call.ts'

/** The access token of one mini program. */
export interface AccessToken {
  /** The token, from the cache or from WeChat; one call at a time. */
  get(timeLeftMs: () => number): Promise<string>
  /** Forgets a token that WeChat refused, unless another one came meanwhile. */
  drop(token: string): void
}

/** WeChat hands out the next token in the last five minutes of the current one. */
const RENEWAL_SECONDS = 300

/**
 * Stable tokens in normal mode: every instance gets the same one while it is valid.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */
export function createAccessToken({
  appid,
  secret,
  apiUrl,
  now,
}: {
  appid: string
  secret: string
  apiUrl: string
  now: () => number
}): AccessToken {
  let cached: { token: string; validUntilMs: number } | undefined
  let fetching: Promise<string> | undefined

  const fetchToken = async (timeLeftMs: () => number): Promise<string> => {
    const { access_token: token, expires_in: expiresIn } = await callWeChat(
      {
        url: new URL('/cgi-bin/stable_token', apiUrl),
        query: {},
        body: { grant_type: 'client_credential', appid, secret },
      },
      timeLeftMs,
    )
    const seconds = Number(expiresIn)
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,512}$/.test(token) || !(seconds > 0)) {
      throw refusal('wechat-bad-answer', { reason: 'access token missing or malformed' })
    }
    const lifetimeMs = Math.max(seconds - RENEWAL_SECONDS, 0) * 1000
    cached = { token, validUntilMs: now() + lifetimeMs }
    return token
  }

  return {
    async get(timeLeftMs) {
      if (cached && cached.validUntilMs > now()) return cached.token
      fetching ??= fetchToken(timeLeftMs).finally(() => {
        fetching = undefined
      })
      return fetching
    },
    drop(token) {
      if (cached?.token === token) cached = undefined
    },
  }
}
