/** Drill B: logins while WeChat answers wrongly, late, or not at all. The store is never down. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { FaultSpec } from '../../scripts/simulators/wechat/faults.ts'
import { type OfflineWeChat, startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import type * as drillFunctions from './drill-functions.ts'
import type { Chance } from './drill-random.ts'
import { type Answer, call } from './http-events.ts'
import { playUpstream } from './upstream-behaviour.ts'
import type { UpstreamCase } from './upstream-cases.ts'
import { randomKey } from './world.ts'

/** The functions that log in: as they are, or a broken variant. */
export type UpstreamModule = Pick<
  typeof drillFunctions,
  'functionsInProcess' | 'fakeParts' | 'drillSigner'
>

/** Those that take seconds. */
export function isSlow({ resp: { net, delayMs } }: UpstreamCase): boolean {
  return delayMs !== undefined || net === 'hang' || net === 'byte-per-second' || net === 'refuse'
}

const BUDGET_MS = 3000
/** For our own part of an answer. */
const MARGIN_MS = 100
const SECRET = 'AppSecretThatNobodyMaySee0000000'
const SESSION_KEYS = ['tiihtNczf5v6AKRyjwEUhQ']

interface LoginScene {
  wechat: OfflineWeChat
  /** Logs somebody in with a new code. */
  logIn(): Promise<Answer & { code: string; durationMs: number }>
  /** Everything that was logged or answered. */
  said: string[]
  close(): Promise<void>
}

async function openScene({
  functionsInProcess,
  fakeParts,
  drillSigner,
}: UpstreamModule): Promise<LoginScene> {
  const appid = 'wx0123456789abcdef'
  const kept = randomKey('k1')
  const key = { kid: 'k1', secret: new Uint8Array(Buffer.from(kept.slice(3), 'base64url')) }
  const wechat = await startOfflineWeChat({ appid, secret: SECRET })
  const { wechat: _real, ...others } = fakeParts(drillSigner(appid, key), key)
  const said: string[] = []
  const functions = functionsInProcess(
    {
      TOKEN_KEYS: kept,
      SEALING_KEYS: randomKey('s1'),
      LOOKUP_KEY: randomKey('').slice(1),
      WECHAT_APPID: appid,
      WECHAT_SECRET: SECRET,
      WECHAT_API_URL: wechat.url,
      DATABASE_URL: 'mysql://user:password@127.0.0.1:1/none',
    },
    { others, write: (line) => said.push(line) },
  )
  return {
    wechat,
    said,
    async logIn() {
      const { code } = wechat.issueCode({})
      const startedAt = performance.now()
      const answer = await call(functions.login.http, 'POST /login', { body: { code } })
      said.push(JSON.stringify(answer.body))
      return { ...answer, code, durationMs: performance.now() - startedAt }
    },
    close: () => wechat.close(),
  }
}

/** How much was said of what nobody may know. */
function leaksIn({ said }: LoginScene, codes: readonly string[]): number {
  const text = said.join('\n')
  return [SECRET, ...SESSION_KEYS, ...codes].filter((secret) => text.includes(secret)).length
}

/** Plays each case to an instance of its own. Resolves to what was not as it should be, a sentence each. */
export async function playUpstreamCases(
  module: UpstreamModule,
  cases: readonly UpstreamCase[],
): Promise<string[]> {
  const faults: string[] = []
  const waiting = [...cases]
  const playNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      faults.push(...(await playCase(module, next)))
    }
  }
  await Promise.all(Array.from({ length: 6 }, playNext))
  return faults
}

async function playCase(module: UpstreamModule, each: UpstreamCase): Promise<string[]> {
  const scene = await openScene(module)
  const lag = monitorEventLoopDelay({ resolution: 5 })
  try {
    for (const fault of playUpstream(each.resp, { times: each.retry + 1 })) {
      scene.wechat.addFault(fault)
    }
    lag.enable()
    const { status, body, code, durationMs } = await scene.logIn()
    const lateMs = lag.max / 1e6
    const told = { status, code: body.code ?? null }
    const attempts = scene.wechat.requests().length
    const problems = {
      [`told ${JSON.stringify(told)}`]:
        told.status !== each.expect.status || told.code !== each.expect.code,
      [`took ${durationMs.toFixed(0)}ms`]: durationMs > BUDGET_MS + MARGIN_MS + lateMs,
      [`asked ${attempts} times`]: attempts > 1 + each.retry,
      'said a secret': leaksIn(scene, [code]) > 0,
    }
    return Object.keys(problems).flatMap((what) => (problems[what] ? [`${each.id}: ${what}`] : []))
  } finally {
    lag.disable()
    await scene.close()
  }
}

export interface StormResult {
  logins: number
  answers: Record<string, number>
  /** Answers that no client is promised. */
  undefinedAnswers: number
  overBudget: number
  slowestMs: number
  leaks: number
  /** In a full outage: logins, and how often WeChat was asked meanwhile. */
  outageLogins: number
  outageCalls: number
  /** Calls later than a second after the tenth failure, beyond one try every two seconds. */
  callsWhileOpen: number
  /** From WeChat's recovery to the first login. */
  recoveryMs: number
  /** Whether one was let in after many codes in a row that WeChat refused. */
  refusalsKeepNobodyOut: boolean
}

