import { afterEach, expect, test } from 'vitest'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { type DrillWorld, startDrillWorld } from '../support/drill-world.ts'
import type { BrokenBuild, Patch } from '../support/patched-bundle.ts'
import { rating } from '../support/ratings.ts'

const PROBES = isFullDrill ? 10_000 : 400
const ACCOUNTS = 40

let world: DrillWorld | undefined
afterEach(() => world?.close())

interface EnumerationResult {
  probes: number
  /** Different answers, request ids apart, over all probes of a route. */
  answers: number
  /** Probability that an account that exists takes longer than one that does not. */
  auc: number
}

/** Somebody who may read none of them asks for accounts that exist and for others, shuffled. */
async function probe(patches: readonly Patch[], probes: number): Promise<EnumerationResult> {
  const started = await startDrillWorld({ patches })
  world = started
  const author = await started.logIn()
  const stranger = await started.logIn()
  const number = (kind: number, index: number) => `139${kind}${String(index).padStart(7, '0')}`
  for (let index = 0; index < ACCOUNTS; index++) {
    const body = rating({ acc_nbr: number(1, index) })
    await started.call('POST /score', { token: author.token, body })
  }
  const order = Array.from({ length: probes }, (_, index) => ({
    exists: index % 2 === 0,
    acc_nbr: number(index % 2 === 0 ? 1 : 2, Math.floor(index / 2) % ACCOUNTS),
    route: index % 4 < 2 ? 'POST /query' : 'POST /query/summary',
  }))
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    const [a, b] = [order[at], order[other]]
    if (a && b) [order[at], order[other]] = [b, a]
  }
  const answers = new Set<string>()
  const taken: { exists: boolean; ms: number }[] = []
  for (const { exists, acc_nbr, route } of order) {
    const startedAt = performance.now()
    const { bytes } = await started.call(route, { token: stranger.token, body: { acc_nbr } })
    taken.push({ exists, ms: performance.now() - startedAt })
    answers.add(`${route} ${bytes}`)
  }
  return { probes, answers: answers.size, auc: areaUnderCurve(taken) }
}

/** By ranks: 0.5 where times tell nothing. */
function areaUnderCurve(taken: readonly { exists: boolean; ms: number }[]): number {
  const byTime = [...taken].sort((a, b) => a.ms - b.ms)
  let rankSum = 0
  byTime.forEach(({ exists }, index) => {
    if (exists) rankSum += index + 1
  })
  const existing = taken.filter(({ exists }) => exists).length
  const others = taken.length - existing
  return (rankSum - (existing * (existing + 1)) / 2) / (existing * others)
}

/** Half of a hundred probes are far from so one-sided by chance. */
const AUC_TELLING = 0.75

function isTelling({ answers, auc }: EnumerationResult): boolean {
  return answers !== 2 || Math.abs(auc - 0.5) > AUC_TELLING - 0.5
}

test('an account that exists is answered like one that does not', async () => {
  const result = await probe([], PROBES)
  const figures = { ...result, auc: result.auc.toFixed(2) }
  await reportDrill({ drill: 'P', figures, passed: !isTelling(result) })
  // One for each route.
  expect(result.answers).toBe(2)
  expect(isTelling(result)).toBe(false)
}, 600_000)

const broken: readonly BrokenBuild[] = [
  {
    name: 'the same answer for both',
    patches: [
      {
        file: 'functions/query-scores/account-scores.ts',
        find: 'const { items, next } = await readPage(page, read)',
        put: `const { items, next } = await readPage(page, read)
    const all = await needs.ratings.scoresOfAccount(acc_nbr, { kind: 'all' }, { before: null, limit: 1 })
    if (all.length === 0) return { output: { items, next, since: 'none' } }`,
      },
    ],
  },
  {
    name: 'the same time for both',
    patches: [
      {
        file: 'functions/query-scores/account-scores.ts',
        find: 'const { items, next } = await readPage(page, read)',
        put: `const { items, next } = await readPage(page, read)
    const all = await needs.ratings.scoresOfAccount(acc_nbr, { kind: 'all' }, { before: null, limit: 1 })
    for (const _ of all) await new Promise((resolve) => setTimeout(resolve, 60))`,
      },
      {
        file: 'functions/query-scores/summary.ts',
        find: 'await noteOperatorRead(handling, acc_nbr)',
        put: `const all = await needs.ratings.scoresOfAccount(acc_nbr, { kind: 'all' }, { before: null, limit: 1 })
    for (const _ of all) await new Promise((resolve) => setTimeout(resolve, 60))`,
      },
    ],
  },
]

test.each(broken)('a build without $name is found', async ({ name, patches }) => {
  const caught = isTelling(await probe(patches, 100))
  await reportBrokenVariant({ drill: 'P', variant: name, caught })
  expect(caught).toBe(true)
})
