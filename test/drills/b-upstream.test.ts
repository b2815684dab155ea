import { describe, expect, test } from 'vitest'
import * as drillFunctions from '../support/drill-functions.ts'
import { drillSeed, seededChance } from '../support/drill-random.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { importPatched, type Patch } from '../support/drill-variant.ts'
import { upstreamCases } from '../support/upstream-cases.ts'
import {
  isSlow,
  playUpstreamCases,
  runUpstreamStorm,
  stormFaultsOf,
  type UpstreamModule,
} from '../support/upstream-drill.ts'

const STORM_MS = isFullDrill ? 60_000 : 5000

test('whatever WeChat does, a client that logs in is told what to do, in time, and no secret', async () => {
  const chance = seededChance(drillSeed())
  const faults = await playUpstreamCases(drillFunctions, upstreamCases)
  const storm = await runUpstreamStorm(drillFunctions, STORM_MS, chance)
  const broken = stormFaultsOf(storm)
  const { answers, slowestMs, recoveryMs, refusalsKeepNobodyOut: _is, ...figures } = storm
  await reportDrill({
    drill: 'B',
    figures: {
      behaviours: `${upstreamCases.length - new Set(faults.map((each) => each.split(':')[0])).size}/${upstreamCases.length}`,
      ...figures,
      answers: Object.entries(answers)
        .map(([status, count]) => `${status}:${count}`)
        .join(','),
      slowest: `${slowestMs.toFixed(0)}ms`,
      recovery: `${recoveryMs.toFixed(0)}ms`,
      seed: chance.seed,
    },
    passed: faults.length === 0 && broken.length === 0,
  })
  expect(upstreamCases).toHaveLength(74)
  expect(faults).toEqual([])
  expect(broken).toEqual([])
  // It was a storm: there were good answers and all kinds of failures.
  expect(Object.keys(answers).length).toBeGreaterThan(4)
}, 300_000)

const API_CALL = 'shared/wechat/api-call.ts'
const GUARD = 'shared/wechat/guard.ts'

describe('the drill finds a login that', () => {
  const quick = upstreamCases.filter((each) => !isSlow(each))
  const hanging = upstreamCases.filter(({ resp }) => resp.net === 'hang')

  test.each<[what: string, fault: RegExp, patch: Patch]>([
    [
      'sends a code again whatever happened to it',
      /asked 2 times/,
      {
        file: API_CALL,
        from: 'if (!(cause instanceof WeChatError)) return false',
        to: 'return true',
      },
    ],
    [
      'takes every error code for success',
      /told/,
      { file: API_CALL, from: 'if (code === 0) return', to: 'if (true) return' },
    ],
    [
      'takes any status',
      /status-.*told/,
      { file: API_CALL, from: 'if (status !== 200) throw', to: 'if (false) throw' },
    ],
    [
      'takes any session key',
      /session-key.*told/,
      {
        file: 'shared/wechat/client.ts',
        from: 'return bytes.length === 16 && bytes.toString',
        to: 'return true || bytes.toString',
      },
    ],
    [
      'takes any openid',
      /openid.*told/,
      { file: 'shared/wechat/client.ts', from: '!IDENTIFIER.test(openid) ||', to: '' },
    ],
    [
      'reads as much as there is',
      /larger-than.*told/,
      { file: API_CALL, from: 'if (size > ANSWER_MAX_BYTES)', to: 'if (size < 0)' },
    ],
    [
      'logs the address it asked',
      /said a secret/,
      {
        file: API_CALL,
        from: 'cause: new WeChatError({ reason }) }))',
        to: 'cause: new WeChatError({ reason: reason + path }) }))',
      },
    ],
  ])('%s', async (what, fault, patch) => {
    const isWrong = async (): Promise<boolean> =>
      (await playUpstreamCases(await importModule(patch), quick)).some((each) => fault.test(each))
    expect(await isFoundOut({ drill: 'B', variant: what }, isWrong)).toBe(true)
  })

  test('waits longer than its caller', async () => {
    const inTime = "'no answer in time'), timeoutMs)"
    const longer = {
      file: API_CALL,
      from: inTime,
      to: inTime.replace('timeoutMs', 'timeoutMs + 1500'),
    }
    const isWrong = async (): Promise<boolean> =>
      (await playUpstreamCases(await importModule(longer), hanging)).some((each) =>
        /took/.test(each),
      )
    expect(await isFoundOut({ drill: 'B', variant: 'waits longer than its caller' }, isWrong)).toBe(
      true,
    )
  })

  test.each<[what: string, fault: string, patch: Patch]>([
    [
      'never leaves WeChat alone',
      'WeChat not left alone',
      {
        file: GUARD,
        from: 'const login = createBreaker({ now })',
        to: 'const login = createBreaker({ now, failuresToOpen: Infinity })',
      },
    ],
    [
      'takes refused codes for an outage',
      'refused codes keep others out',
      {
        file: GUARD,
        from: 'function isFailure(error: unknown): boolean {',
        to: 'function isFailure(error: unknown): boolean {\n  return true',
      },
    ],
  ])(
    '%s',
    async (what, fault, patch) => {
      const isWrong = async (): Promise<boolean> =>
        stormFaultsOf(
          await runUpstreamStorm(await importModule(patch), 500, seededChance(1)),
        ).includes(fault)
      expect(await isFoundOut({ drill: 'B', variant: what }, isWrong)).toBe(true)
    },
    60_000,
  )
})

function importModule(patch: Patch): Promise<UpstreamModule> {
  return importPatched<UpstreamModule>('test/support/drill-functions.ts', [patch])
}
