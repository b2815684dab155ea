/**
 * A function under load against the floor (`program/floor.ts`), one process each, in turn on the same core, the database and the
 * load on the others: as a Web function, and as an event function behind `program/front.ts`. Acknowledged writes do not
 * wait for the disk on either side.
 */

import { type Defer, withClosers } from '../cli/closers.ts'
import {
  type BackEnd,
  bundleOf,
  ratingOf,
  readAccount,
  startBackEnd,
  userIdOf,
} from './back-end.ts'
import { atLeast, type Benchmark, type Row, withoutServer } from './figure.ts'
import { requestBytes } from './load-generator.ts'
import { leaveMeasuredCore } from './machine.ts'
import {
  drive,
  inWords,
  type MeasuredServer,
  medianCpuUs,
  type Speed,
  speedRatio,
  startServer,
} from './measured-server.ts'
import { compileProgram, endProcess } from './programs.ts'

const ROUNDS_DEFAULT = 11
const CLIENTS = 16
/** Short, so that what else runs on the machine hits both sides of a round alike. */
const PHASE_MS = 600
const WARM_UP_MS = 3000
/** What a function of the form opens by default: on a Web function several requests are under way, on an event function one. */
const CONNECTIONS = { web: 4, event: 1 } as const
/** Submissions go to so many accounts in turn. */
const WRITTEN_ACCOUNTS = 200
const SERVER_BUDGETS = { submit: atLeast(0.8, 0.9), query: atLeast(0.7, 0.9) }
const EVENT_BUDGET = atLeast(0.6, 0.75)

export interface LoadTask {
  what: 'submit' | 'query'
  functionName: string
  /** Of the function; others answer 200. */
  status: number
  requests: (token: string) => Buffer[]
}

const accounts = Array.from({ length: WRITTEN_ACCOUNTS }, (_, index) => `1370000${1000 + index}`)

export const tasks: readonly LoadTask[] = [
  {
    what: 'submit',
    functionName: 'submit-score',
    status: 201,
    requests: (token) => accounts.map((each) => requestBytes('POST /score', ratingOf(each), token)),
  },
  {
    what: 'query',
    functionName: 'query-scores',
    status: 200,
    requests: (token) => [requestBytes('POST /query', { acc_nbr: readAccount }, token)],
  },
]

/** Requests per second as a part of the floor's. */
export const throughput: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    if (!backEnd.variables.mysql) {
      return tasks.map(({ what }) => ({
        what: `${what} against the floor`,
        skipped: withoutServer.MariaDB,
      }))
    }
    const floors = {
      web: await startFloor(CONNECTIONS.web, backEnd, defer),
      event: await startFloor(CONNECTIONS.event, backEnd, defer),
    }
    const figures: Row[] = []
    for (const task of tasks) {
      const servers = {
        web: await startWeb(task.functionName, backEnd, defer),
        event: await startEvent(task.functionName, backEnd, defer),
      }
      const { what, status } = task
      const requests = task.requests(backEnd.token)
      const contestants = [
        { server: floors.web, status: 200, speeds: [] as Speed[] },
        { server: floors.event, status: 200, speeds: [] as Speed[] },
        { server: servers.web, status, speeds: [] as Speed[] },
        { server: servers.event, status, speeds: [] as Speed[] },
      ] as const
      // The first round lets V8 finish its work.
      for (let round = -1; round < rounds; round++) {
        const durationMs = round < 0 ? WARM_UP_MS : PHASE_MS
        for (const { server, status: expected, speeds } of contestants) {
          const demand = { requests, clients: CLIENTS, status: expected, durationMs }
          const speed = await drive([server], demand)
          if (round >= 0) speeds.push(speed)
        }
        progress(`throughput: ${what}, round ${round + 1} of ${rounds}`)
      }
      for (const server of Object.values(servers)) await endProcess(server.process)
      const [webFloor, eventFloor, web, event] = contestants.map(({ speeds }) => speeds)
      if (!webFloor || !eventFloor || !web || !event) return figures
      const compared = (speeds: Speed[], base: Speed[]) => ({
        value: speedRatio(speeds, base),
        unit: '×' as const,
        detail: `${inWords(speeds)}; floor ${inWords(base)}; ${CLIENTS} clients, ${rounds} rounds`,
      })
      figures.push(
        {
          what: `${what}, server form, against a floor with ${CONNECTIONS.web} connections`,
          budget: SERVER_BUDGETS[what],
          ...compared(web, webFloor),
        },
        {
          what: `${what}, event form behind a front, against a floor with one`,
          budget: EVENT_BUDGET,
          ...compared(event, eventFloor),
        },
        ...inProcessorTime(`${what}, server form`, web),
        ...inProcessorTime(`${what}, event form`, event),
      )
    }
    return figures
  })

function inProcessorTime(what: string, speeds: readonly Speed[]): Row[] {
  const us = medianCpuUs(speeds)
  const row = { what: `${what}: processor time per request`, unit: 'µs' as const, detail: '' }
  return us === undefined ? [] : [{ ...row, value: us }]
}

/** The floor as a server. */
export async function startFloor(
  connections: number,
  { variables, folder, token }: BackEnd,
  defer: Defer,
): Promise<MeasuredServer> {
  const args = [await compileProgram('floor', folder)]
  const settings = { CONNECTIONS: `${connections}`, USER_ID: userIdOf(token) }
  return startServer({ args, folder, variables: { ...variables.mysql, ...settings } }, defer)
}

async function startWeb(
  name: string,
  { variables: { mysql = {} }, folder }: BackEnd,
  defer: Defer,
): Promise<MeasuredServer> {
  const bundle = await bundleOf(name, 'mysql', folder, 'web')
  return startServer({ args: [bundle], folder, variables: mysql }, defer)
}

/** The event form of a function behind the front. */
export async function startEvent(
  name: string,
  { variables: { mysql = {} }, folder }: BackEnd,
  defer: Defer,
  { isPinned = true }: { isPinned?: boolean } = {},
): Promise<MeasuredServer> {
  const args = [await compileProgram('front', folder), await bundleOf(name, 'mysql', folder)]
  return startServer({ args, folder, variables: mysql, isPinned }, defer)
}
