/** A request and its answer, freed of their platform: what every transport reads and writes. */

/** How one value of a form-encoded body is read; see `readForm` in `transport/body.ts`. */
export type FormFieldKind = 'text' | 'identifier' | 'integer'

/** How a body arrived; `none` when there was none. */
export type BodyEncoding = 'json' | 'form' | 'none'

/** What a handler may know of a call beside its input. */
export interface CallFacts {
  requestId: string
  /** The peer's address as written by the platform; `undefined` when it did not say. */
  readonly clientIp: string | undefined
  idempotencyKey: string | undefined
  /** The secret of a bound session, from the `x-session-proof` header, which the platform does not log. */
  proof: string | undefined
  /** Milliseconds left before the platform ends this invocation. */
  remainingMs: () => number
}

/** A request, freed of its platform. */
export interface Call extends CallFacts {
  method: string
  path: string
  /** Query parameters; one that is repeated or has no value is not a string. */
  query: Record<string, unknown>
  /** Parses the body on demand. @throws {Problem} 400, 413 or 415 */
  readBody(formKinds?: Record<string, FormFieldKind>): { value: unknown; encoding: BodyEncoding }
  /** The text after `JWT ` or `Bearer ` in the authorization header. */
  token: string | undefined
  /** Set by a transport whose platform vouches for the caller; no token is needed then. */
  platformCaller?: { openid: string; appid: string }
}

/** What deserves a log line of its own. */
export type NotableEvent =
  /** Somebody proved a number that was somebody else's. */
  | 'number-taken-over'
  /** Somebody is forgotten, and not everything of them was removed yet. */
  | 'forgetting-unfinished'

/** What a call came to, before a transport writes it. */
export interface Outcome {
  status: number
  /** Sent as JSON; left out for 204. */
  body?: unknown
  /** What happened beside it that an operator should know; each is a log line of its own. */
  events?: readonly NotableEvent[]
  /** Lets shared caches and clients keep the answer; else nothing is stored anywhere. */
  cache?: { maxAgeSeconds: number; etag: string }
}
