import type { RandomBytes } from './random.ts'

/** The answer of one of WeChat's endpoints before it becomes text. */
export type SimulatedAnswer = Record<string, unknown>

/**
 * The errcodes this simulator answers by its own rules, with WeChat's wording.
 * https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html and the
 * pages of the single endpoints. 40163 stands on no page of code2Session, yet is what a used code gets.
 */
const errmsgs = {
  [-1]: 'system error',
  1: 'encrypted data does not exist',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40014: 'invalid access_token',
  40029: 'invalid code',
  40037: 'invalid template_id',
  40097: 'invalid args',
  40125: 'invalid appsecret',
  40129: 'invalid scene',
  40163: 'code been used',
  40164: 'invalid ip, not in whitelist',
  40226: 'code blocked',
  40243: 'appsecret frozen',
  41001: 'access_token missing',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  41030: 'invalid page',
  42001: 'access_token expired',
  43001: 'require GET method',
  43002: 'require POST method',
  43101: 'user refuse to accept the msg',
  43104: 'appid not match openid',
  44002: 'empty post data',
  44991: 'reach min limit',
  45002: 'content size out of limit',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit  mustslower  retry next minute',
  45168: 'sensitive words in message',
  47001: 'data format error',
  47003: 'argument invalid',
  48001: 'api unauthorized',
  50007: 'user is limited',
  61010: 'code is expired',
  87007: 'session_key is not existd or expired',
  87008: 'invalid sig_method',
  87009: 'invalid signature',
  87014: 'risky content',
} as const

export type KnownErrcode = keyof typeof errmsgs

/** A refusal as WeChat words it, with the `rid` its support asks for. */
export function refusedWith(
  random: RandomBytes,
  errcode: KnownErrcode,
  errmsg: string = errmsgs[errcode],
): SimulatedAnswer {
  return { errcode, errmsg: withRid(random, errmsg) }
}

/** Any errcode at all, for faults; a code this simulator has no words for gets a neutral text. */
export function anyRefusal(random: RandomBytes, errcode: number, errmsg?: string): SimulatedAnswer {
  const known: Record<number, string> = errmsgs
  return { errcode, errmsg: withRid(random, errmsg ?? known[errcode] ?? 'request refused') }
}

function withRid(random: RandomBytes, text: string): string {
  return `${text}, rid: ${tripleId(random)}`
}

/** An id as WeChat writes those of requests and checks: three times eight hexadecimal digits. */
export function tripleId(random: RandomBytes): string {
  const part = () => random(4).toString('hex')
  return `${part()}-${part()}-${part()}`
}
