/** AppID, AppSecret and this computer's address, by one call for an access token; nothing is changed by it. */

import { weChat } from '../../shared/wiring/compose.ts'
import { readVariables } from '../../shared/wiring/configuration.ts'
import type { DesiredService } from '../service/service.ts'
import { exchange, type HttpAnswer, NoAnswer, objectIn } from './http-exchange.ts'
import { networkReason } from './network-words.ts'
import { error, type Finding, ok, skipped, warning } from './report.ts'
import { passing, refusals } from './wechat-errcodes.ts'

export interface WeChatCheck {
  findings: Finding[]
  /** The answer, for its `Date`; undefined when there was none. */
  answer: HttpAnswer | undefined
}

const DEADLINE_MS = 5000

/**
 * Findings `wechat.<errcode>` and `wechat.<what happened>`. The stable token's normal mode gives the token in force and
 * ends none. https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken.html
 */
export async function checkWeChat(
  service: DesiredService,
  { deadlineMs = DEADLINE_MS }: { deadlineMs?: number } = {},
): Promise<WeChatCheck> {
  const owner = service.functions.find((each) => each.variables.WECHAT_SECRET)
  const { values, faults } = readVariables(weChat.variables, owner?.variables ?? {})
  if (faults.length > 0) {
    const finding = skipped('wechat.not-called', {
      zh: '没有调用微信：先设置好 WECHAT_APPID 和 WECHAT_SECRET',
      en: 'WeChat was not called: WECHAT_APPID and WECHAT_SECRET come first',
    })
    return { findings: [finding], answer: undefined }
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
    return { findings: [judge(answer)], answer }
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure
    return { findings: [unreachable(failure)], answer: undefined }
  }
}

function unreachable({ code }: NoAnswer): Finding {
  const reason = networkReason(code)
  return error(
    'wechat.unreachable',
    { zh: `连不上微信：${reason.zh}`, en: `WeChat cannot be reached: ${reason.en}` },
    {
      zh: '检查本机能否访问 api.weixin.qq.com；不需要联网检查时加 --offline',
      en: 'check that this computer reaches api.weixin.qq.com; --offline leaves such checks out',
    },
  )
}

function judge({ status, text }: HttpAnswer): Finding {
  const answer = objectIn(text)
  // WeChat refuses with status 200 and, on some pages, with the code as text.
  const errcode = Number(answer?.errcode ?? 0)
  if (status !== 200 || !answer || !Number.isInteger(errcode)) return notWeChat(status)
  if (errcode !== 0) return refused(errcode, typeof answer.errmsg === 'string' ? answer.errmsg : '')
  if (typeof answer.access_token !== 'string') return notWeChat(status)
  return ok('wechat.credentials', {
    zh: '微信接受 AppID 和 AppSecret，且允许本机的 IP 调用',
    en: 'WeChat accepts AppID and AppSecret, and calls from this computer’s address',
  })
}

function notWeChat(status: number): Finding {
  return error(
    'wechat.bad-answer',
    {
      zh: `回答的不是微信（HTTP ${status}，内容不是微信的格式）`,
      en: `the answer is not WeChat’s (HTTP ${status}, another format)`,
    },
    {
      zh: '检查中间的代理，以及 WECHAT_API_URL（通常不用设置）',
      en: 'check for a proxy in between, and WECHAT_API_URL, which is normally not set',
    },
  )
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
  const known = refusals[errcode]
  if (!known) {
    return error(
      `wechat.${errcode}`,
      { zh: `微信拒绝了调用（${trailer}）`, en: `WeChat refused the call (${trailer})` },
      {
        zh: '在微信开放文档的全局错误码里查这个 errcode；联系微信客服时提供 rid',
        en: 'look the errcode up among WeChat’s global error codes; its support asks for the rid',
      },
    )
  }
  const words = { zh: `${known.zh}（${trailer}）`, en: `${known.en} (${trailer})` }
  return (passing.has(errcode) ? warning : error)(`wechat.${errcode}`, words, known.todo)
}
