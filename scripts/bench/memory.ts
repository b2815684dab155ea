/**
 * An instance's memory after its first answer and after 10,000, one invocation at a time, and how often it
 * goes to the database for one of them. Megabytes are of 10^6 bytes and count what all Node processes share, too.
 */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import type { StoreDoor } from '../../shared/store/doors.ts'
import {
  type BackEnd,
  bundleOf,
  jsonEvent,
  ratingOf,
  readAccount,
  startBackEnd,
  writeNoOp,
} from './back-end.ts'
import { withClosers } from './closers.ts'
import { atMost, type Benchmark, type Figure, type Measured, withoutMariaDb } from './figure.ts'
import { bareEnvironment, leaveMeasuredCore, onMeasuredCore } from './machine.ts'
import { compileProgram, runForJson } from './programs.ts'

const REQUESTS = 10_000
const SQUEEZE = '--max-semi-space-size=1'
const FIRST = atMost(52, 48)
const LAST = atMost(68, 58)
const ROUND_TRIPS = atMost(2, 1)

interface Contestant {
  what: string
  functionName: string
  storeDoor: StoreDoor
  status: number
  /** Whether it is followed to the 10,000th request; a login code is good for one only. */
  isFollowed: boolean
  /** Whether it is followed with a small young generation as well, as V8 chooses it where memory is scarce. */
  isSqueezed?: boolean
  event: (backEnd: BackEnd) => Record<string, unknown>
}

function submit({ token }: BackEnd) {
  return jsonEvent('POST /score', ratingOf('13900139000'), token)
}
function query({ token }: BackEnd) {
  return jsonEvent('POST /query', { acc_nbr: readAccount }, token)
}
function logIn({ issueCode }: BackEnd) {
  return jsonEvent('POST /login', { code: issueCode() })
}

const contestants = (['mysql', 'planetscale'] as const).flatMap((storeDoor): Contestant[] => {
  const by = storeDoor === 'mysql' ? 'MySQL' : 'PlanetScale over TLS'
  return [
    {
      what: `submit, ${by}`,
      functionName: 'submit-score',
      storeDoor,
      status: 201,
      isFollowed: true,
      isSqueezed: storeDoor === 'mysql',
      event: submit,
    },
    {
      what: `query, ${by}`,
      functionName: 'query-scores',
      storeDoor,
      status: 200,
      isFollowed: storeDoor === 'mysql',
      event: query,
    },
    {
      what: `login over TLS, ${by}`,
      functionName: 'login',
      storeDoor,
      status: 200,
      isFollowed: false,
      event: logIn,
    },
  ]
})

interface Memory {
  firstMb: number
  lastMb: number
  roundTrips: number
}

/** Resident memory, and round trips of a warm submission. */
export const memory: Benchmark = ({ progress }) =>
  withClosers(async (defer) => {
    defer(leaveMeasuredCore())
    const backEnd = await startBackEnd(defer)
    const { folder, variables } = backEnd
    const program = await compileProgram('memory', folder)
    const noOp = { functionName: 'no-op', storeDoor: 'planetscale', status: 204 } as const
    const noOpFile = await writeNoOp(folder)
    const base = await follow(
      backEnd,
      [program, noOpFile],
      { ...noOp, event: () => ({}) },
      REQUESTS,
    )
    const figures: Figure[] = []
    for (const contestant of contestants) {
      const { what, functionName, storeDoor, isFollowed } = contestant
      if (!variables[storeDoor]) {
        figures.push({ benchmark: 'memory', what, skipped: withoutMariaDb })
        continue
      }
      const files = [program, await bundleOf(functionName, storeDoor, folder)]
      const once = await follow(backEnd, files, contestant, 1)
      const many = isFollowed ? await follow(backEnd, files, contestant, REQUESTS) : undefined
      progress(`memory: ${what}`)
      figures.push({
        benchmark: 'memory',
        what: `${what}: after the first answer`,
        value: once.firstMb,
        unit: 'MB',
        budget: FIRST,
        detail: `no-op ${base.firstMb.toFixed(1)} MB`,
      })
      if (many) figures.push(...compare(contestant, { once, many, base }))
      if (!contestant.isSqueezed) continue
      const squeezed = await follow(backEnd, files, contestant, REQUESTS, [SQUEEZE])
      figures.push({
        benchmark: 'memory',
        what: `${what}: after ${REQUESTS} requests, squeezed`,
        value: squeezed.lastMb,
        unit: 'MB',
        detail: `with ${SQUEEZE}, so that little garbage waits to be collected`,
      })
    }
    return figures
  })

function compare(
  { what, functionName }: Contestant,
  { once, many, base }: Record<'once' | 'many' | 'base', Memory>,
): Measured[] {
  return [
    {
      benchmark: 'memory',
      what: `${what}: after ${REQUESTS} requests`,
      value: many.lastMb,
      unit: 'MB',
      budget: LAST,
      detail: `no-op ${base.lastMb.toFixed(1)} MB`,
    },
    {
      benchmark: 'memory',
      what: `${what}: database round trips, warm`,
      // Without those of a cold start.
      value: (many.roundTrips - once.roundTrips) / (REQUESTS - 1),
      unit: 'round trips',
      ...(functionName === 'submit-score' ? { budget: ROUND_TRIPS } : {}),
      detail: 'the session check included',
    },
  ]
}

/** Sends an instance its requests. */
async function follow(
  backEnd: BackEnd,
  [program, bundle]: readonly string[],
  { storeDoor, status, event }: Pick<Contestant, 'storeDoor' | 'status' | 'event'>,
  requests: number,
  nodeOptions: readonly string[] = [],
): Promise<Memory> {
  const { folder, variables, authorityFile } = backEnd
  const eventFile = path.join(folder, 'event.json')
  await writeFile(eventFile, JSON.stringify(event(backEnd)))
  const before = await roundTrips(storeDoor, backEnd)
  const numbers = [`${status}`, `${requests}`]
  const args = [...nodeOptions, program ?? '', bundle ?? '', eventFile, ...numbers, authorityFile]
  const megabytes = await runForJson<Omit<Memory, 'roundTrips'>>(
    onMeasuredCore(process.execPath, args),
    bareEnvironment(variables[storeDoor]),
  )
  return { ...megabytes, roundTrips: (await roundTrips(storeDoor, backEnd)) - before }
}

/** Statements and preparations a database was asked so far, whoever asked. */
async function roundTrips(storeDoor: StoreDoor, backEnd: BackEnd): Promise<number> {
  if (storeDoor === 'planetscale') return backEnd.statements()
  const connection = await createConnection({ uri: backEnd.variables.mysql?.DATABASE_URL ?? '' })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "show global status where Variable_name in ('Questions', 'Com_stmt_prepare')",
    )
    return rows.reduce((sum, row) => sum + Number(row.Value), 0)
  } finally {
    await connection.end()
  }
}
