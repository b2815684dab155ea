/** Processor time of another process, all its threads together. Linux only. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Microseconds since it started; undefined where /proc does not tell. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function cpuMicroseconds(pid: number): number | undefined {
  const perSecond = ticksPerSecond()
  if (perSecond === undefined) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, a name in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / perSecond
  } catch {
    return undefined
  }
}

let known: number | undefined

function ticksPerSecond(): number | undefined {
  try {
    known ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
    return known
  } catch {
    return undefined
  }
}
