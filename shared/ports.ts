/** The whole outside world of miniscore, as interfaces. */

/** Milliseconds since 1970, UTC. */
export interface Clock {
  now(): number
}

/** Takes work that makes later calls cheaper and that this one need not wait for. It is done soon, or never. */
export type AfterAnswer = (work: () => Promise<void>) => void

/** One JSON line per event. Only these members are written, whatever is passed. */
export interface LogEvent {
  event: string
  level: 'info' | 'warn' | 'error'
  requestId?: string | undefined
  route?: string | undefined
  transport?: string | undefined
  status?: number | undefined
  code?: string | undefined
  /** Written by a local run only: which field was not accepted, and why. */
  local?: { field?: string | undefined; message?: string | undefined } | undefined
  durationMs?: number | undefined
  /** Pseudonyms of whom and of which account it is about. */
  person?: string | undefined
  account?: string | undefined
  coldStart?: boolean | undefined
  /** On a cold start: whether the bundle's compiled form was taken, refused, or is for another Node. */
  codeCache?: string | undefined
  /** How many times it happened, in a line that stands for several. */
  count?: number | undefined
  /** Names of configuration variables, never their values. */
  variables?: readonly string[] | undefined
  /** What went wrong inside; described without any message that could repeat data. */
  cause?: unknown
}

/** Where log lines go. */
export interface Logger {
  write(event: LogEvent): void
}

/** What somebody may have to look into; functions/README.md says what each means. The list is closed. */
export type SecurityEvent =
  | 'token-forged'
  | 'refresh-token-reused'
  | 'session-ended-by-reuse'
  | 'number-taken-over'
  | 'operator-read'
  | 'limit-reached'
  | 'person-forgotten'
  | 'forgetting-unfinished'

/** Security events of one call. Ids and numbers given here are written as pseudonyms. */
export interface SecurityLog {
  /** Says whom the call is about from now on. */
  identify(userId: string): void
  /** Notes an event, of the person the call is about unless it is another's. */
  note(event: SecurityEvent, about?: { userId?: string; acc_nbr?: string }): void
}

/** What is kept account of in the store as well, where it does not get lost among lines. */
export type AuditedEvent = Extract<SecurityEvent, 'operator-read' | 'person-forgotten'>

/** Account of what is done with people's data. Nothing of it is ever changed, and it goes by its age alone. */
export interface Audit {
  /** Keeps that this person did it, in this request, at the time of the store. @throws {DbError} when it is not kept */
  record(event: AuditedEvent, by: { userId: string; requestId: string }): Promise<void>
}

/** Keyed names for log lines and the audit. */
export interface Pseudonyms {
  /** 16 characters, always the same for the same value of a kind as long as the key is. */
  of(kind: 'person' | 'account', value: string): string
}

/** Who makes the call; made from a verified token, a living session and nothing else. */
export interface Caller {
  /** UUID of the user. */
  userId: string
  /** UUID of the session the token belongs to. */
  sessionId: string
  openid: string
  isOperator: boolean
  /** Whether the platform itself says, with this very call, who calls: then no token could have been stolen. */
  isVouchedFor: boolean
  /**
   * From which moment on the caller may read an account's ratings as its holder, who proved through WeChat's phone API that
   * this is their number: 0 for all of them, `undefined` when it is not theirs, or was proved too long ago.
   */
  heldSince(acc_nbr: string): number | undefined
}

/** What a verified access token says. */
export interface AccessClaims {
  userId: string
  sessionId: string
}

/** Access tokens. */
export interface Tokens {
  /** Signs an access token for a session. */
  sign(claims: AccessClaims): Promise<{ token: string; expiresInSeconds: number }>
  /**
   * Resolves to the claims, or to `undefined` for any token that is not perfectly in order. One that names a key of
   * ours and was not signed with it is noted as forged.
   */
  verify(token: string, security?: SecurityLog): Promise<AccessClaims | undefined>
}

/** What a client keeps: `token` for every call, `refreshToken` to get the next pair. */
export interface TokenPair {
  token: string
  expiresInSeconds: number
  refreshToken: string
  refreshExpiresInSeconds: number
}

