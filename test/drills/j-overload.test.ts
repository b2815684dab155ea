import { beforeAll, describe, expect, test } from 'vitest'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type BrokenAdmission, brokenAdmissions } from '../support/fixed-admission.ts'
import {
  brokenPromises,
  type OverloadOptions,
  type OverloadResult,
  type OverloadScene,
  overloadFigures,
  prepareOverload,
  runOverloadDrill,
  wasCalm,
} from '../support/overload-drill.ts'
import { describeOnServers } from '../support/server-suites.ts'

const overloadMs = isFullDrill ? 30_000 : 1500
/** Measured anew when the machine had something else to do meanwhile. */
const ATTEMPTS = 4
/** Of these, so many broken promises on a calm machine are no chance. */
const BROKEN_CALMLY = 2

describeOnServers('a server that is asked for three times what it can do', (suite) => {
  let scene: OverloadScene
  beforeAll(async () => {
    scene = await prepareOverload(await suite.freshDatabase())
  })

  const run = async (what: string, options: Omit<OverloadOptions, 'overloadMs'>) => {
    const result = await runOverloadDrill(scene, { overloadMs, ...options })
    console.log(what, JSON.stringify(overloadFigures(result)))
    return result
  }

  const scarcities: OverloadOptions['scarce'][] = isFullDrill
    ? ['processor', 0, 2, 10, 40]
    : ['processor', 10]
  test.for(scarcities)(
    'keeps its promises where the processor is scarce, or a database so many milliseconds away: %s',
    { timeout: ATTEMPTS * (overloadMs + 30_000) },
    async (scarce, { skip }) => {
      let result: OverloadResult
      let broken: string[]
      let brokenCalmly = 0
      let attempts = 0
      do {
        result = await run(`scarce=${scarce}`, { scarce })
        broken = brokenPromises(result)
        if (wasCalm(result)) brokenCalmly++
      } while (broken.length > 0 && brokenCalmly < BROKEN_CALMLY && ++attempts < ATTEMPTS)
      const isUnmeasured = broken.length > 0 && brokenCalmly < BROKEN_CALMLY
      const reason = 'this machine has too much else to do'
      await reportDrill({
        drill: 'J',
        on: `${suite.kind}, scarce ${scarce}`,
        figures: overloadFigures(result),
        passed: broken.length === 0,
        ...(isUnmeasured ? { unmeasured: reason } : {}),
      })
      if (isUnmeasured) skip(reason)
      expect(broken).toEqual([])
    },
  )

  describe('is found out where', () => {
    const all = Object.keys(brokenAdmissions) as BrokenAdmission[]
    // The other one is found on a clock of its own as well: admission.test.ts.
    test.each(isFullDrill ? all : all.slice(0, 1))('%s', async (broken) => {
      const isLate = async (): Promise<boolean> =>
        brokenPromises(await run(broken, { scarce: 10, broken })).includes('good answers in time')
      const variant = { drill: 'J', on: suite.kind, variant: broken }
      expect(await isFoundOut(variant, isLate)).toBe(true)
    })
  })
})
