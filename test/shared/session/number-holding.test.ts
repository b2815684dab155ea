import { describe, expect, test } from 'vitest'
import { digestPhoneNumber } from '../../../shared/domain/phone-number.ts'
import { createLookup } from '../../../shared/session/lookup.ts'
import {
  createNumberHolding,
  type NumberHoldingOptions,
} from '../../../shared/session/number-holding.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const PROVED_MS = Date.UTC(2026, 0, 1)
const NUMBER = '13800138000'
const lookup = createLookup({ key: new Uint8Array(32).fill(9) })
const held = {
  digest: digestPhoneNumber(`+86 ${NUMBER}`, lookup),
  provedAtMs: PROVED_MS,
  sinceMs: 0,
}

function holdingAfter(days: number, changes: Partial<NumberHoldingOptions> = {}) {
  return createNumberHolding({
    lookup,
    holderDays: 180,
    takenOverRatings: 'from-binding',
    now: () => PROVED_MS + days * DAY_MS,
    ...changes,
  })
}

describe('the holder of a number', () => {
  test('reads everything of it, and nothing of another', () => {
    expect(holdingAfter(1).since(held, NUMBER)).toBe(0)
    expect(holdingAfter(1).since(held, '13800138001')).toBeUndefined()
    expect(holdingAfter(1).since(held, '10086')).toBeUndefined()
    expect(holdingAfter(1).since(null, NUMBER)).toBeUndefined()
  })

  test('is nobody’s any more 180 days after it was proved, or when the deployment says so', () => {
    expect(holdingAfter(179.99).since(held, NUMBER)).toBe(0)
    expect(holdingAfter(180).since(held, NUMBER)).toBeUndefined()
    expect(holdingAfter(30, { holderDays: 30 }).since(held, NUMBER)).toBeUndefined()
    expect(holdingAfter(360, { holderDays: 365 }).since(held, NUMBER)).toBe(0)
  })

  test('who took it over reads from that moment on, unless the deployment says all', () => {
    const takenOver = { ...held, sinceMs: PROVED_MS - DAY_MS }
    expect(holdingAfter(1).since(takenOver, NUMBER)).toBe(PROVED_MS - DAY_MS)
    expect(holdingAfter(1, { takenOverRatings: 'all' }).since(takenOver, NUMBER)).toBe(0)
    expect(holdingAfter(180, { takenOverRatings: 'all' }).since(takenOver, NUMBER)).toBeUndefined()
  })
})
