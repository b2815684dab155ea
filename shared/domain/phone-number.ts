/** Phone numbers, some of which are account numbers: how they are spelt, shown, and found without being stored. */

import type { Lookup, PhoneNumber } from '../ports.ts'

/** `+86 13800138000`: the country stands apart, or a number of one country would be that of another. */
export function spellPhoneNumber({ purePhoneNumber, countryCode }: PhoneNumber): string {
  return `+${countryCode} ${purePhoneNumber}`
}

/** The digest by which the holder of a number is known; `number` is spelt as above. */
export function digestPhoneNumber(number: string, lookup: Lookup): Uint8Array {
  return lookup.digest('phone-number', number)
}

/** Mobile numbers of mainland China, which people know without a country code. */
const MAINLAND_MOBILE = /^1[0-9]{10}$/

/** The number that an account is, spelt as above; `undefined` for an account that is none. */
export function phoneNumberOfAccount(acc_nbr: string): string | undefined {
  if (!MAINLAND_MOBILE.test(acc_nbr)) return undefined
  return spellPhoneNumber({ purePhoneNumber: acc_nbr, countryCode: '86' })
}

/** `138****8000`, or `+1 ****1234`: how a phone number is shown, whoever asks. Of a short one less is shown. */
export function maskPhoneNumber(number: string): string {
  const [country = '', digits = ''] = number.split(' ')
  if (country === '+86' && MAINLAND_MOBILE.test(digits)) {
    return `${digits.slice(0, 3)}****${digits.slice(-4)}`
  }
  return `${country} ****${digits.slice(-Math.min(4, Math.floor(digits.length / 2)))}`
}
