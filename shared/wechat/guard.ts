/** When WeChat is left alone: while it does not answer, and while a quota is used up. */

import { createBreaker } from '../breaker.ts'
import type { WeChat } from '../ports.ts'
import { Problem, type ProblemCode } from '../problem.ts'
import { errcodeOf } from './api-call.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Quotas of a day end at midnight in China, which has no summer time. */
const CHINA_OFFSET_MS = 8 * 60 * MINUTE_MS
/** A quota can be raised before it ends, and that of a minute may be one user's: so long nobody asks, then one does. */
const DAY_PAUSE_MS = 10 * MINUTE_MS
const MINUTE_PAUSE_MS = 10_000

const DAY_QUOTA_ERRCODE = 45009

const NO_ANSWER: ReadonlySet<ProblemCode> = new Set(['wechat-unavailable', 'wechat-timeout'])

/**
 * WeChat behind a breaker for each API, as quotas are. An error code is an answer, whatever it says: however many of them
 * one caller provokes, nobody else is kept out. Codes keep five minutes, so clients come back.
 */
export function guardWeChat(wechat: WeChat, now: () => number): WeChat {
  const judge = {
    isFailure,
    pauseOf: (error: unknown) => pauseOf(error, now()),
    refuse: (waitMs: number, error: unknown) =>
      new Problem(isQuota(error) ? 'wechat-rate-limited' : 'wechat-unavailable', {
        retryAfterSeconds: Math.max(Math.ceil(waitMs / 1000), 1),
      }),
  }
  const login = createBreaker({ now })
  const phone = createBreaker({ now })
  return {
    exchangeCode: (code, remainingMs) =>
      login.run(() => wechat.exchangeCode(code, remainingMs), judge),
    exchangePhoneCode: (code, remainingMs) =>
      phone.run(() => wechat.exchangePhoneCode(code, remainingMs), judge),
  }
}

function isQuota(error: unknown): boolean {
  return error instanceof Problem && error.code === 'wechat-rate-limited'
}

function isFailure(error: unknown): boolean {
  if (!(error instanceof Problem)) return false
  if (error.code === 'wechat-bad-answer') return errcodeOf(error) === undefined
  return NO_ANSWER.has(error.code) || isQuota(error)
}

/**
 * A day's quota is the mini program's. Users have one of 100 exchanges a minute each: that one of them used it up is no
 * reason to keep others out, that nobody gets through is.
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session.html
 */
function pauseOf(error: unknown, nowMs: number): { forMs: number; isAtOnce: boolean } | undefined {
  if (!isQuota(error)) return undefined
  const isAtOnce = errcodeOf(error) === DAY_QUOTA_ERRCODE
  const leftMs = isAtOnce
    ? DAY_MS - ((nowMs + CHINA_OFFSET_MS) % DAY_MS)
    : MINUTE_MS - (nowMs % MINUTE_MS)
  return { forMs: Math.min(leftMs, isAtOnce ? DAY_PAUSE_MS : MINUTE_PAUSE_MS), isAtOnce }
}
