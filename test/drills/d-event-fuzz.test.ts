import { describe, expect, test } from 'vitest'
import * as drillFunctions from '../support/drill-functions.ts'
import { drillSeed, seededChance } from '../support/drill-random.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { importPatched, type Patch } from '../support/drill-variant.ts'
import { type FuzzedModule, fuzzEvents, fuzzFaults } from '../support/event-fuzz-drill.ts'

const EVENTS = isFullDrill ? 500_000 : 20_000
const EVENTS_OF_A_VARIANT = 3000

test(`${EVENTS} mutated events of every platform are all answered, by what endpoints declare or by a problem`, async () => {
  const chance = seededChance(drillSeed())
  const result = await fuzzEvents(drillFunctions, EVENTS, chance)
  const { heapGrowthBytes, p999Ms, examples, ...figures } = result
  const faults = fuzzFaults(result)
  await reportDrill({
    drill: 'D',
    figures: {
      ...figures,
      heapGrowth: `${(heapGrowthBytes / 2 ** 20).toFixed(1)}MiB`,
      p999: `${p999Ms.toFixed(1)}ms`,
      seed: chance.seed,
    },
    passed: faults.length === 0,
  })
  expect(examples).toEqual({})
  expect(faults).toEqual([])
  // It was a drill: many events got through, on every route but two: here no session has a token, nor a key that decrypts.
  expect(result.good).toBeGreaterThan(EVENTS / 10)
  expect(result.routes).toBe(drillFunctions.endpointAt.size - 2)
}, 1_200_000)

describe('the drill finds functions that', () => {
  const variants: [what: string, fault: RegExp, ...patches: Patch[]][] = [
    [
      'throw what they could not handle',
      /throws/,
      {
        file: 'shared/transport/serve.ts',
        from: 'const problem = toProblem(error)',
        to: 'if (!(error instanceof Problem) || error.code === "invalid-json") throw error\nconst problem = toProblem(error)',
      },
    ],
    [
      'stringify before they look how deep',
      /serverErrors/,
      {
        file: 'shared/transport/body.ts',
        from: '  checkJson(value)\n  if (Buffer.byteLength',
        to: '  if (Buffer.byteLength',
      },
    ],
    [
      'send whatever a handler returns',
      /leaks/,
      {
        file: 'shared/endpoint.ts',
        from: 'allowListOf(endpoint.output)(handled.output)',
        to: 'handled.output',
      },
      // A handler that returns a row as it came.
      {
        file: 'functions/query-scores/page.ts',
        from: 'const item: Record<string, string | number | null> = { id, acc_nbr }',
        to: 'const item = { ...score }',
      },
    ],
    [
      'copy members into whatever they find',
      /pollution/,
      {
        file: 'shared/transport/body.ts',
        from: '  return { value, encoding }',
        to: `  const merge = (into, from) => {
            for (const [name, each] of Object.entries(from))
              if (typeof each === 'object' && each) merge((into[name] ??= {}), each)
              else into[name] = each
            return into
          }
          if (typeof value === 'object' && value) merge({}, value)
          return { value, encoding }`,
      },
    ],
    [
      'take a list for an object',
      /serverErrors/,
      {
        file: 'shared/endpoint.ts',
        from: "if (typeof value !== 'object' || value === null || Array.isArray(value)) {",
        to: 'if (false) {',
      },
      {
        file: 'shared/endpoint.ts',
        from: 'const parsed = v.safeParse(schema, value',
        to: 'Object.keys(value)\nconst parsed = v.safeParse(schema, value',
      },
    ],
    [
      'take any header for a text',
      /throws|serverErrors/,
      {
        file: 'shared/transport/http-event.ts',
        from: "path: typeof event.path === 'string' ? event.path : '/',",
        to: 'path: event.path.toString(),',
      },
    ],
    [
      'remember every event',
      /heap/,
      {
        file: 'shared/transport/serve.ts',
        from: '    isColdStart = false',
        to: '    isColdStart = false\n    ;(globalThis.remembered ??= []).push(new Array(1000).fill(startedAt))',
      },
    ],
  ]

  test.each(variants)('%s', async (what, fault, ...patches) => {
    const isWrong = async (): Promise<boolean> => {
      const broken = await importPatched<FuzzedModule>('test/support/drill-functions.ts', patches)
      const result = await fuzzEvents(broken, EVENTS_OF_A_VARIANT, seededChance(1))
      return fuzzFaults(result).some((each) => fault.test(each))
    }
    expect(await isFoundOut({ drill: 'D', variant: what }, isWrong)).toBe(true)
  })
})
