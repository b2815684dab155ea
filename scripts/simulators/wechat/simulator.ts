import { createClock } from './clock.ts'
import { createFaults, type FaultSpec } from './faults.ts'
import { createRequestLog } from './request-log.ts'
import { type Adoption, createWorld, type MiniProgram } from './world.ts'

export type Simulator = ReturnType<typeof createSimulator>

/**
 * The simulated WeChat without its socket: what it remembers, logs and is told to do wrong. `refuseFor` stops listening
 * for that long, which only the server can.
 */
export function createSimulator(
  app: MiniProgram,
  options: {
    now: (() => number) | undefined
    adoption: Adoption | undefined
    refuseFor: (durationMs: number) => void
  },
) {
  const clock = createClock(options.now)
  const faults = createFaults()
  const log = createRequestLog()
  const world = createWorld(app, clock, options.adoption)
  return {
    clock,
    faults,
    log,
    world,
    addFault(fault: FaultSpec): void {
      if (fault.kind === 'refuse') options.refuseFor(fault.delayMs ?? 1000)
      else faults.add(fault)
    },
    /** Forgets users, codes, tokens, words, faults and the log, and sets the clock back. */
    reset(): void {
      clock.reset()
      faults.clear()
      log.clear()
      Object.assign(world, createWorld(app, clock, options.adoption))
    },
  }
}
