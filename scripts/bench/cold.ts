/**
 * Cold starts: a fresh process until its first answer, against a handler that does nothing through the
 * same boot. All contestants take their turn in every round; ratios are taken round by round.
 */

import type { StoreDoor } from '../../shared/store/doors.ts'
import { withClosers } from '../cli/closers.ts'
import { bundleOf, startBackEnd, writeNoOp } from './back-end.ts'
import { atMost, type Benchmark, type Budget, withoutServer } from './figure.ts'
import { instanceStarter } from './instance.ts'
import {
  forgery,
  type Invocation,
  logIn,
  nonsense,
  query,
  storeDoors,
  submit,
} from './invocations.ts'
import { leaveMeasuredCore } from './machine.ts'
import { median, medianRatio } from './median.ts'

const ROUNDS_DEFAULT = 15

interface Contestant extends Invocation {
  what: string
  storeDoor: StoreDoor
  budget: Budget
}

/** A first submit or query, by door: TLS alone is some 20 ms of Node 20. */
const FIRST_USE: Record<StoreDoor, Budget> = {
  mysql: atMost(2, 1.8),
  planetscale: atMost(3.2, 2.2),
}
const REFUSAL = atMost(1.4, 1.3)
const LOGIN = atMost(3.6, 2.5)

const contestants: readonly Contestant[] = storeDoors.flatMap(({ storeDoor, by }) => [
  { ...submit, storeDoor, what: `first submit, ${by}`, budget: FIRST_USE[storeDoor] },
  { ...query, storeDoor, what: `first query, ${by}`, budget: FIRST_USE[storeDoor] },
  { ...forgery, storeDoor, what: `401 (forged token), ${by}`, budget: REFUSAL },
  { ...nonsense, storeDoor, what: `400 (grade of 9), ${by}`, budget: REFUSAL },
  { ...logIn, storeDoor, what: `first login over TLS, ${by}`, budget: LOGIN },
])

/** First answers as multiples of a no-op's. */
export const cold: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const start = await instanceStarter(backEnd, defer)
    const noOp = { bundle: await writeNoOp(backEnd.folder), event: {}, status: 204 }
    const noOpMs: number[] = []
    const able = await Promise.all(
      contestants
        .filter(({ storeDoor }) => backEnd.variables[storeDoor])
        .map(async (contestant) => ({
          ...contestant,
          bundle: await bundleOf(contestant.functionName, contestant.storeDoor, backEnd.folder),
          takenMs: [] as number[],
        })),
    )
    // The first round fills the page cache and is not counted.
    for (let round = -1; round < rounds; round++) {
      const noOpRun = await start(noOp)
      if (round >= 0) noOpMs.push(noOpRun.elapsedMs)
      for (const { bundle, storeDoor, event, status, takenMs } of able) {
        const variables = backEnd.variables[storeDoor]
        const { elapsedMs } = await start({ bundle, event: event(backEnd), status, variables })
        if (round >= 0) takenMs.push(elapsedMs)
      }
      if (round >= 0) progress(`cold: round ${round + 1} of ${rounds}`)
    }
    return contestants.map(({ what, budget }) => {
      const takenMs = able.find((each) => each.what === what)?.takenMs
      if (!takenMs) return { what, skipped: withoutServer.MariaDB }
      return {
        what,
        value: medianRatio(takenMs, noOpMs),
        unit: '×',
        budget,
        detail: `${median(takenMs).toFixed(1)} ms, no-op ${median(noOpMs).toFixed(1)} ms, ${rounds} rounds`,
      }
    })
  })
