/** AppID, AppSecret and this computer's address, by one call for an access token; nothing is changed by it. */

import { weChat } from '../../shared/wiring/compose.ts'
import { readVariables } from '../../shared/wiring/configuration.ts'
import { objectIn } from '../service/answers.ts'
import type { DesiredService } from '../service/service.ts'
import { type AnswerOfAddress, exchange, NoAnswer } from './http-exchange.ts'
import { networkReason } from './network-words.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'
import { errcodes, passing, unknownErrcode } from './wechat-errcodes.ts'

const DEADLINE_MS = 5000

/**
 * Findings `wechat.<errcode>` and `wechat.<what happened>`. The stable token's normal mode gives the token in force and
 * ends none. https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */
export async function checkWeChat(
  service: DesiredService,
  { deadlineMs = DEADLINE_MS }: { deadlineMs?: number } = {},
): Promise<Finding[]> {
  const owner = service.functions.find((each) => each.variables.WECHAT_SECRET)
  const { values, faults } = readVariables(weChat.variables, owner?.variables ?? {})
  if (faults.length > 0) {
    return [
      skipped('wechat.not-called')`
        没有调用微信：先设置好 WECHAT_APPID 和 WECHAT_SECRET
        WeChat was not called: WECHAT_APPID and WECHAT_SECRET come first`,
    ]
  }
  try {
    const answer = await exchange({
      url: new URL('/cgi-bin/stable_token', values.WECHAT_API_URL),
      json: {
        grant_type: 'client_credential',
        appid: values.WECHAT_APPID,
        secret: values.WECHAT_SECRET,
      },
      deadlineMs,
    })
    return [judge(answer)]
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure
    return [unreachable(failure)]
  }
}

function unreachable({ code }: NoAnswer): Finding {
  const reason = networkReason(code)
  return error('wechat.unreachable')`
    连不上微信：${reason.zh}
    WeChat cannot be reached: ${reason.en}
    检查本机能否访问 api.weixin.qq.com；不需要联网检查时加 --offline
    check that this computer reaches api.weixin.qq.com; --offline leaves such checks out`
}

function judge({ status, text }: AnswerOfAddress): Finding {
  const answer = objectIn(text)
  // WeChat refuses with status 200 and, on some pages, with the code as text.
  const errcode = Number(answer?.errcode ?? 0)
  if (status !== 200 || !answer || !Number.isInteger(errcode)) return notWeChat(status)
  if (errcode !== 0) return refused(errcode, typeof answer.errmsg === 'string' ? answer.errmsg : '')
  if (typeof answer.access_token !== 'string') return notWeChat(status)
  return ok('wechat.credentials')`
    微信接受 AppID 和 AppSecret，且允许本机的 IP 调用
    WeChat accepts AppID and AppSecret, and calls from this computer’s address`
}

function notWeChat(status: number): Finding {
  return error('wechat.bad-answer')`
    回答的不是微信（HTTP ${status}，内容不是微信的格式）
    the answer is not WeChat’s (HTTP ${status}, another format)
    检查中间的代理，以及 WECHAT_API_URL（通常不用设置）
    check for a proxy in between, and WECHAT_API_URL, which is normally not set`
}

/** Only what these patterns let through is taken from WeChat's text. */
const CALLER_ADDRESS = /invalid ip:? ([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f:]{3,39})(?![0-9a-z.:])/i
const RID = /\brid: ([0-9a-f-]{8,40})/

function refused(errcode: number, errmsg: string): Finding {
  const address = errcode === 40164 ? CALLER_ADDRESS.exec(errmsg)?.[1] : undefined
  const rid = RID.exec(errmsg)?.[1]
  const trailer = [
    `errcode ${errcode}`,
    ...(address ? [`IP ${address}`] : []),
    ...(rid ? [`rid ${rid}`] : []),
  ].join(', ')
  const { zh, en, todo } = errcodes[errcode] ?? unknownErrcode
  return (passing.has(errcode) ? warning : error)(`wechat.${errcode}`)`
    ${zh}（${trailer}）
    ${en} (${trailer})
    ${todo.zh}
    ${todo.en}`
}
