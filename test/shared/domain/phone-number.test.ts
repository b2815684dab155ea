import { describe, expect, test } from 'vitest'
import {
  digestPhoneNumber,
  maskPhoneNumber,
  phoneNumberOfAccount,
  spellPhoneNumber,
} from '../../../shared/domain/phone-number.ts'
import { createLookup } from '../../../shared/session/lookup.ts'

const lookup = createLookup({ key: new Uint8Array(32).fill(5) })

/** Whether whoever proved the number is the holder of the account. */
function isAccount(countryCode: string, purePhoneNumber: string, acc_nbr: string): boolean {
  const account = phoneNumberOfAccount(acc_nbr)
  if (account === undefined) return false
  const proved = digestPhoneNumber(spellPhoneNumber({ countryCode, purePhoneNumber }), lookup)
  return Buffer.compare(proved, digestPhoneNumber(account, lookup)) === 0
}

describe('a phone number', () => {
  test('of mainland China is the account of the same digits', () => {
    expect(isAccount('86', '13800138000', '13800138000')).toBe(true)
    expect(isAccount('86', '13800138000', '13800138001')).toBe(false)
  })

  test.each([
    ['1', '3105551234', '13105551234'],
    ['13', '105551234', '13105551234'],
    ['852', '51234567', '85251234567'],
    ['61', '412345678', '61412345678'],
    ['886', '912345678', '886912345678'],
    ['8', '613800138000', '13800138000'],
    ['861', '3800138000', '13800138000'],
    ['086', '13800138000', '13800138000'],
    ['', '13800138000', '13800138000'],
  ])('+%s %s is nobody’s account %s', (countryCode, pure, acc_nbr) => {
    expect(isAccount(countryCode, pure, acc_nbr)).toBe(false)
    expect(isAccount('86', pure, acc_nbr)).toBe(pure === acc_nbr)
  })

  test.each(['10086', '1380013800', '138001380000', '23800138000', '+8613800138000', ''])(
    'is not the account %j',
    (acc_nbr) => {
      expect(phoneNumberOfAccount(acc_nbr)).toBeUndefined()
    },
  )

  test.each([
    ['+86 13800138000', '138****8000'],
    ['+1 3105551234', '+1 ****1234'],
    ['+852 51234567', '+852 ****4567'],
    ['+290 12345', '+290 ****45'],
    ['+86 10086', '+86 ****86'],
  ])('%s is shown as %s', (number, shown) => {
    expect(maskPhoneNumber(number)).toBe(shown)
  })
})
