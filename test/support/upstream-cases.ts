/** Behaviours of WeChat beside those of test/vectors/wechat-upstream.json: the other error codes, statuses and kinds of garbage. */

import corpus from '../vectors/wechat-upstream.json' with { type: 'json' }
import type { UpstreamBehaviour } from './upstream-behaviour.ts'

/** What WeChat does, and what a client is to be told. */
export interface UpstreamCase {
  id: string
  resp: UpstreamBehaviour
  expect: { status: number; code: string | null }
  /** Most further attempts. */
  retry: number
}

const OPENID = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
const SESSION_KEY = 'tiihtNczf5v6AKRyjwEUhQ=='

function told(status: number, code: string | null) {
  return { status, code }
}
const badAnswer = told(502, 'wechat-bad-answer')

function answering(id: string, body: unknown, expected = badAnswer): UpstreamCase {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { id, resp: { status: 200, body: text }, expect: expected, retry: 0 }
}

const errcodes: [errcode: number, expected: ReturnType<typeof told>][] = [
  [40029, told(401, 'wechat-rejected-code')],
  [40226, told(403, 'wechat-blocked-user')],
  [45011, told(429, 'wechat-rate-limited')],
  ...[40125, 40243, 41002, 41008, 43002, 50007, 89503, 89506, 89507].map(
    (errcode): [number, ReturnType<typeof told>] => [errcode, told(500, 'wechat-misconfigured')],
  ),
  [99999, badAnswer],
]

const whole = { openid: OPENID, session_key: SESSION_KEY }

const composedUpstreamCases: readonly UpstreamCase[] = [
  ...errcodes.map(([errcode, expected]) =>
    answering(`errcode-${errcode}`, { errcode, errmsg: 'x' }, expected),
  ),
  ...[401, 404, 410, 418, 500, 501, 503].map(
    (status): UpstreamCase => ({
      id: `status-${status}`,
      resp: { status, body: JSON.stringify(whole) },
      expect: badAnswer,
      retry: 0,
    }),
  ),
  answering('json-null', 'null'),
  answering('json-true', 'true'),
  answering('json-text', '"ok"'),
  answering('white-space', ' \n\t'),
  answering('page-with-status-200', '<html><body>captive portal</body></html>'),
  answering('larger-than-any-answer', { ...whole, padding: 'x'.repeat(70_000) }),
  answering('openid-a-number', { ...whole, openid: 1 }),
  answering('openid-null', { ...whole, openid: null }),
  answering('openid-too-long', { ...whole, openid: 'o'.repeat(65) }),
  answering('openid-with-a-space', { ...whole, openid: `${OPENID} ` }),
  answering('openid-with-nul', { ...whole, openid: 'o\u0000' }),
  answering('openid-of-the-prototype', `{"__proto__":${JSON.stringify(whole)}}`),
  answering('session-key-missing', { openid: OPENID }),
  answering('session-key-a-number', { ...whole, session_key: 1 }),
  answering('session-key-17-bytes', { ...whole, session_key: Buffer.alloc(17).toString('base64') }),
  answering('session-key-in-another-spelling', {
    ...whole,
    session_key: `${SESSION_KEY.slice(0, 22)}`,
  }),
  answering('unionid-hostile', { ...whole, unionid: "u' or 1=1" }, told(200, null)),
]

/** All of them. */
export const upstreamCases: readonly UpstreamCase[] = [
  ...(corpus.cases as UpstreamCase[]),
  ...composedUpstreamCases,
]
