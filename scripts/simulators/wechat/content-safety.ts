import type { ContentWord } from './content-words.ts'
import { type SimulatedAnswer, tripleId } from './errcodes.ts'
import {
  postedObject,
  Refused,
  requireRecentVisitor,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

const LONGEST_CONTENT = 2500
const NORMAL = { suggest: 'pass', label: 100 } as const

/**
 * `POST /wxa/msg_sec_check?access_token=`, version 2. An errcode of 0 says that the check was made, not
 * that the text is clean: `result.suggest` does.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck.html
 */
export function checkText(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const app = requireToken(world, request)
  const { content } = textsOf(body, { content: 47003 })
  if ([...content].length > LONGEST_CONTENT) throw new Refused(45002)
  const texts = [content, body.title, body.nickname, body.signature].filter(
    (text): text is string => typeof text === 'string',
  )
  const worst = world.words.judge(texts.join('\n'))
  if (Number(body.version) !== 2) return firstVersion(worst)

  if (![1, 2, 3, 4].includes(Number(body.scene))) throw new Refused(40129)
  requireRecentVisitor(world, app, textsOf(body, { openid: 40003 }).openid)
  const { suggest, label } = worst ?? NORMAL
  return {
    errcode: 0,
    errmsg: 'ok',
    result: { suggest, label },
    detail: [
      { strategy: 'content_model', errcode: 0, suggest, label, prob: 90 },
      ...(worst
        ? [{ strategy: 'keyword', errcode: 0, suggest, label, level: 20, keyword: worst.word }]
        : []),
    ],
    trace_id: tripleId(world.random),
  }
}

/** Without `version` the old check answers: clean, or 87014. */
function firstVersion(worst: ContentWord | undefined): SimulatedAnswer {
  if (worst?.suggest === 'risky') throw new Refused(87014)
  return { errcode: 0, errmsg: 'ok' }
}