const RATE_PER_SECOND = 50
const FAULT_SHARE = 0.3
const OUTAGE_MS = 4000
const PATH = '/sns/jscode2session'

const stormFaults: readonly FaultSpec[] = [
  ...[-1, 40029, 40163, 45011, 40226, 99999].map((errcode) => ({
    kind: 'errcode' as const,
    errcode,
  })),
  { kind: 'html' },
  { kind: 'empty' },
  { kind: 'truncate' },
  { kind: 'reset' },
  { kind: 'status', status: 502 },
  { kind: 'slow', delayMs: 800 },
  { kind: 'drip', delayMs: 50 },
  { kind: 'hang' },
]
const promised = new Set([200, 401, 403, 429, 502, 503, 504])

/** A storm of `forMs`, a full outage, the recovery from it, and a crowd of refused codes. */
export async function runUpstreamStorm(
  module: UpstreamModule,
  forMs: number,
  chance: Chance,
): Promise<StormResult> {
  const scene = await openScene(module)
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  const { wechat } = scene
  const answers: Record<string, number> = {}
  const codes: string[] = []
  const result = { logins: 0, undefinedAnswers: 0, overBudget: 0, slowestMs: 0 }
  const underWay: Promise<void>[] = []
  const logInOnce = async (): Promise<number> => {
    const { status, code, durationMs } = await scene.logIn()
    codes.push(code)
    answers[status] = (answers[status] ?? 0) + 1
    if (!promised.has(status)) result.undefinedAnswers++
    if (durationMs > BUDGET_MS + MARGIN_MS + lag.max / 1e6) result.overBudget++
    result.slowestMs = Math.max(result.slowestMs, durationMs)
    return status
  }
  const sendFor = async (lengthMs: number, before: () => void = () => {}): Promise<number> => {
    const count = Math.round((lengthMs / 1000) * RATE_PER_SECOND)
    const startedAt = performance.now()
    for (let index = 0; index < count; index++) {
      const dueMs = startedAt + (index * 1000) / RATE_PER_SECOND - performance.now()
      if (dueMs > 0) await pause(dueMs)
      before()
      underWay.push(logInOnce().then(() => {}))
    }
    return count
  }
  try {
    result.logins = await sendFor(forMs, () => {
      if (chance.next() < FAULT_SHARE) wechat.addFault({ path: PATH, ...chance.pick(stormFaults) })
    })
    await Promise.all(underWay.splice(0))
    await wechat.clearFaults()
    await pause(2500)
    await logInOnce()

    wechat.clearRequests()
    wechat.addFault({ kind: 'reset', path: PATH, times: 1_000_000 })
    const tenthAtMs = (10 * 1000) / RATE_PER_SECOND
    let outageLogins = await sendFor(tenthAtMs + 1000)
    const callsBeforeOpen = wechat.requests().length
    const openMs = OUTAGE_MS - tenthAtMs - 1000
    outageLogins += await sendFor(openMs)
    await Promise.all(underWay.splice(0))
    const outageCalls = wechat.requests().length
    const callsWhileOpen = outageCalls - callsBeforeOpen - Math.ceil(openMs / 2000) - 1

    await wechat.clearFaults()
    const recoveryMs = await untilLoggedIn(logInOnce)
    wechat.addFault({ kind: 'errcode', errcode: 40029, path: PATH, times: 12 })
    for (let refused = 0; refused < 12; refused++) await logInOnce()
    const refusalsKeepNobodyOut = (await logInOnce()) === 200
    return {
      ...result,
      answers,
      leaks: leaksIn(scene, codes),
      outageLogins,
      outageCalls,
      callsWhileOpen: Math.max(callsWhileOpen, 0),
      recoveryMs,
      refusalsKeepNobodyOut,
    }
  } finally {
    lag.disable()
    await scene.close()
  }
}

async function untilLoggedIn(logInOnce: () => Promise<number>): Promise<number> {
  const startedAt = performance.now()
  while ((await logInOnce()) !== 200 && performance.now() - startedAt < 20_000) await pause(50)
  return performance.now() - startedAt
}

/** Which promises did not hold. */
export function stormFaultsOf(result: StormResult): string[] {
  const faults: Record<string, boolean> = {
    'answers nobody is promised': result.undefinedAnswers > 0,
    'over budget': result.overBudget > 0,
    'secrets said': result.leaks > 0,
    'an outage made worse': result.outageCalls > result.outageLogins * 1.1,
    'WeChat not left alone': result.callsWhileOpen > 0,
    'slow recovery': result.recoveryMs > 5000,
    'refused codes keep others out': !result.refusalsKeepNobodyOut,
  }
  return Object.keys(faults).filter((fault) => faults[fault])
}
