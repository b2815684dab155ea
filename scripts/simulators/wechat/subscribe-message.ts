import type { SimulatedAnswer } from './errcodes.ts'
import type { MessageTemplate } from './subscriptions.ts'
import {
  isObject,
  postedObject,
  Refused,
  requireToken,
  textsOf,
  type WeChatRequest,
} from './wechat-request.ts'
import type { World } from './world.ts'

/** What a value must look like, by the kind of its key: `thing` of `thing1`. */
const VALUES: Readonly<Record<string, RegExp>> = {
  thing: /^.{1,20}$/su,
  number: /^[0-9]{1,32}(\.[0-9]+)?$/,
  letter: /^[A-Za-z]{1,32}$/,
  symbol: /^[^\p{L}\p{N}]{1,5}$/u,
  character_string: /^[\x20-\x7e]{1,32}$/,
  time: /^(\d{4}年\d{1,2}月\d{1,2}日|\d{4}-\d{1,2}-\d{1,2})?\s?\d{1,2}:\d{2}(:\d{2})?(\s?~.+)?$/,
  date: /^(\d{4}年\d{1,2}月\d{1,2}日|\d{4}-\d{1,2}-\d{1,2})(\s?\d{1,2}:\d{2}(:\d{2})?)?(\s?~.+)?$/,
  amount: /^[^\d\s]?\d{1,10}(\.\d+)?元?$/,
  phone_number: /^[0-9+\-# ]{1,17}$/,
  car_number: /^.{1,8}$/u,
  name: /^([\p{Script=Han}A-Za-z\p{P} ]{1,10}|[A-Za-z\p{P} ]{1,20})$/u,
  phrase: /^\p{Script=Han}{1,5}$/u,
}

const STATES: readonly unknown[] = [undefined, 'developer', 'trial', 'formal']
const LANGUAGES: readonly unknown[] = [undefined, 'zh_CN', 'en_US', 'zh_HK', 'zh_TW']

/** The kinds of keys that a template may have. */
export const TEMPLATE_KEY = new RegExp(`^(${Object.keys(VALUES).join('|')})[0-9]{1,3}$`)

/**
 * `POST /cgi-bin/message/subscribe/send?access_token=`. One message for each time the person tapped 允许; 43101 beyond that.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-message-management/subscribe-message/api_sendmessage.html
 */
export function sendSubscribeMessage(world: World, request: WeChatRequest): SimulatedAnswer {
  const body = postedObject(request)
  const { subscriptions, users } = requireToken(world, request)
  const { touser, template_id } = textsOf(body, { touser: 40003, template_id: 40037 })
  const template = subscriptions.templates.get(template_id)
  if (!template) throw new Refused(40037)
  if (!users.find(touser)) throw new Refused(40003)
  if (!STATES.includes(body.miniprogram_state)) throw invalid('miniprogram_state')
  if (!LANGUAGES.includes(body.lang)) throw invalid('lang')
  if (body.page !== undefined && typeof body.page !== 'string') throw new Refused(41030)
  const data = textsFor(template, body.data)
  if (world.words.judge(Object.values(data).join('\n'))?.suggest === 'risky') {
    throw new Refused(45168)
  }
  if (subscriptions.left(touser, template_id) < 1) throw new Refused(43101)
  subscriptions.deliver({
    time: new Date(world.clock.now()).toISOString(),
    openid: touser,
    templateId: template_id,
    page: body.page ?? null,
    data,
  })
  return { errcode: 0, errmsg: 'ok', msgid: world.random(6).readUIntBE(0, 6) }
}

function textsFor({ keys }: MessageTemplate, data: unknown): Record<string, string> {
  if (!isObject(data)) throw invalid('data')
  return Object.fromEntries(
    keys.map((key) => {
      const given = data[key]
      const value = isObject(given) ? given.value : undefined
      const text = typeof value === 'number' ? String(value) : value
      const pattern = VALUES[key.replace(/[0-9]+$/, '')]
      if (typeof text !== 'string' || !pattern?.test(text)) throw invalid(`data.${key}.value`)
      return [key, text]
    }),
  )
}

function invalid(what: string): Refused {
  return new Refused(47003, `argument invalid! ${what} invalid`)
}
