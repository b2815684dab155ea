import { beijingDay, type SimulatedClock } from './clock.ts'
import type { KnownErrcode } from './errcodes.ts'
import type { RandomBytes } from './random.ts'

const LIFETIME_MS = 7200_000
/** In its last five minutes a stable token is replaced, and both work until the old one ends. */
const HANDOVER_MS = 300_000
/** Two forced refreshes closer than this give the same token. */
const FORCE_INTERVAL_MS = 30_000
const FORCES_PER_DAY = 20
/** So much of a token's text is fixed that anything else is 40014 and not 40001. */
const TOKEN_SHAPE = /^[0-9]{1,3}_[A-Za-z0-9_-]{64,512}$/

export interface IssuedToken {
  access_token: string
  /** Seconds; of a stable token never under 300. */
  expires_in: number
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

interface Grant {
  token: string
  expiresAtMs: number
}

/** https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html */
export function createAccessTokens(clock: SimulatedClock, random: RandomBytes) {
  const issuedHere = new Set<string>()
  const live = new Map<string, number>()
  let stable: Grant | undefined
  let classic: Grant | undefined
  let forcedAtMs: number[] = []

  function grant(): Grant {
    const made = {
      token: `90_${random(99).toString('base64url')}`,
      expiresAtMs: clock.now() + LIFETIME_MS,
    }
    live.set(made.token, made.expiresAtMs)
    issuedHere.add(made.token)
    return made
  }

  const issued = ({ token, expiresAtMs }: Grant): IssuedToken => ({
    access_token: token,
    expires_in: Math.floor((expiresAtMs - clock.now()) / 1000),
  })

  function normalMode(): IssuedToken {
    if (!stable || stable.expiresAtMs - clock.now() < HANDOVER_MS) stable = grant()
    return issued(stable)
  }

  return {
    /** `stable_token` in normal mode. */
    stable: normalMode,
    /** `stable_token` with `force_refresh`: undefined when the day's 20 are used up. */
    forced(): IssuedToken | undefined {
      const nowMs = clock.now()
      forcedAtMs = forcedAtMs.filter((atMs) => beijingDay(atMs) === beijingDay(nowMs))
      const lastMs = forcedAtMs.at(-1)
      if (lastMs !== undefined && nowMs - lastMs < FORCE_INTERVAL_MS) return normalMode()
      if (forcedAtMs.length >= FORCES_PER_DAY) return undefined
      forcedAtMs.push(nowMs)
      for (const token of live.keys()) if (token !== classic?.token) live.delete(token)
      stable = grant()
      return issued(stable)
    },
    /** The classic `token`: always a new one, and the former is dead. */
    classic(): IssuedToken {
      if (classic) live.delete(classic.token)
      classic = grant()
      return issued(classic)
    },
    /** Whether this token is one of this mini program's, dead ones included. */
    wasIssued: (token: string): boolean => issuedHere.has(token),
    /** Those that work now. */
    living(): { token: string; kind: 'stable' | 'classic'; expiresAtMs: number }[] {
      return [...live]
        .filter(([, expiresAtMs]) => clock.now() < expiresAtMs)
        .map(([token, expiresAtMs]) => ({
          token,
          kind: token === classic?.token ? 'classic' : 'stable',
          expiresAtMs,
        }))
    },
    /** Forced refreshes that this day still has. */
    forcesLeft: (): number =>
      FORCES_PER_DAY -
      forcedAtMs.filter((atMs) => beijingDay(atMs) === beijingDay(clock.now())).length,
    /** Why a call with this token is refused; undefined when it is not. */
    problemWith(token: string | null): KnownErrcode | undefined {
      if (!token) return 41001
      if (!TOKEN_SHAPE.test(token)) return 40014
      const expiresAtMs = live.get(token)
      if (expiresAtMs === undefined) return 40001
      return clock.now() >= expiresAtMs ? 42001 : undefined
    },
    /** Kills every token, as a change of the secret would. */
    revokeAll(): void {
      live.clear()
      stable = undefined
      classic = undefined
    },
  }
}
