import type { SimulatedClock } from './clock.ts'
import type { RandomBytes } from './random.ts'

/** jscode2session answers one user at most so often in a minute, then 45011. */
const EXCHANGES_PER_MINUTE = 100

/** A person as WeChat knows them. */
export interface User {
  openid: string
  unionid?: string
  /** A high-risk user: their codes are refused with 40226. */
  risk: boolean
  /** What getuserriskrank says of them, 0 to 4. */
  riskRank: number
  /** 16 random bytes in base64; the one and only key that is valid now. Absent before the first code. */
  sessionKey?: string
  /** When the last code was issued to them; content checks refuse after two hours without one. */
  lastCodeAtMs?: number
  exchangedAtMs: number[]
}

export type Users = ReturnType<typeof createUsers>

export function createUsers(clock: SimulatedClock, random: RandomBytes) {
  const byOpenid = new Map<string, User>()
  return {
    all: (): User[] => [...byOpenid.values()],
    find: (openid: string): User | undefined => byOpenid.get(openid),
    /** The user of that openid, made when there is none; a new random openid when none is given. */
    ensure(openid = randomOpenid(random)): User {
      const user = byOpenid.get(openid) ?? { openid, risk: false, riskRank: 0, exchangedAtMs: [] }
      byOpenid.set(openid, user)
      return user
    },
    /** Gives the user a new session_key, which makes the former one stale at once. */
    rotateSessionKey(user: User): string {
      user.sessionKey = random(16).toString('base64')
      return user.sessionKey
    },
    /** Counts one exchange; false when this minute's limit is used up. */
    countExchange(user: User): boolean {
      const nowMs = clock.now()
      user.exchangedAtMs = user.exchangedAtMs.filter((atMs) => nowMs - atMs < 60_000)
      if (user.exchangedAtMs.length >= EXCHANGES_PER_MINUTE) return false
      user.exchangedAtMs.push(nowMs)
      return true
    },
  }
}

/** 28 characters starting with `o`, as WeChat's are. */
function randomOpenid(random: RandomBytes): string {
  return `o${random(20).toString('base64url')}`
}
