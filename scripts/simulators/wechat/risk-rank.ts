import type { SimulatedAnswer } from './errcodes.ts'
import {
  postedObject,
  Refused,
  requireRecentVisitor,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/** Registration, cheating at promotions, content by users. */
const SCENES: readonly unknown[] = [0, 1, 2]

/**
 * `POST /wxa/getuserriskrank?access_token=`: 0 to 4, the higher the worse; `unoin_id` is WeChat's own spelling.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/safety-control-capability/api_getuserriskrank.html
 */
export function userRiskRank(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const app = requireToken(world, request)
  const { appid, openid } = textsOf(body, { appid: 40013, openid: 40003, client_ip: 47001 })
  if (!SCENES.includes(body.scene)) throw new Refused(40129)
  if (appid !== app.appid) throw new Refused(43104)
  const user = requireRecentVisitor(world, app, openid)
  return {
    errcode: 0,
    errmsg: 'getuserriskrank succ',
    risk_rank: user.risk ? 4 : user.riskRank,
    unoin_id: world.random(4).readUInt32BE(),
  }
}
