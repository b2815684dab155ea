import { describe, expect, test } from 'vitest'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { describeOnServers } from '../support/server-suites.ts'
import { brokenPromises, runUnfoldedAccountDrill } from '../support/unfolded-account-drill.ts'

const DRILL = 'W'
const SMALL_ROWS = 30_000
const rows = isFullDrill ? 3_000_000 : SMALL_ROWS
const TIMEOUT_MS = 1_200_000

describeOnServers('the summary of an account that nobody folded', ({ kind, freshDatabase }) => {
  test.each([
    ['that was never folded', false],
    ['whose ratings came after its mark', true],
  ])(
    `of ${rows} ratings, ${'%s'}, is refused once at most, folded in steps, and cheap from then on`,
    async (_what, isFoldedBefore) => {
      const result = await runUnfoldedAccountDrill(await freshDatabase(), { rows, isFoldedBefore })
      const broken = brokenPromises(result)
      await reportDrill({
        drill: DRILL,
        on: `${kind}${isFoldedBefore ? '-after-its-mark' : ''}`,
        figures: { ...result },
        passed: broken.length === 0,
      })
      expect(broken).toEqual([])
      // The drill was one: there was too much for a single call.
      expect(result.refused).toBe(1)
    },
    TIMEOUT_MS,
  )

  describe('is found out where', () => {
    test.each([
      [
        'an account is folded at once, however much it is',
        { foldChunk: 2 ** 40 },
        ['refuses at most once', 'a refused call leaves less to do', 'counts exactly'],
      ],
      [
        'nothing is folded that one call could not count',
        { foldDelayMs: 10 * 365 * 24 * 60 * 60 * 1000 },
        ['refuses at most once', 'a refused call leaves less to do'],
      ],
    ])(
      '%s',
      async (variant, broken, promises) => {
        const size = { rows: SMALL_ROWS, isFoldedBefore: true }
        const result = await runUnfoldedAccountDrill(await freshDatabase(), { ...size, broken })
        const found = brokenPromises(result)
        const caught = promises.every((promise) => found.includes(promise))
        await reportBrokenVariant({ drill: DRILL, on: kind, variant, caught })
        expect(found).toEqual(expect.arrayContaining(promises))
      },
      TIMEOUT_MS,
    )
  })
})
