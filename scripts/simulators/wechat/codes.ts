import type { SimulatedClock } from './clock.ts'
import type { RandomBytes } from './random.ts'

/** Codes of wx.login and of the phone button alike live five minutes and work once. */
const CODE_LIFETIME_MS = 5 * 60_000

/** A phone number as the user's WeChat account holds it. */
export interface HeldPhoneNumber {
  /** Digits without the country's prefix. */
  pure: string
  /** Digits, e.g. `86`. */
  countryCode: string
  /** The documentation's table says string, its sample shows a number: both occur. */
  countryCodeAs: 'string' | 'number'
}

interface CodeFacts {
  /** The mini program it was issued to. */
  appid: string
  openid: string
}

export type IssuedCode = CodeFacts &
  ({ kind: 'login'; sessionKey: string } | { kind: 'phone'; phone: HeldPhoneNumber })

export type Codes = ReturnType<typeof createCodes>

/** A code and what became of it. */
export interface HeldCode {
  code: string
  facts: IssuedCode
  state: 'fresh' | 'used' | 'expired'
  expiresAtMs: number
}

export function createCodes(clock: SimulatedClock, random: RandomBytes) {
  const byCode = new Map<string, { facts: IssuedCode; used: boolean; issuedAtMs: number }>()
  const isExpired = (issuedAtMs: number) => clock.now() - issuedAtMs >= CODE_LIFETIME_MS

  return {
    /** Registers a code, new and random unless one is given. */
    issue(facts: IssuedCode, code = randomCode(facts.kind, random)): string {
      byCode.set(code, { facts, used: false, issuedAtMs: clock.now() })
      return code
    },
    /** A live code's facts and whether it was used; undefined when unknown or past its five minutes. */
    find(code: string): { facts: IssuedCode; used: boolean } | undefined {
      const entry = byCode.get(code)
      return entry && !isExpired(entry.issuedAtMs) ? entry : undefined
    },
    /** Whether this code was ever registered here, expired ones included. */
    wasIssued: (code: string): boolean => byCode.has(code),
    /** The newest so many, newest first. */
    newest(count: number): HeldCode[] {
      return [...byCode]
        .slice(-count)
        .reverse()
        .map(([code, { facts, used, issuedAtMs }]) => ({
          code,
          facts,
          state: used ? 'used' : isExpired(issuedAtMs) ? 'expired' : 'fresh',
          expiresAtMs: issuedAtMs + CODE_LIFETIME_MS,
        }))
    },
    markUsed(code: string): void {
      const entry = byCode.get(code)
      if (entry) entry.used = true
    },
  }
}

/** Login codes have 32 letters and digits and start with 0; phone codes are 64 hexadecimal digits. */
function randomCode(kind: IssuedCode['kind'], random: RandomBytes): string {
  if (kind === 'phone') return random(32).toString('hex')
  const letters = random(48).toString('base64').replaceAll(/[+/=]/g, '')
  return `0${letters.padEnd(31, '0').slice(0, 31)}`
}
