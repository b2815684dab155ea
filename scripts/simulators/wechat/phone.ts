import type { HeldPhoneNumber } from './codes.ts'
import { type EncryptedData, encryptUserData } from './encryption.ts'
import type { SimulatedAnswer } from './errcodes.ts'
import {
  postedObject,
  Refused,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/**
 * `POST /wxa/business/getuserphonenumber?access_token=` with `{ code }`. Every success is counted,
 * because on the real platform it costs money.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html
 */
export function phoneNumber(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  requireToken(world, request)
  const { code } = textsOf(body, { code: 41008 })
  const entry = world.codes.find(code)
  if (entry?.facts.kind !== 'phone' || entry.used) throw new Refused(40029)
  if (entry.facts.appid !== world.app.appid) throw new Refused(40013)
  world.codes.markUsed(code)
  world.paidPhoneCalls += 1
  return { errcode: 0, errmsg: 'ok', phone_info: phoneInfo(world, entry.facts.phone) }
}

/** Issues what the phone button gives a client: the code, and the older encrypted pair. */
export function issuePhoneCode(
  world: World,
  openid: string,
  sessionKey: string,
  phone: HeldPhoneNumber,
  appid = world.app.appid,
): { code: string } & EncryptedData {
  const plaintext = JSON.stringify(phoneInfo(world, phone, appid))
  return {
    code: world.codes.issue({ kind: 'phone', appid, openid, phone }),
    ...encryptUserData(plaintext, sessionKey),
  }
}

/** Numbers from abroad carry their country's prefix in `phoneNumber`. */
function phoneInfo(world: World, phone: HeldPhoneNumber, appid = world.app.appid) {
  const { pure, countryCode } = phone
  return {
    phoneNumber: countryCode === '86' ? pure : `+${countryCode}${pure}`,
    purePhoneNumber: pure,
    countryCode: phone.countryCodeAs === 'number' ? Number(countryCode) : countryCode,
    watermark: { timestamp: Math.floor(world.clock.now() / 1000), appid },
  }
}
