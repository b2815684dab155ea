import type { WeChatAnswer } from './errcodes.ts'
import { postedObject, Refused, type WeChatRequest } from './wechat-request.ts'
import type { World } from './world.ts'

/** `POST /cgi-bin/stable_token`, JSON. */
export function stableToken(world: World, request: WeChatRequest): WeChatAnswer {
  const body = postedObject(request)
  checkCredentials(world, body)
  const token = body.force_refresh === true ? world.tokens.forced() : world.tokens.stable()
  if (!token) throw new Refused(45009)
  return { ...token }
}

/** `GET /cgi-bin/token`, the classic one: a second caller takes the first one's token away. */
export function classicToken(world: World, request: WeChatRequest): WeChatAnswer {
  if (request.method !== 'GET') throw new Refused(43001)
  checkCredentials(world, Object.fromEntries(request.query))
  return { ...world.tokens.classic() }
}

function checkCredentials(world: World, given: Record<string, unknown>): void {
  if (!given.appid) throw new Refused(41002)
  if (!given.secret) throw new Refused(41004)
  if (given.grant_type !== 'client_credential') throw new Refused(40002)
  if (given.appid !== world.app.appid) throw new Refused(40013)
  if (given.secret !== world.app.secret) throw new Refused(40125)
}

/** Endpoints that need an access token take it from the query. */
export function requireToken(world: World, request: WeChatRequest): void {
  const errcode = world.tokens.problemWith(request.query.get('access_token'))
  if (errcode !== undefined) throw new Refused(errcode)
}