/** Sessions as endpoints use them. */
export interface Sessions {
  /** Starts a session for a user who just proved who they are. */
  start(options: {
    userId: string
    kind: SessionKind
    device: string
    proofHash: Uint8Array | null
  }): Promise<TokenPair & { sessionId: string }>
  /** The first pair of a session that was just started, again; `undefined` once it was refreshed or ended. */
  repeat(session: AccessClaims): Promise<TokenPair | undefined>
  /**
   * Exchanges a refresh token for the next pair. The token before the current one gives the same pair for
   * some seconds; any older one ends the session, and is noted. @throws {Problem} `refresh-rejected`
   */
  refresh(
    refreshToken: string,
    proof: string | undefined,
    security?: SecurityLog,
  ): Promise<TokenPair>
  /** The session behind a token, if it still lives and `proof` is the secret it is bound to. */
  check(claims: AccessClaims, proof: string | undefined): Promise<LivingSession | undefined>
  /** The same question for a statement that looks by itself. */
  unchecked(claims: AccessClaims, proof: string | undefined): UncheckedSession
}

/** Sessions of callers whom the platform vouches for with every call. */
export interface PlatformSessions {
  /** The caller's one session of this kind, started or started anew as needed; `undefined` for another mini program's. */
  enter(caller: { openid: string; appid: string }): Promise<LivingSession | undefined>
}

/** How a session came to be: by a login code over HTTP, or by the platform's word in a function call. */
export type SessionKind = 'code' | 'function-call'

/** A session that may be used, and what is known of its user. */
export interface LivingSession extends AccessClaims {
  openid: string
  phone: HeldNumber | null
}

/** A session that a token names, to be looked at by the very statement that depends on it. */
export interface UncheckedSession extends AccessClaims {
  /** SHA-256 of the secret that came with the call. */
  proofHash: Uint8Array | null
}

/** A number somebody proved. */
export interface HeldNumber {
  digest: Uint8Array
  /** When they proved it last. */
  provedAtMs: number
  /** When they took it over from somebody else; 0 for its first holder. */
  sinceMs: number
}

/** Whose number an account is. */
export interface NumberHolding {
  /** As `Caller.heldSince`, for a caller who once proved `held`. */
  since(held: HeldNumber | null, acc_nbr: string): number | undefined
}

/** What WeChat knows of whoever produced a login code. */
export interface WeChatUser {
  openid: string
  /** 16 bytes in base64. Never leaves the server. */
  sessionKey: string
  unionid: string | null
}

/** A phone number as WeChat tells it. */
export interface PhoneNumber {
  /** Digits without country code. */
  purePhoneNumber: string
  countryCode: string
}

/** The calls of WeChat’s API that are made. */
export interface WeChat {
  /** Exchanges a `wx.login` code. @throws {Problem} `wechat-…` */
  exchangeCode(code: string, remainingMs: number): Promise<WeChatUser>
  /** Exchanges a getPhoneNumber code; WeChat charges for it. @throws {Problem} `wechat-…` */
  exchangePhoneCode(code: string, remainingMs: number): Promise<PhoneNumber>
}

/** Seals secrets at rest. */
export interface Vault {
  /**
   * `context` says whose secret this is and of what kind (`session-key:<user id>`); it is not stored,
   * but `open` must be given the same, so that a row copied to another person is worthless.
   * @throws {TypeError} when a text holds half a character, which could not come back as it was
   */
  seal(plaintext: string, context: string): Uint8Array
  /**
   * `undefined` for anything that was not sealed under this context by a key we hold, whatever the reason.
   * Never throws. `isCurrent` is false when an older key sealed it: seal it again when convenient.
   */
  open(sealed: Uint8Array, context: string): { plaintext: string; isCurrent: boolean } | undefined
}

/** Digests for finding a value that is not stored. */
export interface Lookup {
  /**
   * 32 bytes, always the same for the same two texts. `purpose` names the column (`phone`, `login-code`):
   * the same value has unrelated digests for two purposes. Values are taken as they are: bring a
   * phone number into one spelling first.
   */
  digest(purpose: string, value: string): Uint8Array
}

