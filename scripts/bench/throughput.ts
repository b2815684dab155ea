/**
 * A Web function under load against the floor (`program/floor.ts`), one process each, in turn on the same core,
 * the database and the load on the others. Acknowledged writes do not wait for the disk on either side.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import { type Defer, withClosers } from '../cli/closers.ts'
import {
  type BackEnd,
  bundleOf,
  ratingOf,
  readAccount,
  startBackEnd,
  userIdOf,
} from './back-end.ts'
import { atLeast, type Benchmark, type Budget, type Row, withoutServer } from './figure.ts'
import { generateLoad, requestBytes } from './load-generator.ts'
import { bareEnvironment, leaveMeasuredCore, onMeasuredCore } from './machine.ts'
import { median, medianRatio } from './median.ts'
import { cpuMicroseconds } from './process-cpu.ts'
import { compileProgram, endProcess, urlFromLog } from './programs.ts'

const ROUNDS_DEFAULT = 11
const CONNECTIONS = 16
/** Short, so that what else runs on the machine hits both sides of a round alike. */
const PHASE_MS = 600
const WARM_UP_MS = 3000
const BUDGET = atLeast(0.6, 0.85)
/** The budgets were set against a floor with one connection to the database. */
const FLOOR_CONNECTIONS = 1
/** What a Web function opens by default: several requests share a trip through the event loop, on the floor as well. */
const WEB_CONNECTIONS = 4
/** Submissions go to so many accounts in turn. */
const WRITTEN_ACCOUNTS = 200

interface Phase {
  what: 'submit' | 'query'
  functionName: string
  requests: Buffer[]
  /** Of the function; the floor answers 200. */
  status: number
}

interface Speed {
  perSecond: number
  cpuUsPerRequest: number | undefined
}

/** Requests per second as a part of the floor's. */
export const throughput: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const { variables, folder, token } = backEnd
    if (!variables.mysql) {
      return (['submit', 'query'] as const).map((what) => ({
        what: `${what} against the floor`,
        skipped: withoutServer.MariaDB,
      }))
    }
    const program = await compileProgram('floor', folder)
    const floor = await startServer(
      program,
      { CONNECTIONS: `${FLOOR_CONNECTIONS}` },
      backEnd,
      defer,
    )
    const wide = await startServer(program, { CONNECTIONS: `${WEB_CONNECTIONS}` }, backEnd, defer)
    const figures: Row[] = []
    for (const phase of phasesFor(token)) {
      const bundle = await bundleOf(phase.functionName, 'mysql', folder)
      const web = await startServer(bundle, {}, backEnd, defer)
      const contestants = [
        { server: floor, status: 200 },
        { server: wide, status: 200 },
        { server: web, status: phase.status },
      ]
      for (const { server, status } of contestants) {
        await drive(server, phase.requests, status, WARM_UP_MS)
      }
      const speeds: Speed[][] = contestants.map(() => [])
      for (let round = 0; round < rounds; round++) {
        for (const [index, { server, status }] of contestants.entries()) {
          speeds[index]?.push(await drive(server, phase.requests, status, PHASE_MS))
        }
        progress(`throughput: ${phase.what}, round ${round + 1} of ${rounds}`)
      }
      await endProcess(web.process)
      const [floors = [], wides = [], ours = []] = speeds
      figures.push(
        inRequests(`${phase.what} against the floor`, ours, floors, BUDGET),
        inRequests(`${phase.what} against one with ${WEB_CONNECTIONS} connections`, ours, wides),
        ...inProcessorTime(phase.what, ours, floors, wides),
      )
    }
    return figures
  })

function phasesFor(token: string): Phase[] {
  const accounts = Array.from({ length: WRITTEN_ACCOUNTS }, (_, index) => `1370000${1000 + index}`)
  return [
    {
      what: 'submit',
      functionName: 'submit-score',
      requests: accounts.map((each) => requestBytes('POST /score', ratingOf(each), token)),
      status: 201,
    },
    {
      what: 'query',
      functionName: 'query-scores',
      requests: [requestBytes('POST /query', { acc_nbr: readAccount }, token)],
      status: 200,
    },
  ]
}

interface MeasuredServer {
  process: ChildProcess
  url: string
}

/** Starts a program as a server on the measured core; what it prints goes to a file. */
async function startServer(
  program: string,
  settings: Record<string, string>,
  { variables, folder, token }: BackEnd,
  defer: Defer,
): Promise<MeasuredServer> {
  const env = bareEnvironment({
    ...variables.mysql,
    PORT: '0',
    HOST: '127.0.0.1',
    USER_ID: userIdOf(token),
    ...settings,
  })
  const logFile = path.join(folder, `server-${++servers}.log`)
  const log = openSync(logFile, 'w')
  const [command, args] = onMeasuredCore(process.execPath, [program])
  const child = spawn(command, args, { env, stdio: ['ignore', log, log] })
  closeSync(log)
  defer(() => endProcess(child))
  return { process: child, url: await urlFromLog(logFile, child) }
}

/** Numbers the log files. */
let servers = 0

async function drive(
  { process: server, url }: MeasuredServer,
  requests: readonly Buffer[],
  status: number,
  durationMs: number,
): Promise<Speed> {
  const cpuBefore = cpuMicroseconds(server.pid ?? 0)
  const { answered, elapsedMs } = await generateLoad({
    url,
    connections: CONNECTIONS,
    durationMs,
    requests,
    status,
  })
  const cpuAfter = cpuMicroseconds(server.pid ?? 0)
  const cpuUs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
  return {
    perSecond: (answered * 1000) / elapsedMs,
    cpuUsPerRequest: cpuUs === undefined ? undefined : cpuUs / answered,
  }
}

function inRequests(
  what: string,
  ours: readonly Speed[],
  floors: readonly Speed[],
  budget?: Budget,
): Row {
  const perSecond = (speeds: readonly Speed[]): number[] => speeds.map((each) => each.perSecond)
  const [our, floor] = [perSecond(ours), perSecond(floors)]
  return {
    what,
    value: medianRatio(our, floor),
    unit: '×',
    ...(budget ? { budget } : {}),
    detail: `${Math.round(median(our))} req/s, floor ${Math.round(median(floor))} req/s, ${CONNECTIONS} clients, ${ours.length} rounds`,
  }
}

/** What a neighbour on the machine blurs least; nothing where it cannot be had. */
function inProcessorTime(what: string, ...contestants: readonly Speed[][]): Row[] {
  const [ours, floor, wide] = contestants.map((speeds) => {
    const us = speeds.flatMap(({ cpuUsPerRequest }) => cpuUsPerRequest ?? [])
    return us.length === 0 ? undefined : median(us)
  })
  if (ours === undefined || floor === undefined || wide === undefined) return []
  return [
    {
      what: `${what}: processor time per request`,
      value: ours,
      unit: 'µs',
      detail: `floor ${floor.toFixed(0)} µs, with ${WEB_CONNECTIONS} connections ${wide.toFixed(0)} µs`,
    },
  ]
}
