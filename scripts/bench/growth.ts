/**
 * What a request costs as things grow: clients, ratings in the database, processes; on one account that everybody rates and on many.
 * Event functions as they are deployed, behind `program/front.ts`. Processor time is the functions' own.
 */

import { type Defer, withClosers } from '../cli/closers.ts'
import { type BackEnd, deployed, ratingOf, readAccount, startBackEnd } from './back-end.ts'
import { costOf } from './cost.ts'
import { databaseTraffic } from './database-traffic.ts'
import { type Benchmark, type BenchmarkOptions, type Row, withoutServer } from './figure.ts'
import { ordinaryAccounts } from './generated-ratings.ts'
import { requestBytes } from './load-generator.ts'
import { loadRatings } from './load-ratings.ts'
import { leaveMeasuredCore } from './machine.ts'
import { drive, type MeasuredServer, medianCpuUs, type Speed } from './measured-server.ts'
import { median } from './median.ts'
import { endProcess } from './programs.ts'
import { startEvent } from './throughput.ts'

const ROUNDS_DEFAULT = 5
const PHASE_MS = 600
const WARM_UP_MS = 1500
const CLIENTS = [1, 16, 64]
const PROCESSES = [1, 2, 4]
/** Besides what `--rows` says, where that is more. */
const SMALLER_ROWS = [10_000, 1_000_000]
const MANY_ACCOUNTS = 1000
/** Holds what is read of ten million ratings, as a server of that size would. */
const BUFFER_POOL_MB = 1024
const A_MILLION = 1_000_000

interface GrowthTask {
  what: string
  functionName: string
  status: number
  requests: Buffer[]
}

/** Microseconds a request; round trips and bytes beside them. */
export const growth: Benchmark = async (options) => {
  const sizes = [...SMALLER_ROWS.filter((rows) => rows < options.rows), options.rows]
  const figures: Row[] = []
  for (const rows of sizes) {
    figures.push(...(await withClosers((defer) => growthAt(rows, options, defer))))
  }
  return figures
}

async function growthAt(rows: number, options: BenchmarkOptions, defer: Defer): Promise<Row[]> {
  const { rounds = ROUNDS_DEFAULT, hotShare, progress } = options
  defer(leaveMeasuredCore())
  const backEnd = await startBackEnd(defer, { bufferPoolMB: BUFFER_POOL_MB })
  const databaseUrl = backEnd.variables.mysql?.DATABASE_URL
  if (databaseUrl === undefined)
    return [{ what: `with ${inThousands(rows)} ratings`, skipped: withoutServer.MariaDB }]
  await loadRatings({ databaseUrl, rows, hotShare, progress })
  const measure = async (
    what: string,
    servers: MeasuredServer[],
    task: GrowthTask,
    clients: number,
  ) => {
    const speeds: Speed[] = []
    const { status, requests } = task
    await drive(servers, { status, requests, clients, durationMs: WARM_UP_MS })
    const before = await databaseTraffic(databaseUrl)
    for (let round = 0; round < rounds; round++) {
      speeds.push(await drive(servers, { status, requests, clients, durationMs: PHASE_MS }))
    }
    const after = await databaseTraffic(databaseUrl)
    const answered = speeds.reduce((sum, speed) => sum + speed.answered, 0)
    progress(`growth: ${what}`)
    const roundTrips = (after.roundTrips - before.roundTrips) / answered
    const databaseBytes = (after.bytes - before.bytes) / answered
    return { what, speeds, roundTrips, databaseBytes }
  }
  const figures: Row[] = []
  for (const task of tasksFor(backEnd, ordinaryAccounts({ rows, hotShare }, MANY_ACCOUNTS))) {
    const at = `${task.what}, ${inThousands(rows)} ratings`
    const isLargest = rows === options.rows && task.what.endsWith('many accounts')
    const server = await startEvent(task.functionName, backEnd, defer)
    for (const clients of CLIENTS) {
      const what = `${at}, ${inWordsOf(clients, 'client')}`
      const measured = await measure(what, [server], task, clients)
      figures.push(rowOf(measured))
      if (clients === 1 && isLargest) figures.push(costRow(task, measured.speeds))
    }
    await endProcess(server.process)
    if (!isLargest) continue
    for (const processes of PROCESSES) {
      const servers = await Promise.all(
        Array.from({ length: processes }, () =>
          startEvent(task.functionName, backEnd, defer, { isPinned: false }),
        ),
      )
      const clients = CLIENTS.at(-1) ?? 1
      const what = `${at}, ${clients} clients, ${inWordsOf(processes, 'process')} on all cores`
      figures.push(rowOf(await measure(what, servers, task, clients)))
      for (const each of servers) await endProcess(each.process)
    }
  }
  return figures
}

/** Submissions come first: the caller then has ratings of all the accounts that are queried. */
function tasksFor({ token }: BackEnd, many: readonly string[]): GrowthTask[] {
  const places = [
    { where: 'the hot account', accounts: [readAccount] },
    { where: 'many accounts', accounts: many },
  ]
  const submits = places.map(({ where, accounts }) => ({
    what: `submit to ${where}`,
    functionName: 'submit-score',
    status: 201,
    requests: accounts.map((each) => requestBytes('POST /score', ratingOf(each), token)),
  }))
  const queries = places.map(({ where, accounts }) => ({
    what: `query ${where}`,
    functionName: 'query-scores',
    status: 200,
    requests: accounts.map((acc_nbr) => requestBytes('POST /query', { acc_nbr }, token)),
  }))
  return [...submits, ...queries]
}

interface Measurement {
  what: string
  speeds: readonly Speed[]
  roundTrips: number
  databaseBytes: number
}

function rowOf({ what, speeds, roundTrips, databaseBytes }: Measurement): Row {
  const us = medianCpuUs(speeds)
  if (us === undefined) return { what, skipped: 'no /proc that tells processor time' }
  const answerBytes = median(speeds.map((speed) => speed.answerBytes))
  const perSecond = median(speeds.map((speed) => speed.perSecond))
  const detail = `${perSecond.toFixed(0)} req/s; ${roundTrips.toFixed(2)} round trips, ${databaseBytes.toFixed(0)} bytes to and from the database; answer ${answerBytes.toFixed(0)} bytes`
  return { what: `${what}: processor time`, value: us, unit: 'µs', detail }
}

/** From the time one client waits: the database is next door, the function has a core of its own. */
function costRow({ what }: GrowthTask, speeds: readonly Speed[]): Row {
  const durationMs = 1000 / median(speeds.map(({ perSecond }) => perSecond))
  const answerBytes = median(speeds.map((speed) => speed.answerBytes))
  const { memorySizeMb } = deployed
  const call = { durationMs, memorySizeMb, answerBytes }
  const { total, compute, invocations, traffic } = costOf(A_MILLION, call)
  const slow = costOf(A_MILLION, { ...call, durationMs: 20 })
  const parts = `compute ${compute.toFixed(3)}, calls ${invocations.toFixed(2)}, answers ${traffic.toFixed(3)}`
  return {
    what: `a million times ${what}, estimate by the price list`,
    value: total,
    unit: 'USD',
    detail: `${parts}; ${durationMs.toFixed(1)} ms of ${memorySizeMb} MB each, at 20 ms ${slow.total.toFixed(2)} USD; without database, logs, cold starts, free tier`,
  }
}

function inWordsOf(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}${noun.endsWith('s') ? 'es' : 's'}`
}

function inThousands(rows: number): string {
  return rows.toLocaleString('en')
}
