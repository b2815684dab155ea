import { createClock, type SimulatedClock } from './clock.ts'
import { createFaults, type FaultSpec, type Faults } from './faults.ts'
import { createRequestLog, type RequestLog } from './request-log.ts'
import { createWorld, type MiniProgram, type World } from './world.ts'

/** The simulated WeChat without its socket: what it remembers, logs and is told to do wrong. */
export interface Simulator {
  clock: SimulatedClock
  faults: Faults
  log: RequestLog
  world(): World
  addFault(fault: FaultSpec): void
  /** Forgets users, codes, tokens, words, faults and the log, and sets the clock back. */
  reset(): void
}

/** `refuseFor` stops listening for that long; only the server can. */
export function createSimulator(
  app: MiniProgram,
  options: {
    now?: () => number
    adoptCodesFor?: string
    refuseFor: (durationMs: number) => void
  },
): Simulator {
  const clock = createClock(options.now)
  const faults = createFaults()
  const log = createRequestLog()
  let world = createWorld(app, clock, options.adoptCodesFor)
  return {
    clock,
    faults,
    log,
    world: () => world,
    addFault(fault) {
      if (fault.kind === 'refuse') options.refuseFor(fault.delayMs ?? 1000)
      else faults.add(fault)
    },
    reset() {
      clock.reset()
      faults.clear()
      log.clear()
      world = createWorld(app, clock, options.adoptCodesFor)
    },
  }
}
