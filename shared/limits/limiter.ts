/**
 * Limits over all instances, counted in the store, without a database round trip for every request: an instance
 * counts by itself and adds what it counted to the store now and then.
 */

import { createHash } from 'node:crypto'
import type { CounterStore, Limiter } from '../ports.ts'
import { Problem } from '../problem.ts'

/** So many requests in a window of the clock. */
export interface Limit {
  requests: number
  windowMs: number
}

/** What a limiter counts with, and its limits. */
export interface LimiterOptions {
  counters: CounterStore
  /** Per person and route. */
  user: Limit
  /** Per client address and route, where nobody is logged in yet. */
  address: Limit
  now: () => number
  /** A number from 0 to 1; where in its batch an instance begins. */
  random: () => number
  /** What the instance counted so far, when several limiters of it share that; see `Tallies`. */
  tallies?: Tallies
}

/** A batch is this part of the limit: three instances together exceed it by less than a tenth. */
const BATCHES_PER_LIMIT = 40
/** Keys an instance remembers; the oldest are forgotten, which only makes it count in the store sooner. */
const KEYS_MAX = 5000

/** Requests whose address is from a header are together as many as those of so many addresses. */
const ADDRESSES_FORWARDED = 10

interface Tally {
  windowStart: number
  /** What others had counted in the store when it was last asked. */
  others: number
  /** Requests counted here and sent to the store, whether it has answered or not. */
  sent: number
  /** Requests counted here since. */
  unsent: number
  /** Requests of the batch that is being filled. */
  filled: number
}

/** What an instance counted by itself, by key. */
export type Tallies = Map<string, Tally>

/** Admits requests up to a limit in each window of the clock. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { counters, user, address, now, random, tallies = new Map() } = options
  const limits = {
    user,
    address,
    forwarded: { ...address, requests: address.requests * ADDRESSES_FORWARDED },
  }

  return {
    async admit({ kind, id, route }) {
      const { requests, windowMs } = limits[kind]
      const atMs = now()
      const windowStart = atMs - (atMs % windowMs)
      const retryAfterSeconds = Math.ceil((windowStart + windowMs - atMs) / 1000)
      // Who logs in is counted exactly, and not at all when the store is down: a code must not be used up then.
      const batch = kind === 'address' ? 1 : Math.max(1, Math.floor(requests / BATCHES_PER_LIMIT))
      const key = keyOf(kind, id, route)

      let tally = tallies.get(key)
      if (tally?.windowStart !== windowStart) {
        // Beginning anywhere in a batch makes the sum right on average however short an instance lives.
        const filled = Math.floor(random() * batch)
        tally = { windowStart, others: 0, sent: 0, unsent: 0, filled }
        tallies.delete(key)
        tallies.set(key, tally)
        if (tallies.size > KEYS_MAX) tallies.delete(tallies.keys().next().value ?? '')
      }
      if (tally.others + tally.sent + tally.unsent >= requests) {
        throw new Problem('too-many-requests', { retryAfterSeconds })
      }
      tally.filled++
      tally.unsent++
      if (tally.filled < batch) return
      tally.filled = 0
      tally.unsent = 0
      tally.sent += batch
      const counting = counters.increment(key, { lengthMs: windowMs, atMs }, batch)
      const count = kind === 'address' ? await counting : await counting.catch(() => 0)
      // The store may not have seen yet what was sent meanwhile: too few are taken for others', never too many.
      tally.others = Math.max(tally.others, count - tally.sent)
      if (count > requests) throw new Problem('too-many-requests', { retryAfterSeconds })
    },
  }
}

/** Admits everything. */
export const noLimiter: Limiter = { admit: async () => {} }

/** Addresses are personal data: only a digest of one is stored. */
function keyOf(kind: 'user' | 'address' | 'forwarded', id: string, route: string): string {
  if (kind !== 'address') return `${kind.charAt(0)}:${id}:${route}`
  return `a:${createHash('sha256').update(id).digest('base64url').slice(0, 22)}:${route}`
}
