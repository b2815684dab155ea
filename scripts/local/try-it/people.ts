/** The people whose phone may be tried. WeChat knows them, the functions learn of them: nothing is written past either. */

import { createHash, randomBytes } from 'node:crypto'
import type { PhoneWeChat } from '../../simulators/mini-program/phone.ts'
import type { OfflineWeChat } from '../../simulators/wechat/server.ts'
import type { Person } from './browser/told.ts'
import { PAGE_AGENT } from './exchanges.ts'

const HOLDER = 'oTryItXiaoHong00000000000000'
const HELD_NUMBER = '13800138000'

/** Reads everything: `OPERATORS` of a local run names this openid. */
export const TRY_IT_OPERATOR = 'oTryItManagerWang00000000000'

export interface People {
  all(): Person[]
  /** Somebody WeChat has not seen before. */
  add(): Person
  /** Makes sure that the person is what their role says, by asking the functions at `baseUrl`. @throws {Error} a sentence */
  prepare(openid: string, baseUrl: string): Promise<void>
}

export function createPeople(wechat: OfflineWeChat): People {
  const people: Person[] = [
    { openid: 'oTryItXiaoMing00000000000000', name: '小明', role: 'customer' },
    { openid: HOLDER, name: '小红', role: `holds ${HELD_NUMBER}` },
    { openid: TRY_IT_OPERATOR, name: '王经理', role: 'operator' },
  ]
  return {
    all: () => people,
    add() {
      const openid = `oTryItNew${randomBytes(15).toString('base64url').slice(0, 19)}`
      const person = { openid, name: `新人 ${people.length - 2}`, role: 'new here' }
      people.push(person)
      return person
    },
    async prepare(openid, baseUrl) {
      if (openid === HOLDER) await bindNumber(wechat, baseUrl)
    },
  }
}

/** What WeChat gives the phones of these people. */
export function phoneWeChat(wechat: OfflineWeChat): PhoneWeChat {
  return {
    loginCode: async (openid) => wechat.issueCode({ openid }).code,
    phoneCode: async (openid) => wechat.issuePhoneCode({ openid, phone: numberOf(openid) }).code,
  }
}

/** Everybody has a number, always the same. */
function numberOf(openid: string): string {
  if (openid === HOLDER) return HELD_NUMBER
  const digits = createHash('sha256').update(openid).digest().readUInt32BE(0) % 100_000_000
  return `139${String(digits).padStart(8, '0')}`
}

/** On a second phone of theirs: logs in, proves the number as the phone button does, logs out. */
async function bindNumber(wechat: OfflineWeChat, baseUrl: string): Promise<void> {
  const post = async (path: string, body: object, token?: string) => {
    const answer = await fetch(`${baseUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': PAGE_AGENT,
        ...(token === undefined ? {} : { authorization: `JWT ${token}` }),
      },
      body: JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${text}`)
    return text === '' ? {} : (JSON.parse(text) as { token?: string })
  }
  const { code } = wechat.issueCode({ openid: HOLDER })
  const { token } = await post('/login', { code })
  const phone = wechat.issuePhoneCode({ openid: HOLDER, phone: HELD_NUMBER })
  const loginCode = wechat.issueCode({ openid: HOLDER }).code
  await post('/login/phone', { code: phone.code, loginCode }, token)
  await post('/logout', {}, token)
}
