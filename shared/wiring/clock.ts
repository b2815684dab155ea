import type { Clock } from '../ports.ts'

/** The one reader of the machine's time; everything else is handed a clock. */
export const systemClock: Clock = { now: () => Date.now() }
