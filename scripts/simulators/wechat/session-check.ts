import { timingSafeEqual } from 'node:crypto'
import { sessionSignature } from './encryption.ts'
import type { WeChatAnswer } from './errcodes.ts'
import { requireToken } from './token-endpoints.ts'
import type { User } from './users.ts'
import { Refused, type WeChatRequest } from './wechat-request.ts'
import type { World } from './world.ts'

/**
 * `GET /wxa/checksession`: is the caller's copy still the user's current key? All parameters are taken
 * from the query alone.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey.html
 */
export function checkSession(world: World, request: WeChatRequest): WeChatAnswer {
  signedUser(world, request)
  return { errcode: 0, errmsg: 'ok' }
}

/**
 * `GET /wxa/resetusersessionkey`: the old key dies at once.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_resetusersessionkey.html
 */
export function resetSessionKey(world: World, request: WeChatRequest): WeChatAnswer {
  const user = signedUser(world, request)
  const sessionKey = world.users.rotateSessionKey(user)
  return { errcode: 0, errmsg: 'ok', openid: user.openid, session_key: sessionKey }
}

function signedUser(world: World, request: WeChatRequest): User {
  if (request.method !== 'GET') throw new Refused(43001)
  requireToken(world, request)
  const { openid, signature, sig_method } = Object.fromEntries(request.query)
  if (!openid || !signature) throw new Refused(40097)
  if (sig_method !== 'hmac_sha256') throw new Refused(87008)
  const user = world.users.find(openid)
  if (!user?.sessionKey) throw new Refused(87007)
  if (!sameText(signature, sessionSignature(user.sessionKey))) throw new Refused(87009)
  return user
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
