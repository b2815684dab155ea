/** Phone numbers, which are account numbers: how they are spelt, shown, and found without being stored. */

import type { Lookup, PhoneNumber } from '../ports.ts'

/** The spelling of account numbers: a number of mainland China as it is, others with their country code. */
export function spellPhoneNumber({ purePhoneNumber, countryCode }: PhoneNumber): string {
  return countryCode === '86' ? purePhoneNumber : `${countryCode}${purePhoneNumber}`
}

/** The digest by which the holder of a number is known; `number` is spelt as above. */
export function digestPhoneNumber(number: string, lookup: Lookup): Uint8Array {
  return lookup.digest('phone', number)
}

/** `138****8000`: how a phone number is shown, whoever asks. */
export function maskPhoneNumber(number: string): string {
  return `${number.slice(0, 3)}****${number.slice(-4)}`
}
