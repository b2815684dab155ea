/**
 * An instance's memory after its first answer and after 10,000, one invocation at a time, and how often it
 * goes to the database for one of them. Megabytes are of 10^6 bytes and count what all Node processes share, too.
 */

import type { StoreDoor } from '../../shared/store/doors.ts'
import { withClosers } from '../cli/closers.ts'
import { type BackEnd, bundleOf, startBackEnd, writeNoOp } from './back-end.ts'
import { databaseTraffic } from './database-traffic.ts'
import { atMost, type Benchmark, type Budget, type Row, withoutServer } from './figure.ts'
import { instanceStarter } from './instance.ts'
import { type Invocation, logIn, query, storeDoors, submit } from './invocations.ts'
import { leaveMeasuredCore } from './machine.ts'

const REQUESTS = 10_000
const FIRST = atMost(48, 46)
const LAST = atMost(72, 66)
/** Of a warm call, the session check included. */
const ROUND_TRIPS: Partial<Record<string, Budget>> = {
  [submit.functionName]: atMost(1, 1),
  [query.functionName]: atMost(2, 1),
}

interface Contestant extends Invocation {
  what: string
  storeDoor: StoreDoor
  /** Whether it is followed to the 10,000th request; a login code is good for one only. */
  isFollowed: boolean
}

const contestants: readonly Contestant[] = storeDoors.flatMap(({ storeDoor, by }) => {
  const shared = { storeDoor, isFollowed: storeDoor === 'mysql' }
  return [
    { ...submit, ...shared, what: `submit, ${by}`, isFollowed: true },
    { ...query, ...shared, what: `query, ${by}` },
    { ...logIn, ...shared, what: `login over TLS, ${by}`, isFollowed: false },
  ]
})

/** Resident memory, and round trips of a warm submission. */
export const memory: Benchmark = ({ progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const start = await instanceStarter(backEnd, defer)
    const noOp = { bundle: await writeNoOp(backEnd.folder), event: {}, status: 204 }
    const base = await start({ ...noOp, answers: REQUESTS })
    const rows: Row[] = []
    for (const contestant of contestants) {
      const { what, functionName, storeDoor, status, event, isFollowed } = contestant
      const variables = backEnd.variables[storeDoor]
      if (!variables) {
        rows.push({ what, skipped: withoutServer.MariaDB })
        continue
      }
      const bundle = await bundleOf(functionName, storeDoor, backEnd.folder)
      const roundTripsBudget = ROUND_TRIPS[functionName]
      const follow = async (answers: number) => {
        const before = await roundTrips(storeDoor, backEnd)
        const instance = { bundle, event: event(backEnd), status, answers, variables }
        const { firstMb, lastMb } = await start(instance)
        return { firstMb, lastMb, roundTrips: (await roundTrips(storeDoor, backEnd)) - before }
      }
      const once = await follow(1)
      rows.push({
        what: `${what}: after the first answer`,
        value: once.firstMb,
        unit: 'MB',
        budget: FIRST,
        detail: `no-op ${base.firstMb.toFixed(1)} MB`,
      })
      if (isFollowed) {
        const many = await follow(REQUESTS)
        rows.push({
          what: `${what}: after ${REQUESTS} requests`,
          value: many.lastMb,
          unit: 'MB',
          budget: LAST,
          detail: `no-op ${base.lastMb.toFixed(1)} MB`,
        })
        rows.push({
          what: `${what}: database round trips, warm`,
          // Without those of a cold start.
          value: (many.roundTrips - once.roundTrips) / (REQUESTS - 1),
          unit: 'round trips',
          ...(roundTripsBudget ? { budget: roundTripsBudget } : {}),
          detail: 'the session check included',
        })
      }
      progress(`memory: ${what}`)
    }
    return rows
  })

/** What a database was asked so far, whoever asked. */
async function roundTrips(storeDoor: StoreDoor, backEnd: BackEnd): Promise<number> {
  if (storeDoor === 'planetscale') return backEnd.statements()
  return (await databaseTraffic(backEnd.variables.mysql?.DATABASE_URL ?? '')).roundTrips
}
