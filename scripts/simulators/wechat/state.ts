import type { CodeReading } from './codes.ts'
import type { ContentWord } from './content-words.ts'
import type { FaultSpec } from './faults.ts'
import { maskOf, type RequestRecord } from './request-log.ts'
import { weChatPaths } from './routes.ts'
import type { Simulator } from './simulator.ts'
import type { SentMessage, Template } from './subscriptions.ts'

const MOST_CODES = 50
const MOST_REQUESTS = 200

/** What `GET /sim/state` tells: all there is. Secrets, keys and tokens as `maskOf` shows them, login codes as they are. */
export interface SimulatorState {
  clock: ClockReading
  /** What codes, keys and ids are made from; null when they are random. */
  seed: string | null
  /** The endpoints of WeChat that are played. */
  paths: readonly string[]
  apps: AppReading[]
  /** Newest first. */
  codes: {
    code: string
    kind: string
    appid: string
    openid: string
    state: string
    expiresAt: string
  }[]
  faults: FaultSpec[]
  words: ContentWord[]
  /** Newest first. */
  requests: RequestRecord[]
  paidPhoneCalls: number
}

export interface ClockReading {
  nowMs: number
  /** ISO 8601. */
  now: string
  stopped: boolean
}

interface AppReading {
  appid: string
  secret: string
  state: string
  ipList: readonly string[]
  pages: readonly string[]
  forcedRefreshesLeft: number
  people: {
    openid: string
    unionid: string | null
    risk: boolean
    riskRank: number
    /** Of the key that is valid now; null without one. */
    sessionKey: string | null
    /** When their last code was issued, ISO 8601. */
    seen: string | null
  }[]
  tokens: { token: string; kind: string; expiresAt: string }[]
  quotas: { path: string; today: number; perMinute: number | null; perDay: number | null }[]
  templates: Template[]
  messages: readonly SentMessage[]
}

export function readState({ world, clock, faults, log, seed }: Simulator): SimulatorState {
  return {
    clock: readClock(clock),
    seed: seed() ?? null,
    paths: weChatPaths,
    apps: world.apps.all().map(({ appid, secret, state, ipList, pages, ...app }) => ({
      appid,
      secret: maskOf(secret),
      state,
      ipList,
      pages,
      forcedRefreshesLeft: app.tokens.forcesLeft(),
      people: app.users.all().map((user) => ({
        openid: user.openid,
        unionid: user.unionid ?? null,
        risk: user.risk,
        riskRank: user.riskRank,
        sessionKey: user.sessionKey === undefined ? null : maskOf(user.sessionKey),
        seen: user.lastCodeAtMs === undefined ? null : isoOf(user.lastCodeAtMs),
      })),
      tokens: app.tokens.living().map(({ token, kind, expiresAtMs }) => ({
        token: maskOf(token),
        kind,
        expiresAt: isoOf(expiresAtMs),
      })),
      quotas: app.quotas.used(),
      templates: [...app.subscriptions.templates.values()],
      messages: app.subscriptions.sent(),
    })),
    codes: world.codes.newest(MOST_CODES).map(readCode),
    faults: faults.waiting(),
    words: world.words.all(),
    requests: log.all().slice(-MOST_REQUESTS).reverse(),
    paidPhoneCalls: world.paidPhoneCalls,
  }
}

export function readClock(clock: Simulator['clock']): ClockReading {
  const nowMs = clock.now()
  return { nowMs, now: isoOf(nowMs), stopped: clock.isStopped() }
}

function readCode({ code, facts, state, expiresAtMs }: CodeReading) {
  const { kind, appid, openid } = facts
  return { code, kind, appid, openid, state, expiresAt: isoOf(expiresAtMs) }
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
