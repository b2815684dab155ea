/** What `GET /sim/state` tells, for the page and for programs. Times are ISO 8601 by the simulator's clock. */

/** All there is. Secrets, keys and tokens as `maskOf` shows them, login codes as they are. */
export interface SimulatorState {
  clock: ClockReading
  /** What codes, keys and ids are made from; null when they are random. */
  seed: string | null
  /** The endpoints of WeChat that are played. */
  paths: readonly string[]
  apps: AppReading[]
  /** Newest first. */
  codes: CodeReading[]
  faults: FaultReading[]
  words: WordReading[]
  /** How many the log holds. */
  requestCount: number
  /** Newest first; at most 200. */
  requests: RequestReading[]
  paidPhoneCalls: number
}

export interface ClockReading {
  nowMs: number
  now: string
  stopped: boolean
}

export interface AppReading {
  appid: string
  secret: string
  state: string
  ipList: readonly string[]
  pages: readonly string[]
  forcedRefreshesLeft: number
  peopleCount: number
  /** In the order they came; the last 100. */
  people: PersonReading[]
  tokens: { token: string; kind: string; expiresAt: string }[]
  quotas: { path: string; today: number; perMinute: number | null; perDay: number | null }[]
  templates: { templateId: string; keys: readonly string[] }[]
  messages: readonly MessageReading[]
}

export interface PersonReading {
  openid: string
  unionid: string | null
  risk: boolean
  riskRank: number
  /** Of the key that is valid now; null without one. */
  sessionKey: string | null
  /** When their last code was issued. */
  seen: string | null
}

export interface CodeReading {
  code: string
  kind: string
  appid: string
  openid: string
  /** `fresh`, `used` or `expired`. */
  state: string
  expiresAt: string
}

export interface FaultReading {
  kind: string
  path?: string | undefined
  errcode?: number | undefined
  /** How often it is still to come. */
  times?: number | undefined
}

export interface WordReading {
  word: string
  suggest: string
  label: number
}

export interface MessageReading {
  time: string
  openid: string
  templateId: string
  page: string | null
  data: Record<string, string>
}

export interface RequestReading {
  method: string
  path: string
  time: string
  params: Record<string, string>
  status: number | null
  errcode: number | null
  fault: string | null
}
