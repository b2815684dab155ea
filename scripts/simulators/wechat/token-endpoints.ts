import type { SimulatedAnswer } from './errcodes.ts'
import {
  postedObject,
  queryOfGet,
  Refused,
  requireCredentials,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/** `POST /cgi-bin/stable_token`, JSON. */
export function stableToken(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  requireCredentials(world, body, 'client_credential')
  const token = body.force_refresh === true ? world.tokens.forced() : world.tokens.stable()
  if (!token) throw new Refused(45009)
  return { ...token }
}

/** `GET /cgi-bin/token`, the classic one: a second caller takes the first one's token away. */
export function classicToken(world: World, request: WeChatRequest): SimulatedAnswer {
  requireCredentials(world, queryOfGet(request), 'client_credential')
  return { ...world.tokens.classic() }
}
