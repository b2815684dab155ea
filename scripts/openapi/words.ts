/** What fields mean, by their names, and an example value of each. The form's own fields speak for themselves. */

import type { JsonSchema } from '@valibot/to-json-schema'
import fc from 'fast-check'
import { ratingForm } from '../../shared/domain/form.ts'

interface Word {
  description?: string
  /** A well-known kind of text, which no schema of ours checks: the server alone makes them. */
  format?: 'date-time' | 'uuid' | 'uri'
  example: unknown
}

const RATING_ID = '0198c3f0-7d2a-7c41-9b6e-5a1f0e3d2c4b'
const RATED_AT = '2026-11-24T08:30:00.000Z'
const CURSOR = Buffer.from(RATING_ID.replaceAll('-', ''), 'hex').toString('base64url')

const words: Readonly<Record<string, Word>> = {
  code: {
    description: 'A fresh code of WeChat’s; it works once.',
    example: '0a3Kx1ll2vQ8ag4P7Rnl2oXlfK1Kx1lT',
  },
  loginCode: {
    description: 'A fresh code of `wx.login`, where the number is somebody else’s.',
    example: '0b4Ly2mm3wR9bh5Q8Som3pYmgL2Ly2mU',
  },
  encryptedData: {
    description: 'Encrypted data as WeChat gives it.',
    example: 'CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS',
  },
  iv: { description: 'The initial vector that came with it.', example: 'r7BXXKkLb8qrSNn05n0qiA==' },
  rawData: {
    description: 'The text that WeChat signed, exactly as it came.',
    example: '{"nickName":"微信用户"}',
  },
  signature: { description: 'Its signature.', example: '75e81ceda165f4ffa64f4068af58c64b8f54b88c' },
  device: {
    description:
      'A name for the list of devices; with some random characters it makes a login repeatable. An emoji counts as two characters.',
    example: 'my phone 7f3a',
  },
  proofKey: {
    description:
      'SHA-256, in base64url, of a secret that the client keeps; binds the session to it.',
    example: 'LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ',
  },
  token: {
    description: 'The access token, for `Authorization: JWT …`.',
    example: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl',
  },
  expiresIn: { description: 'Seconds the access token lives.', example: 900 },
  refreshToken: {
    description: 'Works once, for the next pair.',
    example: `rt_k1.${'AbCdEfGhIjKlMnOpQrStUvWxYz012'.repeat(4).slice(0, 91)}`,
  },
  refreshExpiresIn: { description: 'Seconds the refresh token lives.', example: 2_592_000 },
  id: { format: 'uuid', example: RATING_ID },
  nickName: { example: '微信用户' },
  gender: { example: 0 },
  language: { example: 'zh_CN' },
  city: { example: '' },
  province: { example: '' },
  country: { example: '' },
  avatarUrl: { example: 'https://thirdwx.qlogo.cn/mmopen/vi_32/example/132' },
  phone: { description: 'The number, most of it hidden.', example: '138****8000' },
  everywhere: { description: 'Ends all sessions of the person.', example: true },
  createdAt: { format: 'date-time', example: RATED_AT },
  lastUsedAt: { format: 'date-time', example: RATED_AT },
  expiresAt: { format: 'date-time', example: '2026-12-24T08:30:00.000Z' },
  current: { description: 'Whether it is the session that asks.', example: true },
  message: { description: 'Chinese, fit for a toast.', example: '数据提交成功' },
  cursor: { description: 'The `next` of the page before.', example: CURSOR },
  next: { description: 'The `cursor` of the next page; `null` on the last.', example: null },
  since: {
    description: 'The mark of the newest rating; sent back, it asks for what is newer.',
    example: CURSOR,
  },
  limit: { description: 'Ratings a page.', example: 20 },
  insert_time: {
    description: 'When it was submitted, in UTC.',
    format: 'date-time',
    example: RATED_AT,
  },
  count: { description: 'How many ratings.', example: 3 },
  newest_only: {
    description: 'There when only the newest of one’s own ratings were counted.',
    example: true,
  },
  mean: { description: 'To two decimals; `null` where nobody gave that grade.', example: 4.33 },
  counts: { description: 'How often each grade was given.', example: { 4: 2, 5: 1 } },
}

const { account, grades, texts } = ratingForm
const formWords: Readonly<Record<string, Word>> = Object.fromEntries<Word>([
  [account.name, { description: `${account.label}：${account.hint}`, example: exampleAccount() }],
  ...grades.map(({ name, label, min, max }): [string, Word] => [
    name,
    { description: `${label}：${min} – ${max}`, example: max },
  ]),
  ...texts.map(({ name, label, maxLength }): [string, Word] => [
    name,
    { description: label, example: '很好，谢谢'.slice(0, maxLength) },
  ]),
])

/** A number that the form takes: a telephone number where it can be one, and always the same. */
function exampleAccount(): string {
  const pattern = new RegExp(account.pattern)
  if (pattern.test('13800138000')) return '13800138000'
  const [text = ''] = fc.sample(fc.stringMatching(pattern), { numRuns: 1, seed: 1 })
  return text
}

function wordOf(name: string): Word | undefined {
  const known = { ...words, ...formWords }
  return Object.hasOwn(known, name) ? known[name] : undefined
}

/**
 * The schema with a description at every field that has a word here; in answers with formats as well, which nothing that is
 * sent is held to.
 */
export function withWords(schema: JsonSchema, mode: 'input' | 'output'): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    if (typeof property === 'boolean') return [name, property]
    const { description, format } = wordOf(name) ?? {}
    const described = withWords(property, mode)
    const hasFormat = format !== undefined && mode === 'output' && property.type === 'string'
    return [
      name,
      {
        // A summary has members of the form's names that are no grades.
        ...(description === undefined || property.type === 'object' ? {} : { description }),
        ...described,
        ...(hasFormat ? { format } : {}),
      },
    ]
  })
  const { items } = schema
  return {
    ...schema,
    ...(schema.properties ? { properties: Object.fromEntries(properties) } : {}),
    ...(typeof items === 'object' && !Array.isArray(items)
      ? { items: withWords(items, mode) }
      : {}),
    ...(schema.required?.length === 0 ? { required: undefined } : {}),
  }
}

/** The value that stands for a field in examples. @throws {Error} where there is none */
export function exampleOfField(name: string): unknown {
  const word = wordOf(name)
  if (!word)
    throw new Error(`Field ${name} has no example: give it one in scripts/openapi/words.ts.`)
  return word.example
}
