import { afterEach, expect, test } from 'vitest'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import {
  knownFirst,
  type Procedure,
  type RotationResult,
  runKeyRotationDrill,
} from '../support/key-rotation-drill.ts'
import type { Patch } from '../support/patched-bundle.ts'

const size = isFullDrill ? { requestsPerStep: 500, people: 20 } : { requestsPerStep: 20, people: 6 }

let world: DrillWorld | undefined
afterEach(() => world?.close())

async function drill(procedure: Procedure, patches: readonly Patch[] = []) {
  world = await startDrillWorld({ patches })
  return runKeyRotationDrill(world, { procedure, ...size })
}

function brokenPromises(result: RotationResult): string[] {
  return [
    ...Object.entries(result.refused).map(([what, times]) => `${what}: ${times}`),
    ...(result.oldTokensTaken > 0 ? ['tokens of a dropped key are taken'] : []),
    ...(result.oldSealsLeft > 0 ? ['seals of a dropped key are left'] : []),
    ...(result.unreadable === 409
      ? []
      : [`what cannot be opened is answered ${result.unreadable}`]),
  ]
}

test('known first, signing and sealing next, dropped last: nobody is refused', async () => {
  const result = await drill(knownFirst)
  const wrong = brokenPromises(result)
  const { requests, oldTokensTaken, oldSealsLeft, unreadable } = result
  const refused = Object.values(result.refused).reduce((sum, each) => sum + each, 0)
  const figures = { instances: 4, requests, refused, oldTokensTaken, oldSealsLeft, unreadable }
  await reportDrill({ drill: 'L', figures, passed: wrong.length === 0 })
  expect(wrong).toEqual([])
}, 300_000)

test.each<[name: string, procedure: Procedure, patches: readonly Patch[]]>([
  ['knowing a key before it signs', [[0], [1, 0], [1]], []],
  ['knowing the old key until the end', [[0], [0, 1], [1]], []],
  ['dropping the old key', [[0], [0, 1], [1, 0]], []],
  [
    'all keys but the first',
    knownFirst,
    [
      {
        file: 'shared/session/token.ts',
        find: 'const knownHeaders = keysByHeader(keys)',
        put: 'const knownHeaders = keysByHeader(keys.slice(0, 1))',
      },
    ],
  ],
  [
    'sealing anew what an older key sealed',
    [[0], [0, 1], [1, 0], [1]],
    [
      {
        file: 'functions/login/session-keys.ts',
        find: 'if (!opened.isCurrent) {',
        put: 'if (opened.isCurrent && sealed.length === 0) {',
      },
    ],
  ],
])('a rotation without %s is found', async (name, procedure, patches) => {
  const wrong = brokenPromises(await drill(procedure, patches))
  await reportBrokenVariant({ drill: 'L', variant: name, caught: wrong.length > 0 })
  expect(wrong).not.toEqual([])
})
