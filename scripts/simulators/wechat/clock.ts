/** A clock that runs with the real one and can be moved and stopped. Times are milliseconds since 1970. */
export interface SimulatedClock {
  now(): number
  isStopped(): boolean
  /** Moves the clock by so many milliseconds; a negative number moves it back. */
  advance(ms: number): void
  /** Puts it to a time. */
  set(nowMs: number): void
  /** Stands still from now on, or runs again from where it stood. */
  stop(isStopped: boolean): void
  /** Runs again, and shows the time it runs with. */
  reset(): void
}

/** `base` is the clock to run with; the machine's own unless a test hands in another. */
export function createClock(base: () => number = Date.now): SimulatedClock {
  let offsetMs = 0
  let stoppedAtMs: number | undefined
  const now = (): number => stoppedAtMs ?? base() + offsetMs
  const set = (nowMs: number): void => {
    if (stoppedAtMs === undefined) offsetMs = nowMs - base()
    else stoppedAtMs = nowMs
  }
  return {
    now,
    isStopped: () => stoppedAtMs !== undefined,
    advance: (ms) => set(now() + ms),
    set,
    stop(isStopped) {
      const nowMs = now()
      stoppedAtMs = isStopped ? nowMs : undefined
      set(nowMs)
    },
    reset() {
      stoppedAtMs = undefined
      offsetMs = 0
    },
  }
}

const BEIJING_OFFSET_MS = 8 * 3600_000
const DAY_MS = 24 * 3600_000

/** WeChat's days begin at midnight in Beijing: a number for each. */
export function beijingDay(timeMs: number): number {
  return Math.floor((timeMs + BEIJING_OFFSET_MS) / DAY_MS)
}
