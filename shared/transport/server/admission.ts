/**
 * How many requests are worked on at once. More wait a little in a short queue; beyond that they are
 * turned away at once, because an answer that comes too late is work for nothing.
 */

/** How many requests at once, and how long others wait. */
export interface AdmissionLimits {
  /** Requests worked on at the same time. */
  concurrentMax: number
  /** Requests waiting for their turn. */
  queuedMax: number
  /** Milliseconds a request waits at most. */
  queueWaitMs: number
}

/** What keeps a server from ever being overfull. */
export interface Admission {
  /** Resolves to `leave`, to be called once when the work is done, or to `undefined`: too busy. */
  enter(): Promise<(() => void) | undefined>
  /** Requests inside or waiting. */
  count(): number
}

/** An admission with nobody inside. */
export function createAdmission({
  concurrentMax,
  queuedMax,
  queueWaitMs,
}: AdmissionLimits): Admission {
  let active = 0
  /** In order of arrival; a call lets one in. */
  const waiting = new Set<() => void>()

  const leave = (): void => {
    const [next] = waiting
    if (next) next()
    else active--
  }

  return {
    async enter() {
      if (active < concurrentMax) {
        active++
        return leave
      }
      if (waiting.size >= queuedMax) return undefined
      return new Promise((resolve) => {
        const admit = (): void => {
          clearTimeout(timer)
          waiting.delete(admit)
          resolve(leave)
        }
        const timer = setTimeout(() => {
          waiting.delete(admit)
          resolve(undefined)
        }, queueWaitMs)
        waiting.add(admit)
      })
    },
    count: () => active + waiting.size,
  }
}
