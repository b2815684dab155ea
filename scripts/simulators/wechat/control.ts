import * as v from 'valibot'
import type { EncryptedData } from './encryption.ts'
import { encryptUserData, signRawData } from './encryption.ts'
import { issuePhoneCode } from './phone.ts'
import type { User } from './users.ts'
import { isObject } from './wechat-request.ts'
import type { World } from './world.ts'

/** Something asked of the simulator that it cannot do; the message is one sentence for the caller. */
export class ControlError extends Error {}

const text = v.string('must be a text')
const optionalText = v.exactOptional(v.pipe(text, v.nonEmpty('must not be empty')))
const openid = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_-]{6,64}$/, 'must be 6 to 64 letters, digits, _ or -'),
)
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
/** `POST /sim/users`: `risk` true makes WeChat refuse the user's codes with 40226. */
export const UserOrder = v.strictObject({
  openid,
  risk: v.exactOptional(v.boolean('must be true or false')),
  unionid: optionalText,
})
export type UserOrder = v.InferInput<typeof UserOrder>
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
  const { user, sessionKey } = loggedIn(world, order.openid)
  const userInfo = { ...USUAL_USER_INFO, ...order.userInfo }
  const rawData = JSON.stringify(userInfo)
  const plaintext = JSON.stringify({
    openId: user.openid,
    ...userInfo,
    ...(user.unionid === undefined ? {} : { unionId: user.unionid }),
    watermark: {
      timestamp: Math.floor(world.clock.now() / 1000),
      appid: order.appid ?? world.app.appid,
    },
  })
  return {
    rawData,
    signature: signRawData(rawData, sessionKey),
    ...encryptUserData(plaintext, sessionKey),
  }
}

/** What the phone button gives a client. Unlike wx.login it leaves the session_key as it is. */
export function orderPhoneCode(world: World, order: PhoneOrder) {
  const { user, sessionKey } = loggedIn(world, order.openid)
  const { phone, countryCode = '86', countryCodeAs = 'string' } = order
  const number = { pure: phone, countryCode, countryCodeAs }
  return issuePhoneCode(world, user.openid, sessionKey, number, order.appid)
}

/** Makes or changes a user. */
export function orderUser(
  world: World,
  order: UserOrder,
): Pick<User, 'openid' | 'unionid' | 'risk'> {
  const user = world.users.ensure(order.openid)
  if (order.risk !== undefined) user.risk = order.risk
  if (order.unionid !== undefined) user.unionid = order.unionid
  const { unionid } = user
  return { openid: user.openid, risk: user.risk, ...(unionid === undefined ? {} : { unionid }) }
}

function loggedIn(world: World, openid: string): { user: User; sessionKey: string } {
  const user = world.users.find(openid)
  if (!user?.sessionKey) {
    throw new ControlError('This openid has no session_key yet: POST /sim/codes for it first.')
  }
  return { user, sessionKey: user.sessionKey }
}
