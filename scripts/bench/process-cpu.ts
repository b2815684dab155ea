/** Processor time of another process, all its threads together. Linux only. */

import { readFileSync } from 'node:fs'

/** What /proc counts in, whatever the kernel's own clock: https://man7.org/linux/man-pages/man7/time.7.html */
const MICROSECONDS_PER_TICK = 10_000

/** Microseconds since it started; undefined where /proc does not tell. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function cpuMicroseconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, a name in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK
  } catch {
    return undefined
  }
}
