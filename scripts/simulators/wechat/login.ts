import type { SimulatedApp } from './apps.ts'
import { sessionSignature } from './encryption.ts'
import type { SimulatedAnswer } from './errcodes.ts'
import type { User } from './users.ts'
import {
  CREDENTIALS,
  queryOfGet,
  Refused,
  requireCredentials,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/** What wx.login hands out in the DevTools when no real appid is set; the same text every time. */
export const DEVTOOLS_MOCK_CODE = 'the code is a mock one'
const LOGIN_CODE_SHAPE = /^0[0-9A-Za-z]{31}$/

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
    appid = world.apps.first.appid,
  }: { openid?: string; unionid?: string; appid?: string },
  code?: string,
): { code: string; openid: string } {
  const { users } = world.apps.of(appid)
  const user = users.ensure(openid)
  if (unionid !== undefined) user.unionid = unionid
  user.lastCodeAtMs = world.clock.now()
  const sessionKey = users.rotateSessionKey(user)
  const facts = { kind: 'login', appid, openid: user.openid, sessionKey } as const
  return { code: world.codes.issue(facts, code), openid: user.openid }
}

/**
 * `GET /sns/jscode2session`; success carries no errcode.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html
 */
export function exchangeCode(world: World, request: WeChatRequest): SimulatedAnswer {
  const query = queryOfGet(request)
  const { js_code } = textsOf(query, { ...CREDENTIALS, js_code: 41008 })
  const app = requireCredentials(world, request, query, 'authorization_code')
  adoptForeignCode(world, app, js_code)
  const entry = world.codes.find(js_code)
  if (entry?.facts.kind !== 'login' || entry.facts.appid !== app.appid) throw new Refused(40029)
  const user = app.users.ensure(entry.facts.openid)
  if (!app.users.countExchange(user)) throw new Refused(45011)
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
function adoptForeignCode(world: World, { appid }: SimulatedApp, code: string): void {
  if (world.adoption === undefined) return
  const isMock = code === DEVTOOLS_MOCK_CODE
  if (!isMock && (!LOGIN_CODE_SHAPE.test(code) || world.codes.wasIssued(code))) return
  const { openid, onAdopted } = world.adoption
  issueLoginCode(world, { openid, appid }, code)
  onAdopted(openid)
}

/**
 * `GET /wxa/checksession`: is the caller's copy still the user's current key? All parameters are taken
 * from the query alone.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey.html
 */
export function checkSession(world: World, request: WeChatRequest): SimulatedAnswer {
  signedUser(world, request)
  return { errcode: 0, errmsg: 'ok' }
}

/**
 * `GET /wxa/resetusersessionkey`: the old key dies at once.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_resetusersessionkey.html
 */
export function resetSessionKey(world: World, request: WeChatRequest): SimulatedAnswer {
  const { app, user } = signedUser(world, request)
  const sessionKey = app.users.rotateSessionKey(user)
  return { errcode: 0, errmsg: 'ok', openid: user.openid, session_key: sessionKey }
}

function signedUser(world: World, request: WeChatRequest): { app: SimulatedApp; user: User } {
  const query = queryOfGet(request)
  const app = requireToken(world, request)
  const { openid, signature } = textsOf(query, { openid: 40097, signature: 40097 })
  if (query.sig_method !== 'hmac_sha256') throw new Refused(87008)
  const user = app.users.find(openid)
  if (!user?.sessionKey) throw new Refused(87007)
  if (signature !== sessionSignature(user.sessionKey)) throw new Refused(87009)
  return { app, user }
}
