/**
 * The k-th fault: every request that an endpoint makes to the database or to WeChat fails once, in every way, and then what the
 * client is told, what is stored, and what the next request gets must all be in order.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { type ProblemCode, problemCatalogue } from '../../shared/problem.ts'
import {
  type CallOptions,
  type DrillWorld,
  type DrillWorldOptions,
  type Instance,
  startDrillWorld,
  type WholeAnswer,
} from './drill-world.ts'
import {
  createOutsideCalls,
  type OutsideCalls,
  type OutsideFault,
  outsideFaults,
} from './outside-calls.ts'

/** A call to be spoilt, and what must hold after it was made once more without a fault. */
export interface Attempt {
  path?: string
  options: CallOptions
  /** Milliseconds that the spoilt call is given, in place of `TIME_LIMIT_MS`. */
  timeLimitMs?: number
  /** What the repetition may be answered: statuses, and codes of problems. */
  again: readonly (number | ProblemCode)[]
  /** What is wrong after that, if anything. */
  fault?: (first: WholeAnswer, instance: Instance) => Promise<string | false>
}

export type PrepareAttempt = (world: DrillWorld) => Promise<Attempt>

/** Holds of a call: 3 s of each statement and of WeChat are cut short by what the platform gives it. */
const TIME_LIMIT_MS = 700
/** A call whose request was not reached is given up to so many times as much. */
const PATIENCE = 6
/** Our own answer may come so much later on a busy machine. */
const LATE_MS = 3000

export interface KthFaultResult {
  endpoints: number
  cells: number
  /** Where the request to be spoilt was never made. */
  unvisited: string[]
  wrong: string[]
}

export interface KthFaultOptions extends Pick<DrillWorldOptions, 'patches'> {
  routes: readonly string[]
  attempts: Readonly<Record<string, PrepareAttempt>>
  faults?: readonly OutsideFault[]
  /** How many worlds work side by side, each with a database of its own. */
  lanes?: number
  openDatabase?: () => Promise<string>
}

interface Lane {
  world: DrillWorld
  outside: OutsideCalls
}

export async function runKthFaultDrill(options: KthFaultOptions): Promise<KthFaultResult> {
  const { routes, attempts, faults = outsideFaults, lanes: count = 4, openDatabase } = options
  const lanes = await Promise.all(
    Array.from({ length: count }, async (): Promise<Lane> => {
      const outside = createOutsideCalls()
      const { patches = [] } = options
      const world = await startDrillWorld({
        patches,
        between: outside.between,
        ...(openDatabase ? { databaseUrl: await openDatabase() } : {}),
      })
      return { world, outside }
    }),
  )
  const wrong: string[] = []
  const unvisited: string[] = []
  let cells = 0
  try {
    const [first] = lanes as [Lane, ...Lane[]]
    const todo: { route: string; at: number; by: OutsideFault }[] = []
    for (const route of routes) {
      const prepare = attempts[route]
      if (!prepare) {
        wrong.push(`${route}: has no attempt`)
        continue
      }
      // The first of a world also prepares its database for good; the second is like all others.
      await spoil(first, { route, prepare })
      const { calls, fault } = await spoil(first, { route, prepare })
      if (fault) wrong.push(`${route} without a fault: ${fault}`)
      for (let at = 1; at <= calls; at++) for (const by of faults) todo.push({ route, at, by })
    }
    cells = todo.length
    await Promise.all(
      lanes.map(async (lane) => {
        for (let cell = todo.shift(); cell; cell = todo.shift()) {
          const { route, at, by } = cell
          const prepare = attempts[route] as PrepareAttempt
          const name = `${route}, request ${at}, ${by}`
          let { calls, fault } = await spoil(lane, { route, prepare, at, by })
          // A busy machine leaves less time for the last requests than when they were counted.
          for (let times = 2; calls < at && !fault && times <= PATIENCE; times++) {
            ;({ calls, fault } = await spoil(lane, { route, prepare, at, by, times }))
          }
          if (calls < at) unvisited.push(name)
          if (fault) wrong.push(`${name}: ${fault}`)
        }
      }),
    )
  } finally {
    for (const { world, outside } of lanes) {
      await outside.close()
      await world.close()
    }
  }
  return { endpoints: routes.length, cells, unvisited, wrong: wrong.sort() }
}

async function spoil(lane: Lane, cell: Cell): Promise<{ calls: number; fault: string | false }> {
  try {
    return await spoilOnce(lane, cell)
  } finally {
    // A server has room for a hundred or so.
    await lane.outside.disconnect()
  }
}

interface Cell {
  route: string
  prepare: PrepareAttempt
  at?: number
  by?: OutsideFault
  /** How many times the usual time the call is given. */
  times?: number
}

async function spoilOnce(
  { world, outside }: Lane,
  cell: Cell,
): Promise<{ calls: number; fault: string | false }> {
  const { route, prepare, at, by, times = 1 } = cell
  outside.begin()
  const attempt = await prepare(world)
  const [method, path] = route.split(' ')
  const target = `${method} ${attempt.path ?? path}`
  // As after a cold start, so that connecting fails as well.
  const instance = world.instance()
  outside.begin(at === undefined || by === undefined ? undefined : { at, by })
  const timeLimitMs = (attempt.timeLimitMs ?? TIME_LIMIT_MS) * times
  const first = await Promise.race([
    instance.call(target, { ...attempt.options, timeLimitMs }),
    pause(timeLimitMs + LATE_MS, undefined),
  ])
  const calls = outside.count()
  outside.begin()
  if (!first) return { calls, fault: 'is not answered in time' }
  if (!isDefined(first)) return { calls, fault: `is answered ${first.bytes.slice(0, 200)}` }
  const again = await instance.call(target, attempt.options)
  if (!attempt.again.includes(again.status) && !attempt.again.includes(again.body?.code)) {
    return { calls, fault: `after ${first.status}, once more is answered ${again.status}` }
  }
  return { calls, fault: (await attempt.fault?.(first, instance)) ?? false }
}

/** A success, or a problem of the catalogue other than that something unforeseen happened. */
function isDefined({ status, body }: WholeAnswer): boolean {
  if (status < 300) return true
  const code = body?.code as keyof typeof problemCatalogue
  return problemCatalogue[code]?.status === status && code !== 'internal'
}
