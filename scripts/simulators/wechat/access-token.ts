import type { SimulatedApp } from './apps.ts'
import type { SimulatedAnswer } from './errcodes.ts'
import {
  postedObject,
  queryOfGet,
  Refused,
  requireCredentials,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/**
 * `POST /cgi-bin/stable_token`, JSON.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */
export function stableToken(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const app = requireCredentials(world, request, body, 'client_credential')
  requireListedAddress(app, request)
  const token = body.force_refresh === true ? app.tokens.forced() : app.tokens.stable()
  if (!token) throw new Refused(45009)
  return { ...token }
}

/** `GET /cgi-bin/token`, the classic one: a second caller takes the first one's token away. */
export function classicToken(world: World, request: WeChatRequest): SimulatedAnswer {
  const app = requireCredentials(world, request, queryOfGet(request), 'client_credential')
  requireListedAddress(app, request)
  return { ...app.tokens.classic() }
}

/** The list concerns whoever wants a token, not those who log people in. */
function requireListedAddress({ ipList }: SimulatedApp, { clientIp }: WeChatRequest): void {
  if (ipList.length === 0 || ipList.includes(clientIp)) return
  throw new Refused(40164, `invalid ip ${clientIp} ipv6 ::ffff:${clientIp}, not in whitelist`)
}
