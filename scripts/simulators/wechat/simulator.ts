import { createClock } from './clock.ts'
import { createFaults, type FaultSpec } from './faults.ts'
import { createRequestLog } from './request-log.ts'
import { createWorld, type WorldOptions } from './world.ts'

export type Simulator = ReturnType<typeof createSimulator>

/**
 * The simulated WeChat without its socket: what it remembers, logs and is told to do wrong. `refuseFor` stops listening
 * for that long, which only the server can.
 */
export function createSimulator(
  options: WorldOptions & {
    now: (() => number) | undefined
    refuseFor: (durationMs: number) => void
  },
) {
  const clock = createClock(options.now)
  const faults = createFaults()
  const log = createRequestLog()
  const world = createWorld(clock, options)
  let { seed } = options
  return {
    clock,
    faults,
    log,
    world,
    seed: () => seed,
    addFault(fault: FaultSpec): void {
      if (fault.kind === 'refuse') options.refuseFor(fault.delayMs ?? 1000)
      else faults.add(fault)
    },
    /** Forgets mini programs, users, codes, tokens, words, faults and the log, and sets the clock back. */
    reset(newSeed = seed): void {
      seed = newSeed
      clock.reset()
      faults.clear()
      log.clear()
      Object.assign(world, createWorld(clock, { ...options, seed }))
    },
  }
}
