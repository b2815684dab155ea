import { checkText } from './content-safety.ts'
import type { SimulatedAnswer } from './errcodes.ts'
import { checkSession, exchangeCode, resetSessionKey } from './login.ts'
import { phoneNumber } from './phone.ts'
import {
  postedObject,
  queryOfGet,
  Refused,
  requireCredentials,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

type WeChatEndpoint = (world: World, request: WeChatRequest) => SimulatedAnswer

/** WeChat's own endpoints, by path. Each judges the method itself, as WeChat answers with an errcode. */
const endpoints: ReadonlyMap<string, WeChatEndpoint> = new Map([
  ['/sns/jscode2session', exchangeCode],
  ['/cgi-bin/stable_token', stableToken],
  ['/cgi-bin/token', classicToken],
  ['/wxa/business/getuserphonenumber', phoneNumber],
  ['/wxa/msg_sec_check', checkText],
  ['/wxa/checksession', checkSession],
  ['/wxa/resetusersessionkey', resetSessionKey],
])

/** A reply before it goes on the wire. */
export interface SimulatedReply {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/** JSON under `text/plain` with status 200, whatever the errcode, as the real login endpoint replies. */
export function jsonAsText(answer: SimulatedAnswer): SimulatedReply {
  return textReply(200, 'text/plain', JSON.stringify(answer))
}

export function textReply(status: number, contentType: string, text: string): SimulatedReply {
  return { status, headers: { 'content-type': contentType }, body: Buffer.from(text, 'utf8') }
}

/** Does what the endpoint does and gives its reply; an HTML page where WeChat has no endpoint. */
export function answerAsWeChat(world: World, request: WeChatRequest): SimulatedReply {
  const endpoint = endpoints.get(request.path)
  if (!endpoint) return textReply(404, 'text/html', NOT_FOUND_PAGE)
  try {
    return jsonAsText(endpoint(world, request))
  } catch (error) {
    if (error instanceof Refused) return jsonAsText(error.answer)
    throw error
  }
}

const NOT_FOUND_PAGE =
  '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n'

/** `POST /cgi-bin/stable_token`, JSON. */
function stableToken(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  requireCredentials(world, body, 'client_credential')
  const token = body.force_refresh === true ? world.tokens.forced() : world.tokens.stable()
  if (!token) throw new Refused(45009)
  return { ...token }
}

/** `GET /cgi-bin/token`, the classic one: a second caller takes the first one's token away. */
function classicToken(world: World, request: WeChatRequest): SimulatedAnswer {
  requireCredentials(world, queryOfGet(request), 'client_credential')
  return { ...world.tokens.classic() }
}
