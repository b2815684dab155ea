/** Stops calling something that does not answer: after some failures in a row every call fails at once, until one try succeeds. */

/** When a breaker opens and for how long. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  failuresToOpen?: number
  /** How long it stays open before one call is let through to try. */
  openMs?: number
  now: () => number
}

/** What one failure asks for. */
export interface Pause {
  forMs: number
  /** Whether it opens the breaker by itself. */
  isAtOnce: boolean
}

/** A switch between us and something remote. */
export interface Breaker {
  /**
   * Runs `work`, or throws what `refuse` makes of the milliseconds left and the last failure when it is open. Only errors
   * for which `isFailure` holds count; an answer that refuses a request is an answer.
   */
  run<T>(
    work: () => Promise<T>,
    judge: {
      isFailure: (error: unknown) => boolean
      /** What a failure asks for beyond the usual pause. */
      pauseOf?: (error: unknown) => Pause | undefined
      refuse: (waitMs: number, lastFailure: unknown) => Error
    },
  ): Promise<T>
  /** Whether calls fail at once, but for the one that tries. */
  isOpen(): boolean
}

/** One broken cable or one long sleep fails all that is under way: calls that began before a failure and fail so soon after it are one with it. */
const TOGETHER_MS = 1000

/** A breaker for one remote. State is per instance, so every instance finds out for itself. */
export function createBreaker({ failuresToOpen = 5, openMs = 2000, now }: BreakerOptions): Breaker {
  let failures = 0
  let openUntilMs = 0
  let isTrying = false
  let lastFailure: unknown
  /** Of the last failure that counted. */
  let counted = { number: 0, atMs: 0 }

  const isOpen = (): boolean => failures >= failuresToOpen

  return {
    isOpen,
    async run(work, { isFailure, pauseOf, refuse }) {
      const mustTry = isOpen()
      const waitMs = Math.max(openUntilMs - now(), 0)
      if (mustTry && (isTrying || waitMs > 0)) throw refuse(waitMs, lastFailure)
      isTrying = mustTry
      const { number } = counted
      try {
        const result = await work()
        failures = 0
        return result
      } catch (error) {
        if (isFailure(error)) {
          const pause = pauseOf?.(error)
          const fellTogether = number < counted.number && now() - counted.atMs < TOGETHER_MS
          if (!fellTogether) {
            failures++
            counted = { number: counted.number + 1, atMs: now() }
          }
          if (pause?.isAtOnce) failures = Math.max(failures, failuresToOpen)
          // What was under way when it opened does not shorten its pause.
          openUntilMs = Math.max(openUntilMs, now() + (pause?.forMs ?? openMs))
          lastFailure = error
        } else failures = 0
        throw error
      } finally {
        isTrying = false
      }
    },
  }
}
