/** How busy others keep this machine: what all of its processors did, less what this test and all that it started did. */

import { readdirSync, readFileSync } from 'node:fs'

/** Ticks a second in /proc, on every Linux there is. */
const TICKS_PER_SECOND = 100

interface Work {
  atMs: number
  all: number
  own: number
}

/** Starts to watch; the result tells how many processors others kept busy since. Always 0 where there is no /proc. */
export function watchOthers(): () => number {
  const before = workSoFar()
  return () => {
    const after = workSoFar()
    if (!before || !after) return 0
    const ticks = after.all - before.all - (after.own - before.own)
    const seconds = (after.atMs - before.atMs) / 1000
    return Math.max(ticks / TICKS_PER_SECOND / seconds, 0)
  }
}

function workSoFar(): Work | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = line
      .split(/\s+/)
      .slice(1)
      .map(Number)
    const all = user + nice + system + irq + softirq + stolen
    return { atMs: performance.now(), all, own: ownTicks() }
  } catch {
    return undefined
  }
}

/** Of the process that started this one and all that descend from it: servers of the tests are its children, too. */
function ownTicks(): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
        // The name before may hold anything.
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
        const [parent, ...times] = [1, 11, 12, 13, 14].map((index) => Number(fields[index]))
        return [{ pid: Number(pid), parent, ticks: times.reduce((sum, each) => sum + each, 0) }]
      } catch {
        return []
      }
    })
  const ours = new Set([process.ppid])
  for (let grown = 0; grown !== ours.size; ) {
    grown = ours.size
    for (const { pid, parent } of processes) if (parent && ours.has(parent)) ours.add(pid)
  }
  return processes.filter(({ pid }) => ours.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0)
}
