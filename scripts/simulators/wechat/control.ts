import * as v from 'valibot'
import type { SimulatedApp } from './apps.ts'
import { ControlError, openid, optionalText, text } from './control-texts.ts'
import type { EncryptedData } from './encryption.ts'
import { encryptUserData, signRawData } from './encryption.ts'
import { issuePhoneCode } from './phone.ts'
import type { User } from './users.ts'
import { isObject } from './wechat-request.ts'
import type { World } from './world.ts'

function digits(least: number, most: number) {
  return v.pipe(
    text,
    v.regex(new RegExp(`^[0-9]{${least},${most}}$`), `must be ${least} to ${most} digits`),
  )
}

/** `POST /sim/codes`: `appid` names another mini program, whose codes this one may not use. */
export const CodeOrder = v.strictObject({
  openid: v.exactOptional(openid),
  unionid: optionalText,
  appid: optionalText,
})
export type CodeOrder = v.InferInput<typeof CodeOrder>
/** `POST /sim/user-data`: members of `userInfo` replace the usual ones; `appid` goes into the watermark. */
export const UserDataOrder = v.strictObject({
  openid,
  userInfo: v.exactOptional(v.custom<Record<string, unknown>>(isObject, 'must be a JSON object')),
  appid: optionalText,
})
export type UserDataOrder = v.InferInput<typeof UserDataOrder>
/** `POST /sim/phone-codes`: `phone` without the country's prefix; `countryCode` 86 unless given. */
export const PhoneOrder = v.strictObject({
  openid,
  phone: digits(5, 20),
  countryCode: v.exactOptional(digits(1, 3)),
  countryCodeAs: v.exactOptional(v.picklist(['string', 'number'], 'must be string or number')),
  appid: optionalText,
})
export type PhoneOrder = v.InferInput<typeof PhoneOrder>
/** `POST /sim/users`: `risk` true makes WeChat refuse the user's codes with 40226 and gives them the highest risk rank. */
export const UserOrder = v.strictObject({
  openid,
  appid: optionalText,
  risk: v.exactOptional(v.boolean('must be true or false')),
  riskRank: v.exactOptional(v.picklist([0, 1, 2, 3, 4], 'must be 0, 1, 2, 3 or 4')),
  unionid: optionalText,
})
export type UserOrder = v.InferInput<typeof UserOrder>
/** `POST /sim/sessions/end` */
export const SessionEndOrder = v.strictObject({ openid, appid: optionalText })
type SessionEndOrder = v.InferInput<typeof SessionEndOrder>
/** `POST /sim/words`: what the content check is to make of a text that contains the word. */
export const WordsOrder = v.strictObject({
  words: v.array(
    v.strictObject({
      word: v.pipe(text, v.nonEmpty('must not be empty')),
      suggest: v.picklist(['pass', 'review', 'risky'], 'must be pass, review or risky'),
      label: v.optional(v.pipe(v.number('must be a number'), v.integer('must be whole')), 21000),
    }),
    'must be a list',
  ),
})

const USUAL_USER_INFO = {
  nickName: '微信用户',
  gender: 0,
  language: 'zh_CN',
  city: '',
  province: '',
  country: '',
  avatarUrl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/simulated/132',
}

/** What wx.getUserProfile gave a client: data under the key that is the user's current one. */
export function orderUserData(
  world: World,
  order: UserDataOrder,
): { rawData: string; signature: string } & EncryptedData {
  const { user, sessionKey } = loggedIn(world, order)
  const userInfo = { ...USUAL_USER_INFO, ...order.userInfo }
  const rawData = JSON.stringify(userInfo)
  const plaintext = JSON.stringify({
    openId: user.openid,
    ...userInfo,
    ...(user.unionid === undefined ? {} : { unionId: user.unionid }),
    watermark: {
      timestamp: Math.floor(world.clock.now() / 1000),
      appid: order.appid ?? world.apps.first.appid,
    },
  })
  return {
    rawData,
    signature: signRawData(rawData, sessionKey),
    ...encryptUserData(plaintext, sessionKey, world.random(16).toString('base64')),
  }
}

/** What the phone button gives a client. Unlike wx.login it leaves the session_key as it is. */
export function orderPhoneCode(world: World, order: PhoneOrder) {
  const { app, user, sessionKey } = loggedIn(world, order)
  const { phone: pure, countryCode = '86', countryCodeAs = 'string', appid = app.appid } = order
  const phone = { pure, countryCode, countryCodeAs }
  return issuePhoneCode(world, app, { openid: user.openid, sessionKey, phone, appid })
}

/** Makes or changes a user. */
export function orderUser(
  world: World,
  order: UserOrder,
): Pick<User, 'openid' | 'unionid' | 'risk' | 'riskRank'> {
  const user = world.apps.of(order.appid).users.ensure(order.openid)
  if (order.risk !== undefined) user.risk = order.risk
  if (order.riskRank !== undefined) user.riskRank = order.riskRank
  if (order.unionid !== undefined) user.unionid = order.unionid
  const { openid, risk, riskRank, unionid } = user
  return { openid, risk, riskRank, ...(unionid === undefined ? {} : { unionid }) }
}

/** Ends the user's session_key, as time does: calls signed with it get 87007. */
export function orderSessionEnd(world: World, order: SessionEndOrder): void {
  delete loggedIn(world, order).user.sessionKey
}

function loggedIn(
  world: World,
  { openid, appid }: { openid: string; appid?: string },
): { app: SimulatedApp; user: User; sessionKey: string } {
  const app = world.apps.of(appid)
  const user = app.users.find(openid)
  if (!user?.sessionKey) {
    throw new ControlError('This openid has no session_key yet: POST /sim/codes for it first.')
  }
  return { app, user, sessionKey: user.sessionKey }
}
