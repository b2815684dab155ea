import { classicToken, stableToken } from './access-token.ts'
import { checkText } from './content-safety.ts'
import { refusedWith, type SimulatedAnswer } from './errcodes.ts'
import { checkSession, exchangeCode, resetSessionKey } from './login.ts'
import { miniProgramCode } from './mini-program-code.ts'
import { checkEncryptedMessage, phoneNumber } from './phone.ts'
import { userRiskRank } from './risk-rank.ts'
import { sendSubscribeMessage } from './subscribe-message.ts'
import { Refused, type WeChatRequest } from './wechat-request.ts'
import type { World } from './world.ts'

/** What an endpoint answers: members of a JSON object, or a picture. */
type WeChatEndpoint = (world: World, request: WeChatRequest) => SimulatedAnswer | Buffer

/** WeChat's own endpoints, by path. Each judges the method itself, as WeChat answers with an errcode. */
const endpoints: ReadonlyMap<string, WeChatEndpoint> = new Map<string, WeChatEndpoint>([
  ['/sns/jscode2session', exchangeCode],
  ['/cgi-bin/stable_token', stableToken],
  ['/cgi-bin/token', classicToken],
  ['/wxa/checksession', checkSession],
  ['/wxa/resetusersessionkey', resetSessionKey],
  ['/wxa/business/getuserphonenumber', phoneNumber],
  ['/wxa/business/checkencryptedmsg', checkEncryptedMessage],
  ['/wxa/msg_sec_check', checkText],
  ['/wxa/getuserriskrank', userRiskRank],
  ['/cgi-bin/message/subscribe/send', sendSubscribeMessage],
  ['/wxa/getwxacodeunlimit', miniProgramCode],
])

/** The paths of WeChat's endpoints that are played here. */
export const weChatPaths: readonly string[] = [...endpoints.keys()]

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
    const answer = endpoint(world, request)
    if (!Buffer.isBuffer(answer)) return jsonAsText(answer)
    return { status: 200, headers: { 'content-type': 'image/png' }, body: answer }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return jsonAsText(refusedWith(world.random, error.errcode, error.errmsg))
  }
}

const NOT_FOUND_PAGE =
  '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n'
