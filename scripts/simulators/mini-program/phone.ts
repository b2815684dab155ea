/** What a mini program's page asks of the phone it lies on: its own files, and what WeChat's buttons hand over. */

import type { CompiledMiniProgram } from './compile.ts'

/** The WeChat of whoever holds the phone; a person is an openid, `?person=` of the page. */
export interface PhoneWeChat {
  loginCode(person: string): Promise<string>
  phoneCode(person: string): Promise<string>
}

export interface PhoneReply {
  status: number
  type: string
  body: string
}

const PERSON = /^[A-Za-z0-9_-]{6,64}$/

/** Answers a request for `path`, which is relative to the page; `undefined` where it is none of the phone's own. */
export async function answerAsPhone(
  path: string,
  person: string,
  { compiled, wechat }: { compiled: () => Promise<CompiledMiniProgram>; wechat: PhoneWeChat },
): Promise<PhoneReply | undefined> {
  if (path === '') return reply(200, 'text/html', (await compiled()).html)
  if (path === 'bundle.js') return reply(200, 'text/javascript', (await compiled()).script)
  const issue = {
    'sim/code': () => wechat.loginCode(person),
    'sim/phone-code': () => wechat.phoneCode(person),
  }[path]
  if (!issue) return undefined
  if (!PERSON.test(person))
    return reply(
      400,
      'text/plain',
      'The body must be an openid: 6 to 64 letters, digits, _ or -.\n',
    )
  return reply(200, 'application/json', JSON.stringify({ code: await issue() }))
}

function reply(status: number, type: string, body: string): PhoneReply {
  return { status, type: `${type}; charset=utf-8`, body }
}
