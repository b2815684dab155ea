/**
 * The same job as others write it, in one run on one database: cold, and under load from one client and from sixteen. Event
 * functions stand behind the same front (`program/front.ts`) with one connection to the database. The peers check a
 * token and the input as one does, and no session: whom they let in they cannot throw out.
 */

import { type Defer, withClosers } from '../cli/closers.ts'
import { jsonEvent, ratingOf, readAccount, startBackEnd } from './back-end.ts'
import { contestantNames } from './contestant-names.ts'
import { contestantsFor, type PeerContestant } from './contestants.ts'
import { atLeast, type Benchmark, type Budget, type Row, withoutServer } from './figure.ts'
import { instanceStarter } from './instance.ts'
import { leaveMeasuredCore } from './machine.ts'
import { drive, inWords, type Speed, speedRatio } from './measured-server.ts'
import { median, medianRatio } from './median.ts'
import { bringPeers, withoutFlask } from './peer-programs.ts'
import { endProcess } from './programs.ts'
import { type LoadTask, tasks } from './throughput.ts'

const ROUNDS_DEFAULT = 11
const PHASE_MS = 600
const WARM_UP_MS = 2000
const CLIENTS = [1, 16]
/** Ratings in the answer to a query. */
const PAGE = 20
/** With so many the budgets are set, and the picture is drawn. */
const CLIENTS_OF_BUDGETS = 16

const { noOp, floor, own, hono, express, flask } = contestantNames

/** Of our own requests per second, as multiples of another's. */
const BUDGETS: Readonly<Record<string, Budget>> = {
  [floor]: atLeast(0.6, 0.75),
  [hono]: atLeast(1, 1),
  [express]: atLeast(4, 4),
  [flask]: atLeast(4, 4),
}

interface Field {
  contestants: readonly PeerContestant[]
  rounds: number
  progress: (line: string) => void
}

/** Cold starts as multiples of a no-op's, requests per second as multiples of the floor's. */
export const peers: Benchmark = ({ rounds = ROUNDS_DEFAULT, progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    if (!backEnd.variables.mysql) return [{ what: 'all of them', skipped: withoutServer.MariaDB }]
    const programs = await bringPeers(backEnd.folder, progress)
    const field = { contestants: await contestantsFor(backEnd, programs), rounds, progress }
    const start = await instanceStarter(backEnd, defer)
    const rows: Row[] = []
    for (const task of tasks) {
      rows.push(...(await coldStarts(task, field, start)))
      rows.push(...(await underLoad(task, field, defer)))
    }
    return programs.flask ? rows : [...rows, { what: flask, skipped: withoutFlask }]
  })

async function coldStarts(
  task: LoadTask,
  { contestants, rounds, progress }: Field,
  start: Awaited<ReturnType<typeof instanceStarter>>,
): Promise<Row[]> {
  const { route, input } = requestOf(task)
  const entrants = await Promise.all(
    contestants.map(async (contestant) => ({
      name: contestant.name,
      instance: {
        ...(await contestant.cold(task)),
        status: contestant.status(task),
        event: jsonEvent(route, input, contestant.token),
      },
      takenMs: [] as number[],
    })),
  )
  // The first round fills the page cache and is not counted.
  for (let round = -1; round < rounds; round++) {
    for (const { instance, takenMs } of entrants) {
      const { elapsedMs } = await start(instance)
      if (round >= 0) takenMs.push(elapsedMs)
    }
    progress(`peers: first ${task.what}, round ${round + 1} of ${rounds}`)
  }
  const base = entrants.find(({ name }) => name === noOp)?.takenMs ?? []
  return entrants.map(({ name, takenMs }) => ({
    what: `first ${task.what}: ${name}`,
    value: medianRatio(takenMs, base),
    unit: '×',
    detail: `${median(takenMs).toFixed(1)} ms, ${rounds} rounds`,
    bar: {
      chart: `First ${task.what === 'submit' ? 'submission' : 'query'}, ms`,
      label: name,
      length: median(takenMs),
    },
  }))
}

async function underLoad(
  task: LoadTask,
  { contestants, rounds, progress }: Field,
  defer: Defer,
): Promise<Row[]> {
  const servers = []
  for (const contestant of contestants) {
    const server = await contestant.serve(task, defer)
    const demand = { requests: task.requests(contestant.token), status: contestant.status(task) }
    await checkAnswer(server.url, task, contestant)
    servers.push({ name: contestant.name, server, demand })
  }
  const rows: Row[] = []
  for (const clients of CLIENTS) {
    const entrants = servers.map((each) => ({ ...each, speeds: [] as Speed[] }))
    for (let round = -1; round < rounds; round++) {
      for (const { server, demand, speeds } of entrants) {
        const durationMs = round < 0 ? WARM_UP_MS : PHASE_MS
        const speed = await drive([server], { ...demand, clients, durationMs })
        if (round >= 0) speeds.push(speed)
      }
      progress(`peers: ${task.what}, ${clients} clients, round ${round + 1} of ${rounds}`)
    }
    rows.push(...rowsOf(task, clients, entrants))
  }
  for (const { server } of servers) await endProcess(server.process)
  return rows
}

/** One request alone, as an instance on the platform begins, and that it is answered as everybody else's. @throws {Error} */
async function checkAnswer(url: string, task: LoadTask, { name, token, status }: PeerContestant) {
  const { route, input } = requestOf(task)
  const answer = await fetch(new URL(route.split(' ')[1] ?? '', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `JWT ${token}` },
    body: JSON.stringify(input),
  })
  const text = await answer.text()
  const { items } = (text === '' ? {} : JSON.parse(text)) as { items?: unknown[] }
  const isWhole = task.what === 'submit' || name === noOp || items?.length === PAGE
  if (answer.status !== status(task) || !isWhole)
    throw new Error(`${name} answered a ${task.what} with ${answer.status}: ${text.slice(0, 500)}`)
}

function requestOf({ what }: LoadTask): { route: string; input: Record<string, unknown> } {
  return what === 'submit'
    ? { route: 'POST /score', input: ratingOf('13900139000') }
    : { route: 'POST /query', input: { acc_nbr: readAccount } }
}

/** Each against the floor, and ourselves against each. */
function rowsOf(
  { what: task }: LoadTask,
  clients: number,
  entrants: readonly { name: string; speeds: Speed[] }[],
): Row[] {
  const speedsOf = (wanted: string): Speed[] =>
    entrants.find(({ name }) => name === wanted)?.speeds ?? []
  const what = `${task}, ${clients === 1 ? '1 client' : `${clients} clients`}`
  const isBudgeted = clients === CLIENTS_OF_BUDGETS
  const againstFloor = entrants.map(
    ({ name, speeds }): Row => ({
      what: `${what}: ${name}`,
      value: speedRatio(speeds, speedsOf(floor)),
      unit: '×',
      detail: inWords(speeds),
      ...(isBudgeted && name !== noOp
        ? {
            bar: {
              chart: `${task === 'submit' ? 'Submissions' : 'Queries'}/s, ${clients} clients`,
              label: name,
              length: median(speeds.map(({ perSecond }) => perSecond)),
            },
          }
        : {}),
    }),
  )
  if (!isBudgeted) return againstFloor
  const ours = entrants
    .filter(({ name }) => BUDGETS[name])
    .map(({ name, speeds }): Row => {
      const budget = BUDGETS[name]
      return {
        what: `${what}: ${own} against ${name}`,
        value: speedRatio(speedsOf(own), speeds),
        unit: '×',
        ...(budget ? { budget } : {}),
        detail: '',
      }
    })
  return [...againstFloor, ...ours]
}