/** Limits of requests. */
export interface Limiter {
  /**
   * Counts a request of a person, of a client address, or of all whose address is from a header.
   * @throws {Problem} `too-many-requests` with when to come back
   */
  admit(request: {
    kind: 'user' | 'address' | 'forwarded'
    id: string
    route: string
  }): Promise<void>
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

/** A rating about to be stored; without a key of the client’s it is stored once per call. The store gives id and time. */
export interface NewScore extends Omit<Score, 'id' | 'insertTimeMs'> {
  userId: string
  idempotencyKey: string | null
}

/** How many ratings of one person count for one account in a period, and what a further one does. Days and weeks are China's. */
export interface RatingPolicy {
  /** 1 to 100. */
  atMost: number
  per: 'ever' | 'week' | 'day' | 'hour'
  further: 'refuse' | 'replace-last'
}

/**
 * What became of a submission. `same`: this user sent the same content for this account under the same key before, `id` is
 * the earlier one. `conflict`: other content under that key. `refused`: the policy allows no further one. `no-session`: the
 * session that was to be looked at does not live, and nothing is stored.
 */
export type AddedScore =
  | { result: 'added' | 'same'; id: string; hasReplaced?: true }
  | { result: 'conflict' }
  | { result: 'refused' }
  | { result: 'no-session' }

/** Which ratings of an account a query may touch: all of them, those since a moment, or those of one author. */
export type ReadScope =
  | { kind: 'all' }
  | { kind: 'since'; sinceMs: number }
  | { kind: 'author'; userId: string }

/** A slice of a newest-first list: `limit` ratings older than `before`, of one account also newer than `after` (ids). */
export interface Slice {
  before: string | null
  after?: string | null
  limit: number
}

/** How often each grade was given; `null` grades are not counted. */
export interface GradeCounts {
  count: number
  grades: Record<'grade1' | 'grade2' | 'grade3', Record<string, number>>
}

// Stores. Every method throws `DbError` when the database refuses or cannot be reached.

/** Ratings as they come. */
export interface RatingSubmissions {
  /**
   * Stores a rating once, if the policy lets it: without one every submission is a rating of its own. With `session` the same
   * statement looks whether that lives, which takes a store whose ratings and people lie in one database.
   */
  addScore(score: NewScore, policy?: RatingPolicy, session?: UncheckedSession): Promise<AddedScore>
}

/** Ratings as their author sees them. */
export interface OwnRatings {
  /** A user's own ratings of all accounts, newest first. */
  scoresByAuthor(userId: string, slice: Slice): Promise<Score[]>
}

/** Ratings as they are read. */
export interface RatingReader {
  /** The ratings of one account within `scope`, newest first. */
  scoresOfAccount(acc_nbr: string, scope: ReadScope, slice: Slice): Promise<Score[]>
  /**
   * Counts over the ratings of one account within `scope`. An author's own are counted up to a limit: `isNewestOnly` when
   * it was reached, so that counts are those of the newest ratings and nobody looked whether there are more.
   */
  countsOfAccount(acc_nbr: string, scope: ReadScope): Promise<GradeCounts & { isNewestOnly?: true }>
}

/** Ratings, each at its account. */
export interface RatingStore extends OwnRatings, RatingReader, RatingSubmissions {}

/** The end of a person’s ratings. */
export interface RatingEraser {
  /**
   * Deletes a user's ratings, or cuts their link to the person. Repeatable when cut off, or when it stopped between two
   * batches because `isEnough`; resolves to whether all are done.
   */
  forgetAuthor(
    userId: string,
    ratings: 'delete' | 'keep-anonymous',
    isEnough?: () => boolean,
  ): Promise<boolean>
}

/** A session key as it is stored. */
export interface SealedSessionKey {
  sealed: Uint8Array
  digest: Uint8Array
}

/** A login to be noted: unionid when WeChat tells one, and the session key as the newest of three. */
export interface Login {
  appid: string
  openid: string
  unionid: string | null
  /** The session key as it is stored of this user; null when there is none. */
  sessionKeyOf: (userId: string) => SealedSessionKey | null
  atMs: number
}

/** What is kept of people. */
export interface PersonStore {
  /** The id of this openid's user in this mini program; made when there is none. */
  identify(person: { appid: string; openid: string; atMs: number }): Promise<string>
  /** Notes a login, and resolves to whose: of somebody new when there is no such person, or they left. */
  noteLogin(login: Login): Promise<string>
  /** Sealed session keys, newest first. */
  sessionKeys(userId: string): Promise<Uint8Array[]>
  /** Replaces one sealed session key by the same key under a newer sealing key. */
  resealSessionKey(userId: string, before: Uint8Array, after: Uint8Array): Promise<void>
  /** The sealed phone number of a user, and whether it was proved. */
  phone(userId: string): Promise<{ sealed: Uint8Array; isProved: boolean } | undefined>
  /** Makes the user the only holder of a number, and of no other. Tells whether it was somebody else's until now. */
  bindPhone(phone: {
    userId: string
    sealed: Uint8Array
    digest: Uint8Array
    atMs: number
  }): Promise<{ wasTakenOver: boolean }>
  /** Who proved a number last, unless they gave it up. */
  phoneHolder(digest: Uint8Array): Promise<string | undefined>
  /** The user holds no number any more. */
  unbindPhone(userId: string): Promise<void>
  /** Stores a number nobody vouched for, unless the user has a proved one. */
  notePhone(userId: string, sealed: Uint8Array): Promise<void>
  /**
   * From now on this person is not there: no session of theirs lives. What stays is a note, so that the rest is
   * finished whatever happens: `erase`, the ratings, and after a while both again, then `eraseLast`.
   */
  leave(userId: string, atMs: number): Promise<void>
  /** Removes everything about a person who left but ratings and the note. Repeatable. */
  erase(userId: string): Promise<void>
  /** Of those who left before and are still noted, the first. */
  whoLeft(beforeMs: number): Promise<string | undefined>
  /** Removes the note of a person who left. */
  eraseLast(userId: string): Promise<void>
}

/** Leaving for good. */
export interface Forgetting {
  /**
   * Forgets a person. Resolves to false when not everything was removed in the time there is; `finish` goes on with it.
   * @throws {DbError} only while nothing was done yet
   */
  forget(userId: string, remainingMs: () => number): Promise<boolean>
  /**
   * Looks a second time at people who left, by now longer ago than any call may take that knew them, and removes what
   * such a call still wrote, and whatever is left otherwise. Resolves to how many are forgotten for good.
   */
  finish(isEnough?: () => boolean): Promise<number>
  /** The same as part of another call's work: rarely, for a moment, and without failing. */
  finishSome(): Promise<void>
}

/** A session as it is stored. Times are milliseconds. */
export interface SessionRecord extends AccessClaims {
  kind: SessionKind
  device: string
  createdAtMs: number
  lastUsedAtMs: number
  expiresAtMs: number
  endedAtMs: number | null
  refreshGeneration: number
  refreshKid: string
  refreshHash: Uint8Array
  previousHash: Uint8Array | null
  rotatedAtMs: number
  proofHash: Uint8Array | null
}

/** Session rows; the rules are in `session/sessions.ts`. */
export interface SessionStore {
  add(session: SessionRecord): Promise<void>
  /** Adds a session, or makes the one of the same id as if it were new. */
  addAnew(session: SessionRecord): Promise<void>
  /** The session if it lives at `atMs`, with what is known of its user. */
  living(
    claims: AccessClaims,
    atMs: number,
  ): Promise<(LivingSession & { proofHash: Uint8Array | null }) | undefined>
  find(claims: AccessClaims): Promise<SessionRecord | undefined>
  /** Moves a living session whose token hash is `presentedHash` on to the next token. False when it is not (any more). */
  rotate(
    claims: AccessClaims,
    rotation: {
      presentedHash: Uint8Array
      generation: number
      kid: string
      nextHash: Uint8Array
      atMs: number
      expiresAtMs: number
    },
  ): Promise<boolean>
  /** Living sessions of a user, newest first. */
  list(userId: string, atMs: number): Promise<SessionRecord[]>
  /** Ends a session. False when there was no living one of that id. */
  end(claims: AccessClaims, atMs: number): Promise<boolean>
  endAll(userId: string, atMs: number): Promise<void>
  /** Ends the oldest sessions of a user beyond the newest `keep`. */
  endOldest(userId: string, keep: number, atMs: number): Promise<void>
}

/** A code somebody sent, by its digest. */
export interface CodeClaim {
  nonceDigest: Uint8Array
  claimedAtMs: number
  /** Filled in once the code was exchanged. */
  userId: string | null
  sessionId: string | null
  /** The number that a phone code stood for. */
  phoneSealed: Uint8Array | null
}

/** Who sent a single-use code first. */
export interface CodeClaimStore {
  /** Claims a code for one exchange; resolves to the earlier claim when there is one. */
  claim(
    digest: Uint8Array,
    claim: { nonceDigest: Uint8Array; atMs: number },
  ): Promise<CodeClaim | undefined>
  /** Notes what came of the exchange. */
  settle(
    digest: Uint8Array,
    outcome: { userId: string; sessionId?: string; phoneSealed?: Uint8Array },
  ): Promise<void>
  /** Gives the claim back after an exchange that failed. */
  release(digest: Uint8Array): Promise<void>
}

/** Counts in windows of time. */
export interface CounterStore {
  /** Counts `by` (1) more in the current window of this length, and resolves to the count. */
  increment(key: string, window: { lengthMs: number; atMs: number }, by?: number): Promise<number>
  /** Takes one back within the same window. */
  decrement(key: string, window: { lengthMs: number; atMs: number }): Promise<void>
}
