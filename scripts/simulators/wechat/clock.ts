/** A clock that runs with the real one and can be moved. Times are milliseconds since 1970. */
export interface SimulatedClock {
  now(): number
  /** Moves the clock by so many milliseconds; a negative number moves it back. */
  advance(ms: number): void
  /** Back to the time it runs with. */
  reset(): void
}

/** `base` is the clock to run with; the machine's own unless a test hands in another. */
export function createClock(base: () => number = Date.now): SimulatedClock {
  let offsetMs = 0
  return {
    now: () => base() + offsetMs,
    advance: (ms) => {
      offsetMs += ms
    },
    reset: () => {
      offsetMs = 0
    },
  }
}
