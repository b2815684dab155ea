/** Stops calling something that does not answer: after some failures in a row every call fails at once, until one try succeeds. */

/** When a breaker opens and for how long. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  failuresToOpen?: number
  /** How long it stays open before one call is let through to try. */
  openMs?: number
  now: () => number
}

/** A switch between us and something remote. */
export interface Breaker {
  /**
   * Runs `work`, or throws what `refuse` makes when it is open. Only errors for which `isFailure` holds count; an
   * answer that refuses a request is an answer.
   */
  run<T>(
    work: () => Promise<T>,
    judge: { isFailure: (error: unknown) => boolean; refuse: () => Error },
  ): Promise<T>
}

/** A breaker for one remote. State is per instance, so every instance finds out for itself. */
export function createBreaker({ failuresToOpen = 5, openMs = 2000, now }: BreakerOptions): Breaker {
  let failures = 0
  let openUntilMs = 0
  let isTrying = false

  return {
    async run(work, { isFailure, refuse }) {
      const isOpen = failures >= failuresToOpen
      if (isOpen && (isTrying || now() < openUntilMs)) throw refuse()
      isTrying = isOpen
      try {
        const result = await work()
        failures = 0
        return result
      } catch (error) {
        if (isFailure(error)) {
          failures++
          openUntilMs = now() + openMs
        } else failures = 0
        throw error
      } finally {
        isTrying = false
      }
    },
  }
}
