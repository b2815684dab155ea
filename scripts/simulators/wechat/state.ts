import type { ClockReading, SimulatorState } from './browser/told.ts'
import type { HeldCode } from './codes.ts'
import { maskOf } from './request-log.ts'
import { weChatPaths } from './routes.ts'
import type { Simulator } from './simulator.ts'

const MOST_CODES = 50
const MOST_PEOPLE = 100
const MOST_REQUESTS = 200

/** Everything there is: for the page, and for programs that want to look. */
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
      peopleCount: app.users.all().length,
      people: app.users
        .all()
        .slice(-MOST_PEOPLE)
        .map((user) => ({
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
    requestCount: log.all().length,
    requests: log.all().slice(-MOST_REQUESTS).reverse(),
    paidPhoneCalls: world.paidPhoneCalls,
  }
}

export function readClock(clock: Simulator['clock']): ClockReading {
  const nowMs = clock.now()
  return { nowMs, now: isoOf(nowMs), stopped: clock.isStopped() }
}

function readCode({ code, facts, state, expiresAtMs }: HeldCode) {
  const { kind, appid, openid } = facts
  return { code, kind, appid, openid, state, expiresAt: isoOf(expiresAtMs) }
}

function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
