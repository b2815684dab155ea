/** Drill J: a server that is asked for three times what it can do. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { logInOn } from './drill-session.ts'
import type { BrokenAdmission } from './fixed-admission.ts'
import { type CrowdResult, gatherCrowd, sendInTurn } from './open-loop.ts'
import { watchOthers } from './other-work.ts'
import { rating } from './ratings.ts'
import { startTcpProxy } from './tcp-proxy.ts'

/** What every server of the drill is given, and what a logged-in client sends it. */
export interface OverloadScene {
  environment: Record<string, string>
  databasePort: number
  request(): Buffer
}

/** Prepares an empty database, and a client that is logged in. */
export async function prepareOverload(databaseUrl: string): Promise<OverloadScene> {
  const { environment, token } = await logInOn(databaseUrl)
  // Each goes to an account of its own: a further rating of the same one is more work, and waits for the one before.
  let account = 10_000_000
  return {
    environment,
    databasePort: Number(new URL(databaseUrl).port),
    request: () => requestBytes(token, rating({ acc_nbr: `${account++}` })),
  }
}

function requestBytes(token: string, body: object): Buffer {
  const content = JSON.stringify(body)
  const head = [
    'POST /score HTTP/1.1',
    'host: a',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(content)}`,
    `authorization: JWT ${token}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${content}`)
}

/** What there is too little of, how long the overload takes, and what is broken in the server. */
export interface OverloadOptions {
  /** Milliseconds to the database and back (0: next door), or the processor itself, without any database. */
  scarce: number | 'processor'
  overloadMs: number
  broken?: BrokenAdmission | undefined
}

/** What the drill found. */
export interface OverloadResult {
  /** Good answers a second of a server that lets everybody in, to clients that keep it busy; before and after. */
  capacities: [number, number]
  /** What 99 in 100 requests take one client alone. */
  ownP99Ms: number
  overload: CrowdResult
  /** From two seconds after the overload on, at four fifths of the capacity. */
  recovered: CrowdResult
  /** How late this process was, 99 times in 100: a machine that has no time says nothing of the server. */
  lagMs: number
  /** Processors that others kept busy meanwhile. */
  others: number
}

const OPEN_TO_ALL: BrokenAdmission = 'two hundred get in at once'
const CLIENTS_AT_CAPACITY = 16
const CROWD_CONNECTIONS = 300
const CALM = 0.8
const OVERLOAD = 3
const RECOVERY_MS = 2000

/** Runs the drill on a database of its own. */
export async function runOverloadDrill(
  scene: OverloadScene,
  { scarce, overloadMs, broken }: OverloadOptions,
): Promise<OverloadResult> {
  const proxy = await startTcpProxy({ targetPort: scene.databasePort })
  const url = new URL(scene.environment.DATABASE_URL ?? '')
  if (scarce !== 'processor' && scarce > 0) {
    proxy.mode({ kind: 'delay', delayMs: scarce / 2 })
    url.port = `${proxy.port}`
  }
  const environment = {
    ...scene.environment,
    DATABASE_URL: url.href,
    BUSYWORK: scarce === 'processor' ? '1' : '',
  }
  const lag = monitorEventLoopDelay({ resolution: 1 })
  const servers: OverloadServer[] = []
  const { request } = scene
  try {
    const [open, server] = await Promise.all([
      startServer(environment, OPEN_TO_ALL),
      startServer(environment, broken),
    ])
    servers.push(open, server)
    const capacity = async (): Promise<number> => {
      const busy = { clients: CLIENTS_AT_CAPACITY, forMs: 700, request }
      return (await sendInTurn(open.url, busy)).perSecond
    }
    await capacity()
    lag.enable()
    const othersSince = watchOthers()
    const { p99Ms: ownP99Ms } = await sendInTurn(open.url, { clients: 1, forMs: 500, request })
    const before = await capacity()
    const crowd = await gatherCrowd(server.url, { connections: CROWD_CONNECTIONS, request })
    const calm = { perSecond: before * CALM }
    await crowd.send({ ...calm, forMs: 700 })
    const overload = await crowd.send({ perSecond: before * OVERLOAD, forMs: overloadMs })
    await crowd.send({ ...calm, forMs: RECOVERY_MS })
    const recovered = await crowd.send({ ...calm, forMs: 1000 })
    crowd.leave()
    const after = await capacity()
    const lagMs = lag.percentile(99) / 1_000_000
    const others = othersSince()
    return { capacities: [before, after], ownP99Ms, overload, recovered, lagMs, others }
  } finally {
    for (const each of servers) await each.end()
    await proxy.close()
  }
}

/** Which promises a server broke. */
export function brokenPromises(result: OverloadResult): string[] {
  const { ownP99Ms, overload, recovered } = result
  const inTimeMs = 250 + ownP99Ms
  const promises: Record<string, boolean> = {
    'nine tenths of what it can do': overload.usefulPerSecond >= capacityOf(result) * 0.9,
    'good answers in time': overload.usefulP99Ms <= inTimeMs,
    'a word to everybody': overload.lost === 0,
    'and soon': overload.shedP99Ms <= 250,
    'itself again after two seconds':
      recovered.lost === 0 &&
      recovered.shed <= recovered.good * 0.05 &&
      recovered.usefulP99Ms <= inTimeMs,
  }
  return Object.keys(promises).filter((promise) => !promises[promise])
}

const LAG_MAX_MS = 25
const CHANGE_MAX = 0.15
const OTHERS_MAX = 0.2

/** Whether the machine had time for the drill: all along, and as much at its end as at its beginning. */
export function wasCalm(result: OverloadResult): boolean {
  const { capacities, lagMs, others } = result
  const [before, after] = capacities
  const isSteady = Math.abs(after / before - 1) <= CHANGE_MAX
  return isSteady && lagMs <= LAG_MAX_MS && others <= OTHERS_MAX
}

function capacityOf({ capacities }: OverloadResult): number {
  return (capacities[0] + capacities[1]) / 2
}

interface OverloadServer {
  url: string
  end(): Promise<void>
}

async function startServer(
  environment: Record<string, string>,
  broken: BrokenAdmission | undefined,
): Promise<OverloadServer> {
  const file = path.join(projectFolder, 'test/support/overload-server.ts')
  const program = fork(file, [], {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env.PATH, ...environment, ...(broken ? { BROKEN: broken } : {}) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [url] = (await once(program, 'message')) as [string]
  return {
    url,
    async end() {
      const exited = once(program, 'exit')
      program.kill('SIGKILL')
      await exited
    },
  }
}

/** The drill's figures, in words and units. */
export function overloadFigures(result: OverloadResult): Record<string, number | string> {
  const { capacities, ownP99Ms, overload, recovered, lagMs, others } = result
  const share = (overload.usefulPerSecond * 100) / capacityOf(result)
  const ms = (value: number): string => `${value.toFixed(0)}ms`
  return {
    capacity: `${capacities.map((each) => each.toFixed(0)).join('..')}/s`,
    useful: `${share.toFixed(0)}%`,
    p99: ms(overload.usefulP99Ms),
    alone: ms(ownP99Ms),
    shed: overload.shed,
    shedP99: ms(overload.shedP99Ms),
    lost: overload.lost,
    recoveredP99: ms(recovered.usefulP99Ms),
    machine: `${wasCalm(result) ? 'calm' : 'busy'},late-by-${ms(lagMs)},others-${others.toFixed(1)}`,
  }
}
