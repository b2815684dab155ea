/** Requests of the API's description made to work: what is an example in them is exchanged for something that lives. */

import type { MediaTypeObject } from '../../scripts/openapi/shapes.ts'
import type { ReceivedAnswer } from './described-api.ts'
import type { InProcessFunctions } from './in-process-functions.ts'

/** Somebody logged in. */
export interface DescribedPerson {
  openid: string
  token: string
  /** What a route's field should be for this person; `undefined` where the example will do. */
  living(route: string, field: string): Promise<string | undefined>
}

/** A new person, with a second device and a rating each of the example's account and of the one before it. */
export async function newPerson(
  { ask, wechat }: InProcessFunctions,
  exampleRating: Record<string, unknown>,
): Promise<DescribedPerson> {
  const { code, openid } = wechat.issueCode({})
  const first = bodyOf(await ask('POST /login', { body: { code } }))
  const again = wechat.issueCode({ openid })
  const second = bodyOf(await ask('POST /login', { body: { code: again.code } }))
  const token = String(first.token)
  const headers = { authorization: `JWT ${token}` }
  const account = String(exampleRating.acc_nbr)
  for (const acc_nbr of [`${account.slice(0, -1)}${account.endsWith('1') ? 2 : 1}`, account]) {
    await ask('POST /score', { body: { ...exampleRating, acc_nbr }, headers })
  }
  const page = bodyOf(await ask('GET /score', { path: '/score?limit=1', headers }))
  const devices = bodyOf(await ask('GET /login/devices', { headers }))
  const [other] = (devices.items as { id: string; current: boolean }[]).filter(
    ({ current }) => !current,
  )
  const loginCode = async (): Promise<string> => wechat.issueCode({ openid }).code
  const phone = async () => wechat.issuePhoneCode({ openid, phone: '13800138000' })
  return {
    openid,
    token,
    async living(route, field) {
      if (field === 'code') return route.includes('/phone') ? (await phone()).code : loginCode()
      if (field === 'loginCode') return loginCode()
      if (field === 'refreshToken') return String(second.refreshToken)
      if (field === 'id') return String(other?.id)
      if (field === 'cursor' || field === 'since') return String(page.next)
      return undefined
    },
  }
}

/** A body with what lives in place of what is an example. Encrypted data is made after the code, whose key it is under. */
export async function livingBody(
  route: string,
  example: Readonly<Record<string, unknown>>,
  person: DescribedPerson,
  { wechat }: Pick<InProcessFunctions, 'wechat'>,
): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(example)) {
    body[name] = (await person.living(route, name)) ?? value
  }
  if (!('encryptedData' in example)) return body
  const { openid } = person
  const made = route.includes('/phone')
    ? wechat.issuePhoneCode({ openid, phone: '13800138000' })
    : wechat.userData({ openid })
  const secrets = Object.entries(made).filter(([name]) => name !== 'code' && name in example)
  return { ...body, ...Object.fromEntries(secrets) }
}

/** A body as its media type is written: a form by the encoding of each field. @throws {Error} for an encoding unknown here */
export function written(
  type: string,
  { encoding }: MediaTypeObject,
  body: Readonly<Record<string, unknown>>,
): string {
  if (type === 'application/json') return JSON.stringify(body)
  const fields = Object.entries(body).map(([name, value]): [string, string] => {
    if (encoding?.[name]?.contentType !== 'application/json') throw new Error(`${name}: how?`)
    return [name, JSON.stringify(value)]
  })
  return new URLSearchParams(fields).toString()
}

/** The members of an answer. */
export function bodyOf({ status, body }: ReceivedAnswer): Record<string, unknown> {
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`)
  return body as Record<string, unknown>
}
