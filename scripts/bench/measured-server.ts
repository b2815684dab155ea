/** A server in a process of its own, and how much it answers for how much processor time. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import type { Defer } from '../cli/closers.ts'
import { generateLoad, type LoadResult } from './load-generator.ts'
import { bareEnvironment, onAllCores, onMeasuredCore } from './machine.ts'
import { measuredNode } from './measured-node.ts'
import { median, medianRatio } from './median.ts'
import { cpuMicroseconds } from './process-cpu.ts'
import { endProcess, urlFromLog } from './programs.ts'

export interface MeasuredServer {
  process: ChildProcess
  url: string
}

export interface MeasuredServerSettings {
  /** Run by the measured Node unless `command` names another program. */
  args: readonly string[]
  command?: string
  variables: Record<string, string>
  /** For its log. */
  folder: string
  /** Kept to the measured core unless several share the machine. */
  isPinned?: boolean
}

/** Starts a server; what it prints goes to a file. It says `listening on URL` there. */
export async function startServer(
  settings: MeasuredServerSettings,
  defer: Defer,
): Promise<MeasuredServer> {
  const { args, command = measuredNode.file, variables, folder, isPinned = true } = settings
  const env = bareEnvironment({ PORT: '0', HOST: '127.0.0.1', ...variables })
  const logFile = path.join(folder, `server-${++servers}.log`)
  const log = openSync(logFile, 'w')
  const [program, programArgs] = isPinned
    ? onMeasuredCore(command, args)
    : onAllCores(command, args)
  const child = spawn(program, programArgs, { env, stdio: ['ignore', log, log] })
  closeSync(log)
  defer(() => endProcess(child))
  return { process: child, url: await urlFromLog(logFile, child) }
}

/** Numbers the log files. */
let servers = 0

export interface Demand {
  /** Whole requests, sent in turn. */
  requests: readonly Buffer[]
  status: number
  clients: number
  durationMs: number
}

export interface Speed {
  perSecond: number
  /** Of all its processes together; undefined where that cannot be had. */
  cpuUsPerRequest: number | undefined
  answered: number
  refused: number
  /** Of an answer, its head included. */
  answerBytes: number
}

/** Puts some servers under load at once, the clients divided among them. */
export async function drive(
  servers: readonly MeasuredServer[],
  { requests, status, clients, durationMs }: Demand,
): Promise<Speed> {
  const cpuOf = (): (number | undefined)[] =>
    servers.map(({ process: { pid = 0 } }) => cpuMicroseconds(pid))
  const cpuBefore = cpuOf()
  const loads = await Promise.all(
    servers.map(({ url }, index) => {
      const connections = Math.floor((clients + index) / servers.length)
      return generateLoad({ url, connections, durationMs, requests, status })
    }),
  )
  const cpuUs = cpuOf().reduce<number | undefined>((sum, after, index) => {
    const before = cpuBefore[index]
    return sum === undefined || after === undefined || before === undefined
      ? undefined
      : sum + after - before
  }, 0)
  const total = (of: (load: LoadResult) => number): number =>
    loads.reduce((sum, load) => sum + of(load), 0)
  const answered = total((load) => load.answered)
  return {
    answered,
    refused: total((load) => load.refused),
    answerBytes: total((load) => load.answeredBytes) / answered,
    perSecond: total((load) => (load.answered * 1000) / load.elapsedMs),
    cpuUsPerRequest: cpuUs === undefined ? undefined : cpuUs / answered,
  }
}

/** Requests per second as multiples of another's, round by round. */
export function speedRatio(speeds: readonly Speed[], bases: readonly Speed[]): number {
  return medianRatio(
    speeds.map(({ perSecond }) => perSecond),
    bases.map(({ perSecond }) => perSecond),
  )
}

/** The medians in words: `4177 req/s, 232 µs`. */
export function inWords(speeds: readonly Speed[]): string {
  const perSecond = `${Math.round(median(speeds.map((speed) => speed.perSecond)))} req/s`
  const us = medianCpuUs(speeds)
  const refused = speeds.reduce((sum, speed) => sum + speed.refused, 0)
  return [
    perSecond,
    ...(us === undefined ? [] : [`${us.toFixed(0)} µs`]),
    ...(refused === 0 ? [] : [`${refused} turned away`]),
  ].join(', ')
}

/** What a neighbour on the machine blurs least. */
export function medianCpuUs(speeds: readonly Speed[]): number | undefined {
  const us = speeds.flatMap(({ cpuUsPerRequest }) => cpuUsPerRequest ?? [])
  return us.length === 0 ? undefined : median(us)
}
