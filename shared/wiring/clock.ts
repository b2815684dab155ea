/**
 * Milliseconds on a clock nobody sets, for durations and deadlines. Not `performance.now()`, which loads all of
 * perf_hooks at a cold start.
 */
export function steadyMs(): number {
  return process.uptime() * 1000
}

/** The machine's clocks and its chance; everything outside of wiring and transport is handed what it needs of them. */
export const machine = { now: () => Date.now(), steadyMs, random: Math.random }
