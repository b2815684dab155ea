import { randomBytes } from 'node:crypto'
import type { SimulatedClock } from './clock.ts'

/** jscode2session answers one user at most so often in a minute, then 45011. */
export const EXCHANGES_PER_MINUTE = 100

/** A person as WeChat knows them. */
export interface User {
  openid: string
  unionid?: string
  /** A high-risk user: their codes are refused with 40226. */
  risk: boolean
  /** 16 random bytes in base64; the one and only key that is valid now. Absent before the first code. */
  sessionKey?: string
  /** When the last code was issued to them; content checks refuse after two hours without one. */
  lastCodeAtMs?: number
  exchangedAtMs: number[]
}

export interface Users {
  find(openid: string): User | undefined
  /** The user of that openid, made when there is none; a new random openid when none is given. */
  ensure(openid?: string): User
  /** Gives the user a new session_key, which makes the former one stale at once. */
  rotateSessionKey(user: User): string
  /** Counts one exchange; false when this minute's limit is used up. */
  countExchange(user: User): boolean
}

export function createUsers(clock: SimulatedClock): Users {
  const byOpenid = new Map<string, User>()
  const ensure = (openid = randomOpenid()) => {
    const known = byOpenid.get(openid)
    if (known) return known
    const user: User = { openid, risk: false, exchangedAtMs: [] }
    byOpenid.set(openid, user)
    return user
  }
  return {
    find: (openid) => byOpenid.get(openid),
    ensure,
    rotateSessionKey(user) {
      user.sessionKey = randomBytes(16).toString('base64')
      return user.sessionKey
    },
    countExchange(user) {
      const nowMs = clock.now()
      user.exchangedAtMs = user.exchangedAtMs.filter((atMs) => nowMs - atMs < 60_000)
      if (user.exchangedAtMs.length >= EXCHANGES_PER_MINUTE) return false
      user.exchangedAtMs.push(nowMs)
      return true
    },
  }
}

/** 28 characters starting with `o`, as WeChat's are. */
export function randomOpenid(): string {
  return `o${randomBytes(20).toString('base64url')}`
}
