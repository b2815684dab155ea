import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Admission,
  type AdmissionLimits,
  createAdmission,
} from '../../../../shared/transport/server/admission.ts'
import { webLimits } from '../../../../shared/transport/server/web.ts'
import { brokenAdmissions } from '../../../support/fixed-admission.ts'
import { percentile } from '../../../support/percentile.ts'

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

/** They go by a clock of their own; a busy machine is only slow to turn it. */
vi.setConfig({ testTimeout: 30_000 })

function admissionWith(limits: Partial<AdmissionLimits> = {}): Admission {
  return createAdmission({ ...webLimits, ...limits }, Date.now)
}

/** What does the work: so many requests at a time, each for so long in so many steps, the others in line between them. */
function workshop({ places, stepMs, steps }: { places: number; stepMs: number; steps: number }) {
  let busy = 0
  const line: (() => void)[] = []
  const step = async (): Promise<void> => {
    if (busy === places) await new Promise<void>((resolve) => line.push(resolve))
    else busy++
    await new Promise((resolve) => setTimeout(resolve, stepMs))
    const next = line.shift()
    if (next) next()
    else busy--
  }
  return async (): Promise<void> => {
    for (let each = 0; each < steps; each++) await step()
  }
}

interface Course {
  /** Answered within `usefulMs`, a second. */
  useful: number
  /** From arrival to answer, of those admitted. */
  p99Ms: number
  /** From arrival to refusal, of nineteen in twenty. */
  shedP95Ms: number
  shed: number
}

/** Lets requests arrive evenly, whatever becomes of them. */
async function arrivals(
  admission: Admission,
  work: () => Promise<void>,
  { perSecond, forMs, usefulMs = 1000 }: { perSecond: number; forMs: number; usefulMs?: number },
): Promise<Course> {
  const tookMs: number[] = []
  const shedMs: number[] = []
  const arrive = async (): Promise<void> => {
    const atMs = Date.now()
    const leave = admission.hasRoom() ? await admission.enter() : undefined
    if (!leave) return void shedMs.push(Date.now() - atMs)
    await work()
    leave('kind')
    tookMs.push(Date.now() - atMs)
  }
  const startMs = Date.now()
  let arrived = 0
  while (Date.now() - startMs < forMs) {
    await vi.advanceTimersByTimeAsync(1)
    const due = Math.floor(((Date.now() - startMs) * perSecond) / 1000)
    for (; arrived < due; arrived++) void arrive()
  }
  const useful = tookMs.filter((ms) => ms <= usefulMs).length
  return {
    useful: (useful * 1000) / forMs,
    p99Ms: percentile(tookMs, 0.99),
    shedP95Ms: percentile(shedMs, 0.95),
    shed: shedMs.length,
  }
}

describe('at three times what the store can do', () => {
  test.each([
    ['2 ms away', { places: 4, stepMs: 2, steps: 3 }],
    ['10 ms away', { places: 4, stepMs: 10, steps: 3 }],
    ['40 ms away', { places: 4, stepMs: 40, steps: 3 }],
    ['40 ms away, over one connection', { places: 1, stepMs: 40, steps: 3 }],
    [
      'next door, and its one connection is what there is too little of',
      { places: 1, stepMs: 1, steps: 1 },
    ],
  ])('%s, nine tenths of that come in time', async (_name, shop) => {
    const concurrentLeast = Math.min(shop.places, webLimits.concurrentLeast)
    const admission = admissionWith({ concurrentLeast })
    const work = workshop(shop)
    const capacity = (shop.places * 1000) / (shop.stepMs * shop.steps)
    await arrivals(admission, work, { perSecond: capacity * 0.8, forMs: 3000 })
    const overload = await arrivals(admission, work, { perSecond: capacity * 3, forMs: 10_000 })
    expect(overload.useful).toBeGreaterThan(capacity * 0.9)
    expect(overload.p99Ms).toBeLessThan(250 + shop.stepMs * shop.steps)
    expect(overload.shedP95Ms).toBeLessThan(50)
    await arrivals(admission, work, { perSecond: capacity * 0.8, forMs: 500 })
    const after = await arrivals(admission, work, { perSecond: capacity * 0.8, forMs: 2000 })
    expect(after.shed).toBe(0)
    expect(after.p99Ms).toBeLessThan(250 + shop.stepMs * shop.steps)
  })

  test.each(Object.entries(brokenAdmissions))(
    'this measure finds where %s',
    async (_name, make) => {
      const load = { perSecond: 100, forMs: 10_000 }
      const { useful, p99Ms } = await arrivals(
        make(),
        workshop({ places: 4, stepMs: 40, steps: 3 }),
        load,
      )
      expect(useful).toBeLessThan(33 * 0.9)
      expect(p99Ms).toBeGreaterThan(250 + 120)
    },
  )
})

test('who waits for something else than the store, as for WeChat, is not held up by its few connections', async () => {
  const work = workshop({ places: 150, stepMs: 300, steps: 1 })
  const admission = admissionWith()
  await arrivals(admission, work, { perSecond: 400, forMs: 6000 })
  const { useful } = await arrivals(admission, work, { perSecond: 400, forMs: 4000 })
  expect(useful).toBeGreaterThan(400 * 0.9)
})

test('a store that gets slower for good is learnt, and one that gets faster again as well', async () => {
  const admission = admissionWith()
  const near = { places: 4, stepMs: 2, steps: 3 }
  const far = { places: 4, stepMs: 20, steps: 3 }
  await arrivals(admission, workshop(near), { perSecond: 500, forMs: 2000 })
  const slower = await arrivals(admission, workshop(far), { perSecond: 200, forMs: 5000 })
  expect(slower.useful).toBeGreaterThan(60)
  const faster = await arrivals(admission, workshop(near), { perSecond: 2000, forMs: 5000 })
  expect(faster.useful).toBeGreaterThan(600)
  expect(faster.p99Ms).toBeLessThan(250 + 6)
})

test('an overload that lasts does not wear out what is known of quiet moments', async () => {
  const shop = { places: 4, stepMs: 40, steps: 3 }
  const admission = admissionWith()
  const work = workshop(shop)
  await arrivals(admission, work, { perSecond: 100, forMs: 100_000 })
  const late = await arrivals(admission, work, { perSecond: 100, forMs: 10_000 })
  expect(late.useful).toBeGreaterThan(33 * 0.9)
  expect(late.p99Ms).toBeLessThan(250 + 120)
})

test('the first requests of all may wait for the store to be reached', async () => {
  const admission = admissionWith()
  let isReached = false
  const work = async (): Promise<void> => {
    if (!isReached) await new Promise((resolve) => setTimeout(resolve, 600))
    isReached = true
  }
  const { shed } = await arrivals(admission, work, { perSecond: 50, forMs: 1000 })
  expect(shed).toBe(0)
})
