/**
 * Milliseconds on a clock nobody sets, for durations and deadlines. Not `performance.now()`, which loads all of
 * perf_hooks at a cold start.
 */
export function steadyMs(): number {
  return process.uptime() * 1000
}
