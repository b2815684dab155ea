/** Whether a number that was proved once is still its holder's, and from when on. */

import { digestPhoneNumber, phoneNumberOfAccount } from '../domain/phone-number.ts'
import type { Lookup, NumberHolding } from '../ports.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** What holding depends on. */
export interface NumberHoldingOptions {
  lookup: Lookup
  /** A carrier gives numbers to others after a while: who does not prove theirs again for so long holds it no more. */
  holderDays: number
  /** What who takes a number over may read: ratings from that moment on, or all. */
  takenOverRatings: 'from-binding' | 'all'
  now: () => number
}

/** Holding by these rules. */
export function createNumberHolding(options: NumberHoldingOptions): NumberHolding {
  const { lookup, holderDays, takenOverRatings, now } = options
  return {
    since(held, acc_nbr) {
      const number = phoneNumberOfAccount(acc_nbr)
      if (number === undefined || held === null) return undefined
      if (now() - held.provedAtMs >= holderDays * DAY_MS) return undefined
      if (Buffer.compare(digestPhoneNumber(number, lookup), held.digest) !== 0) return undefined
      return takenOverRatings === 'all' ? 0 : held.sinceMs
    },
  }
}
