import type { Clock } from '../ports.ts'

/** The machine's time of day, handed to whatever has to know what time it is; durations are `steadyMs`. */
export const systemClock: Clock = { now: () => Date.now() }
