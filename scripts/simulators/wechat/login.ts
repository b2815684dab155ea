import type { WeChatAnswer } from './errcodes.ts'
import { Refused, type WeChatRequest } from './wechat-request.ts'
import type { World } from './world.ts'

/** What wx.login hands out in the DevTools when no real appid is set; the same text every time. */
export const DEVTOOLS_MOCK_CODE = 'the code is a mock one'
const LOGIN_CODE_SHAPE = /^[0-9A-Za-z]{32}$/

/**
 * Issues a code as wx.login would. Any such operation gives the user a new session_key (the page says
 * it may; here it always does, so that code which cannot bear it fails early), and the code is bound
 * to that key: of two codes, the one issued first leads to a key that is stale already.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 */
export function issueLoginCode(
  world: World,
  {
    openid,
    unionid,
    appid = world.app.appid,
  }: { openid?: string; unionid?: string; appid?: string },
  code?: string,
): { code: string; openid: string } {
  const user = world.users.ensure(openid)
  if (unionid !== undefined) user.unionid = unionid
  user.lastCodeAtMs = world.clock.now()
  const sessionKey = world.users.rotateSessionKey(user)
  const facts = { kind: 'login', appid, openid: user.openid, sessionKey } as const
  return { code: world.codes.issue(facts, code), openid: user.openid }
}

/**
 * `GET /sns/jscode2session`; success carries no errcode.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html
 */
export function exchangeCode(world: World, request: WeChatRequest): WeChatAnswer {
  if (request.method !== 'GET') throw new Refused(43001)
  const { appid, secret, js_code, grant_type } = Object.fromEntries(request.query)
  if (!appid) throw new Refused(41002)
  if (!secret) throw new Refused(41004)
  if (!js_code) throw new Refused(41008)
  if (grant_type !== 'authorization_code') throw new Refused(40002)
  if (appid !== world.app.appid) throw new Refused(40013)
  if (secret !== world.app.secret) throw new Refused(40125)

  adoptForeignCode(world, js_code)
  const entry = world.codes.find(js_code)
  if (entry?.facts.kind !== 'login' || entry.facts.appid !== appid) throw new Refused(40029)
  const user = world.users.ensure(entry.facts.openid)
  if (!world.users.countExchange(user)) throw new Refused(45011)
  if (entry.used) throw new Refused(40163)
  if (user.risk) throw new Refused(40226)
  world.codes.markUsed(js_code)
  return {
    session_key: entry.facts.sessionKey,
    openid: user.openid,
    ...(user.unionid === undefined ? {} : { unionid: user.unionid }),
  }
}

/** Codes that the DevTools made are unknown here; when asked to, take them as one developer's. */
function adoptForeignCode(world: World, code: string): void {
  if (world.adoptCodesFor === undefined) return
  const isMock = code === DEVTOOLS_MOCK_CODE
  if (!isMock && (!LOGIN_CODE_SHAPE.test(code) || world.codes.wasIssued(code))) return
  issueLoginCode(world, { openid: world.adoptCodesFor }, code)
}
