/** The whole outside world of miniscore, as interfaces, on one screen. */

/** Milliseconds since 1970, UTC. */
export interface Clock {
  now(): number
}

/** One JSON line per event. Only these members are written, whatever is passed. */
export interface LogEvent {
  event: string
  level: 'info' | 'warn' | 'error'
  requestId?: string | undefined
  route?: string | undefined
  transport?: string | undefined
  status?: number | undefined
  code?: string | undefined
  durationMs?: number | undefined
  coldStart?: boolean | undefined
  /** Names of configuration variables, never their values. */
  variables?: readonly string[] | undefined
  /** What went wrong inside; described without any message that could repeat data. */
  cause?: unknown
}

export interface Logger {
  write(event: LogEvent): void
}

/** Who makes the call; made from a verified token and from nothing else. */
export interface Caller {
  /** UUID of the user. */
  userId: string
  /** UUID of the session the token belongs to. */
  sessionId: string
  /** The account number proved through WeChat's phone API, if any. */
  heldAccount: string | null
  isOperator: boolean
}

/** What a verified access token says. */
export interface AccessClaims {
  userId: string
  sessionId: string
}

export interface Tokens {
  /** Signs an access token for a session. */
  sign(claims: AccessClaims): Promise<{ token: string; expiresInSeconds: number }>
  /** Resolves to the claims, or to `undefined` for any token that is not perfectly in order. */
  verify(token: string): Promise<AccessClaims | undefined>
}

/** What WeChat knows of whoever produced a login code. */
export interface WeChatUser {
  openid: string
  /** 16 bytes in base64. Never leaves the server. */
  sessionKey: string
  unionid: string | null
}

export interface WeChat {
  /** Exchanges a `wx.login` code. @throws {Problem} `wechat-…` */
  exchangeCode(code: string, remainingMs: number): Promise<WeChatUser>
}

/** A stored rating. */
export interface Score {
  /** UUIDv7; its time is `insertTimeMs`. */
  id: string
  acc_nbr: string
  grade1: number | null
  grade2: number | null
  grade3: number | null
  txt1: string
  txt2: string
  txt3: string
  insertTimeMs: number
}

export type NewScore = Score & { userId: string; idempotencyKey: string | null }

/** Which ratings of an account a query may touch: all of them, or those of one author. */
export type ReadScope = { kind: 'all' } | { kind: 'author'; userId: string }

/** A slice of a newest-first list: `limit` ratings older than `before` (a rating's id). */
export interface Slice {
  before: string | null
  limit: number
}

/** How often each grade was given; `null` grades are not counted. */
export interface GradeCounts {
  count: number
  grades: Record<'grade1' | 'grade2' | 'grade3', Record<string, number>>
}

/** Every method throws `DbError` when the database refuses or cannot be reached. */
export interface Store {
  /** The user of this openid in this mini program; created when new. Resolves to the user's id. */
  signIn(person: {
    appid: string
    openid: string
    unionid: string | null
    atMs: number
  }): Promise<{ userId: string }>
  /**
   * Stores a rating once. `same`: this user sent the same content for this account under the
   * same key before, `id` is the earlier one. `conflict`: other content under that key.
   */
  addScore(
    score: NewScore,
  ): Promise<{ result: 'added' | 'same'; id: string } | { result: 'conflict' }>
  /** A user's own ratings of all accounts, newest first. */
  scoresByAuthor(userId: string, slice: Slice): Promise<Score[]>
  /** The ratings of one account within `scope`, newest first. */
  scoresOfAccount(acc_nbr: string, scope: ReadScope, slice: Slice): Promise<Score[]>
  /** Counts over the ratings of one account within `scope`. */
  countsOfAccount(acc_nbr: string, scope: ReadScope): Promise<GradeCounts>
}
