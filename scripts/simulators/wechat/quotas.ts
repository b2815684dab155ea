import { beijingDay, type SimulatedClock } from './clock.ts'
import type { KnownErrcode } from './errcodes.ts'

/** How many calls of one endpoint a mini program has; no limit where a number is absent. */
export interface Quota {
  perMinute?: number
  perDay?: number
}

interface EndpointQuota extends Quota {
  /** What a call beyond the minute's quota gets; the day's is 45009 everywhere. */
  minuteErrcode: KnownErrcode
}

/**
 * As the pages of the endpoints give them; days are those of Beijing. They are there to be made small by `POST /sim/apps`.
 */
const PUBLISHED: Readonly<Record<string, EndpointQuota>> = {
  '/cgi-bin/stable_token': { perMinute: 10_000, perDay: 500_000, minuteErrcode: 45011 },
  '/cgi-bin/token': { perDay: 2_000, minuteErrcode: 45011 },
  '/wxa/msg_sec_check': { perMinute: 4_000, perDay: 2_000_000, minuteErrcode: 44991 },
  '/wxa/resetusersessionkey': { perMinute: 60_000, minuteErrcode: 45011 },
  '/wxa/getwxacodeunlimit': { perMinute: 5_000, minuteErrcode: 45009 },
}

export type Quotas = ReturnType<typeof createQuotas>

/** The calls of one mini program, counted. */
export function createQuotas(clock: SimulatedClock) {
  const limits = new Map(Object.entries(PUBLISHED))
  const counts = new Map<string, { minute: number; inMinute: number; day: number; inDay: number }>()

  function countOf(path: string) {
    const nowMs = clock.now()
    const [minute, day] = [Math.floor(nowMs / 60_000), beijingDay(nowMs)]
    const last = counts.get(path)
    const count = {
      minute,
      inMinute: last?.minute === minute ? last.inMinute : 0,
      day,
      inDay: last?.day === day ? last.inDay : 0,
    }
    counts.set(path, count)
    return count
  }

  return {
    /** Counts a call, and says why it is refused when a quota is used up. */
    count(path: string): KnownErrcode | undefined {
      const count = countOf(path)
      const limit = limits.get(path)
      if (count.inDay >= (limit?.perDay ?? Infinity)) return 45009
      if (count.inMinute >= (limit?.perMinute ?? Infinity)) return limit?.minuteErrcode ?? 45011
      count.inDay += 1
      count.inMinute += 1
      return undefined
    },
    set(path: string, quota: Quota): void {
      const { minuteErrcode = 45011 } = limits.get(path) ?? {}
      limits.set(path, { ...quota, minuteErrcode })
    },
    /** The endpoints that were called today, and how often. */
    used(): { path: string; today: number; perMinute: number | null; perDay: number | null }[] {
      return [...counts.keys()].map((path) => {
        const { perMinute = null, perDay = null } = limits.get(path) ?? {}
        return { path, today: countOf(path).inDay, perMinute, perDay }
      })
    },
  }
}
