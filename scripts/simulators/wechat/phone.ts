import type { SimulatedApp } from './apps.ts'
import type { HeldPhoneNumber } from './codes.ts'
import { type EncryptedData, encryptedDataHash, encryptUserData } from './encryption.ts'
import type { SimulatedAnswer } from './errcodes.ts'
import {
  postedObject,
  Refused,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

const ENCRYPTED_LIFETIME_MS = 3 * 24 * 3600_000

/**
 * `POST /wxa/business/getuserphonenumber?access_token=` with `{ code }`. Every success is counted,
 * because on the real platform it costs money.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber.html
 */
export function phoneNumber(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const app = requireToken(world, request)
  const { code } = textsOf(body, { code: 41008 })
  const entry = world.codes.find(code)
  if (entry?.facts.kind !== 'phone' || entry.used) throw new Refused(40029)
  if (entry.facts.appid !== app.appid) throw new Refused(40013)
  world.codes.markUsed(code)
  world.paidPhoneCalls += 1
  return { errcode: 0, errmsg: 'ok', phone_info: phoneInfo(world, entry.facts.phone, app.appid) }
}

/**
 * `POST /wxa/business/checkencryptedmsg?access_token=`: did WeChat encrypt this in the last three days? Only phone data is known;
 * `vaild` is WeChat's own spelling.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/basic-info/api_checkencrypteddata.html
 */
export function checkEncryptedMessage(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const app = requireToken(world, request)
  const { encrypted_msg_hash: hash } = textsOf(body, { encrypted_msg_hash: 40097 })
  if (!/^[0-9a-f]{64}$/i.test(hash)) throw new Refused(40097)
  const createdAtMs = app.encryptedAtMs.get(hash.toLowerCase())
  if (createdAtMs === undefined || world.clock.now() - createdAtMs >= ENCRYPTED_LIFETIME_MS) {
    throw new Refused(1)
  }
  const create_time = Math.floor(createdAtMs / 1000)
  return { errcode: 0, errmsg: 'ok', vaild: true, create_time }
}

/** Issues what the phone button gives a client: the code, and the older encrypted pair. */
export function issuePhoneCode(
  world: World,
  app: SimulatedApp,
  order: { openid: string; sessionKey: string; phone: HeldPhoneNumber; appid: string },
): { code: string } & EncryptedData {
  const { openid, sessionKey, phone, appid } = order
  const plaintext = JSON.stringify(phoneInfo(world, phone, appid))
  const iv = world.random(16).toString('base64')
  const encrypted = encryptUserData(plaintext, sessionKey, iv)
  app.encryptedAtMs.set(encryptedDataHash(encrypted.encryptedData), world.clock.now())
  return { code: world.codes.issue({ kind: 'phone', appid, openid, phone }), ...encrypted }
}

/** Numbers from abroad carry their country's prefix in `phoneNumber`. */
function phoneInfo(world: World, phone: HeldPhoneNumber, appid: string) {
  const { pure, countryCode } = phone
  return {
    phoneNumber: countryCode === '86' ? pure : `+${countryCode}${pure}`,
    purePhoneNumber: pure,
    countryCode: phone.countryCodeAs === 'number' ? Number(countryCode) : countryCode,
    watermark: { timestamp: Math.floor(world.clock.now() / 1000), appid },
  }
}
