/** The machine, and what a measured process may inherit from it. */

import { execFileSync } from 'node:child_process'
import os from 'node:os'
import { measuredNode, runtimeNode } from './measured-node.ts'

/** For the record beside the figures; names no person and no path. */
export function describeMachine(): Record<string, unknown> {
  return {
    node: measuredNode.version,
    codeCache: runtimeNode !== undefined,
    cores: os.availableParallelism(),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    loadAverage: os.loadavg()[0]?.toFixed(2),
    pinned: pinning !== undefined,
    at: new Date().toISOString(),
  }
}

/**
 * The whole environment of a measured process. NODE_EXTRA_CA_CERTS makes a bare Node 20 start three times
 * slower, and NODE_OPTIONS can do anything: neither may reach it.
 */
export function bareEnvironment(variables: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? '', LANG: 'en_US.UTF8', ...variables }
}

/** The core for what is measured, and the others for everything else; undefined where that cannot be had. */
const pinning: { measured: string; others: string } | undefined = findPinning()

function findPinning(): { measured: string; others: string } | undefined {
  const cores = os.availableParallelism()
  if (cores < 2) return undefined
  const measured = String(cores - 1)
  try {
    execFileSync('taskset', ['-c', measured, 'true'], { stdio: 'ignore' })
    return { measured, others: `0-${cores - 2}` }
  } catch {
    return undefined
  }
}

/** A command line that runs on the measured core. */
export function onMeasuredCore(command: string, args: readonly string[]): [string, string[]] {
  if (!pinning) return [command, [...args]]
  return ['taskset', ['-c', pinning.measured, command, ...args]]
}

/** A command line that runs wherever there is room, whatever this process keeps to. */
export function onAllCores(command: string, args: readonly string[]): [string, string[]] {
  if (!pinning) return [command, [...args]]
  return ['taskset', ['-c', `0-${pinning.measured}`, command, ...args]]
}

/**
 * Moves this process, and what it starts from now on, away from the measured core.
 * @returns what moves it back
 */
export function leaveMeasuredCore(): () => void {
  if (!pinning) return () => {}
  const move = (cores: string): void => {
    execFileSync('taskset', ['-a', '-p', '-c', cores, String(process.pid)], { stdio: 'ignore' })
  }
  move(pinning.others)
  return () => move(`0-${pinning.measured}`)
}
