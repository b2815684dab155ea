/** The calls of WeChat's server API that miniscore makes, for one mini program. */

import type { PhoneNumber, WeChat, WeChatUser } from '../ports.ts'
import { Problem } from '../problem.ts'
import { createAccessToken } from './access-token.ts'
import { callTime, callWeChat, errcodeOf, refusal, type WeChatAnswer } from './api-call.ts'

/** The mini program, and where WeChat’s API is. */
export interface WeChatOptions {
  appid: string
  secret: string
  /** `https://api.weixin.qq.com`, or the offline WeChat's loopback address. */
  apiUrl: string
  now: () => number
  /** Milliseconds on a clock nobody sets. */
  steadyMs: () => number
}

/** A client for one mini program. */
export function createWeChat({ appid, secret, apiUrl, now, steadyMs }: WeChatOptions): WeChat {
  const accessToken = createAccessToken({ appid, secret, apiUrl, now })

  return {
    /** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html */
    async exchangeCode(code, remainingMs) {
      const answer = await callWeChat(
        {
          url: new URL('/sns/jscode2session', apiUrl),
          query: { appid, secret, js_code: code, grant_type: 'authorization_code' },
        },
        callTime(remainingMs, steadyMs),
      )
      return readUser(answer)
    },

    /** https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html */
    async exchangePhoneCode(code, remainingMs) {
      const timeLeftMs = callTime(remainingMs, steadyMs)
      const attempt = async (token: string): Promise<WeChatAnswer> => {
        const url = new URL('/wxa/business/getuserphonenumber', apiUrl)
        return callWeChat({ url, query: { access_token: token }, body: { code } }, timeLeftMs)
      }
      const token = await accessToken.get(timeLeftMs)
      try {
        return readPhone(await attempt(token))
      } catch (error) {
        if (REJECTED_PHONE_CODE.has(errcodeOf(error) ?? 0)) {
          throw new Problem('phone-code-rejected', { cause: error })
        }
        if (!REJECTED_TOKEN.has(errcodeOf(error) ?? 0)) throw error
        accessToken.drop(token)
        return readPhone(await attempt(await accessToken.get(timeLeftMs)))
      }
    },
  }
}

/** Used, expired, of the wrong kind, or of another mini program. */
const REJECTED_PHONE_CODE: ReadonlySet<number> = new Set([40029, 40163, 40013])
/** Not the current token, malformed, expired: worth one new token and one more try, never more. */
const REJECTED_TOKEN: ReadonlySet<number> = new Set([40001, 40014, 42001])

const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/

function readUser({ openid, session_key, unionid }: WeChatAnswer): WeChatUser {
  if (
    typeof openid !== 'string' ||
    !IDENTIFIER.test(openid) ||
    typeof session_key !== 'string' ||
    !isSessionKey(session_key)
  ) {
    throw refusal('wechat-bad-answer', { reason: 'openid or session_key missing or malformed' })
  }
  const isUnionid = typeof unionid === 'string' && IDENTIFIER.test(unionid)
  return { openid, sessionKey: session_key, unionid: isUnionid ? unionid : null }
}

/** Exactly 16 bytes in canonical base64: every later use depends on that. */
function isSessionKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 16 && bytes.toString('base64') === text
}

function readPhone({ phone_info: info }: WeChatAnswer): PhoneNumber {
  const { purePhoneNumber, countryCode } = (info ?? {}) as Record<string, unknown>
  // A string in WeChat's table, a number in its sample.
  const country = String(countryCode)
  if (
    typeof purePhoneNumber !== 'string' ||
    !/^[0-9]{5,15}$/.test(purePhoneNumber) ||
    !/^[0-9]{1,4}$/.test(country)
  ) {
    throw refusal('wechat-bad-answer', { reason: 'phone number missing or malformed' })
  }
  return { purePhoneNumber, countryCode: country }
}
