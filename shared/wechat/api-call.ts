/**
 * One call of WeChat's server API over node:https, under one total deadline. Request URLs hold the AppSecret
 * or an access token, so they are never part of an error or a log line.
 */

import http from 'node:http'
import https from 'node:https'
import { Problem, type ProblemCode } from '../problem.ts'

/** Longest wait for one call, all attempts together. */
export const WECHAT_BUDGET_MS = 3000
/** Left over for our own answer when the platform's deadline is nearer than the budget. */
const RESERVE_MS = 300
/** Answers are below 2 KB; more is not WeChat. */
const ANSWER_MAX_BYTES = 64 * 1024

/** A failed call, described without URL or content. */
export class WeChatError extends Error {
  readonly logDetails: Record<string, string | number | undefined>

  constructor(details: {
    reason: string
    httpStatus?: number | undefined
    errcode?: number | undefined
    rid?: string | undefined
  }) {
    super(`WeChat: ${details.reason}`)
    this.name = 'WeChatError'
    this.logDetails = details
  }
}

/** A request; `body` is sent as JSON by POST. */
export interface WeChatCall {
  url: URL
  query: Record<string, string>
  body?: Record<string, unknown>
}

/** The JSON object of a successful call; its members are not checked yet. */
export type WeChatAnswer = Record<string, unknown>

/** Milliseconds left for a call and its repetition, when the invocation has `remainingMs` left now. */
export function callTime(remainingMs: number, steadyMs: () => number): () => number {
  const endMs = steadyMs() + Math.min(WECHAT_BUDGET_MS, remainingMs - RESERVE_MS)
  return () => Math.max(endMs - steadyMs(), 1)
}

/**
 * Makes a call, and repeats it once when it certainly never reached WeChat or WeChat says that it is busy.
 * A code that may have been used is not sent again after anything else: it is single-use.
 * @throws {Problem} `wechat-…`, its cause a `WeChatError`
 */
export async function callWeChat(
  call: WeChatCall,
  timeLeftMs: () => number,
): Promise<WeChatAnswer> {
  const attempt = async (): Promise<WeChatAnswer> => readAnswer(await send(call, timeLeftMs()))
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof Problem) || !isWorthRepeating(error)) throw error
    if (timeLeftMs() < RESERVE_MS) throw error
    return await attempt()
  }
}

/** WeChat's error code behind a problem, if it gave one. */
export function errcodeOf(error: unknown): number | undefined {
  const cause = error instanceof Problem ? error.details.cause : undefined
  const errcode = cause instanceof WeChatError ? cause.logDetails.errcode : undefined
  return typeof errcode === 'number' ? errcode : undefined
}

function isWorthRepeating({ details: { cause } }: Problem): boolean {
  if (!(cause instanceof WeChatError)) return false
  return cause.logDetails.errcode === -1 || cause.logDetails.reason === 'not connected'
}

interface RawAnswer {
  status: number
  text: string
}

function send({ url, query, body }: WeChatCall, timeoutMs: number): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const transport = url.protocol === 'http:' ? http : https
    const path = `${url.pathname}?${new URLSearchParams(query)}`
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers =
      payload === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': payload.length }
    const method = payload === undefined ? 'GET' : 'POST'
    const request = transport.request(url, { path, method, headers, agent: false })
    let isConnected = false
    const fail = (code: ProblemCode, reason: string): void => {
      clearTimeout(timer)
      request.destroy()
      reject(new Problem(code, { cause: new WeChatError({ reason }) }))
    }
    const timer = setTimeout(() => fail('wechat-timeout', 'no answer in time'), timeoutMs)
    request.once('socket', (socket) => {
      socket.once(transport === https ? 'secureConnect' : 'connect', () => {
        isConnected = true
      })
    })
    request.once('error', () =>
      fail('wechat-unavailable', isConnected ? 'connection broke' : 'not connected'),
    )
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_MAX_BYTES) fail('wechat-bad-answer', 'answer too large')
        else chunks.push(chunk)
      })
      response.once('error', () => fail('wechat-bad-answer', 'answer broke off'))
      response.once('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
      })
    })
    request.end(payload)
  })
}

/** The JSON object of a successful call. WeChat sends JSON as text/plain: the header is not looked at. */
function readAnswer({ status, text }: RawAnswer): WeChatAnswer {
  if (status === 429)
    throw refusal('wechat-rate-limited', { reason: 'limited', httpStatus: status })
  if (status !== 200) throw refusal('wechat-bad-answer', { reason: 'status', httpStatus: status })
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw refusal('wechat-bad-answer', { reason: 'not JSON', httpStatus: status })
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw refusal('wechat-bad-answer', { reason: 'not an object', httpStatus: status })
  }
  const { errcode, errmsg } = answer as { errcode?: unknown; errmsg?: unknown }
  // Some pages show it as a string, and success comes without it.
  const code = Number(errcode ?? 0)
  if (code === 0) return answer as WeChatAnswer
  const rid = typeof errmsg === 'string' ? RID.exec(errmsg)?.[1] : undefined
  throw refusal(problemOf(code), { reason: 'refused', errcode: code, rid })
}

/** WeChat's support asks for this part of the message. */
const RID = /\brid: ([0-9a-f-]{8,40})/

const RETRY_AFTER_SECONDS: Partial<Record<number, number>> = {
  [-1]: 1,
  // The rest of the day, but quotas are raised; see `guard.ts`.
  45009: 600,
}

function problemOf(errcode: number): ProblemCode {
  return ERRCODE_PROBLEMS.get(errcode) ?? 'wechat-bad-answer'
}

/** https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html and the global code list */
const ERRCODE_PROBLEMS: ReadonlyMap<number, ProblemCode> = new Map<number, ProblemCode>([
  [-1, 'wechat-unavailable'],
  [40029, 'wechat-rejected-code'],
  // Not in the page's table, common in the field: the code was used before.
  [40163, 'wechat-rejected-code'],
  [40226, 'wechat-blocked-user'],
  [45009, 'wechat-rate-limited'],
  [45011, 'wechat-rate-limited'],
  ...[
    40002, 40013, 40125, 40164, 40243, 41002, 41004, 41008, 43002, 48001, 50007, 89503, 89506,
    89507,
  ].map((errcode): [number, ProblemCode] => [errcode, 'wechat-misconfigured']),
])

/** A problem whose cause says what WeChat answered. */
export function refusal(
  code: ProblemCode,
  details: { reason: string; httpStatus?: number; errcode?: number; rid?: string | undefined },
): Problem {
  const retryAfterSeconds = RETRY_AFTER_SECONDS[details.errcode ?? 0]
  const isLimited = code === 'wechat-rate-limited'
  return new Problem(code, {
    cause: new WeChatError(details),
    ...(retryAfterSeconds !== undefined || isLimited
      ? { retryAfterSeconds: retryAfterSeconds ?? 60 }
      : {}),
  })
}
