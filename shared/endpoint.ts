/**
 * What an endpoint is, and how a call becomes an outcome: find it, see who calls, check the
 * input, handle, check the output. Knows no platform and does no I/O of its own.
 */

import * as v from 'valibot'
import type {
  AccessClaims,
  Caller,
  Limiter,
  LivingSession,
  Lookup,
  PlatformSessions,
  Sessions,
  Tokens,
} from './ports.ts'
import { Problem } from './problem.ts'

/** How one value of a form-encoded body is read; see `readForm`. */
export type FormFieldKind = 'text' | 'identifier' | 'integer'

/** A request, freed of its platform. */
export interface Call {
  method: string
  path: string
  /** Query parameters; one that is repeated or has no value is not a string. */
  query: Record<string, unknown>
  /** Parses the body on demand. @throws {Problem} 400, 413 or 415 */
  readBody(formKinds?: Record<string, FormFieldKind>): { value: unknown; encoding: BodyEncoding }
  /** The text after `JWT ` or `Bearer ` in the authorization header. */
  token: string | undefined
  /** The secret of a bound session, from the `x-session-proof` header, which the platform does not log. */
  proof: string | undefined
  idempotencyKey: string | undefined
  /** Set by a transport whose platform vouches for the caller; no token is needed then. */
  platformCaller?: { openid: string; appid: string }
  /** The peer's address as written by the platform; `undefined` when it did not say. */
  clientIp: string | undefined
  requestId: string
  /** Milliseconds left before the platform ends this invocation. */
  remainingMs: () => number
}

/** How a body arrived; `none` when there was none. */
export type BodyEncoding = 'json' | 'form' | 'none'

/** What a handler may know of the call beside its input. */
export interface CallFacts {
  requestId: string
  clientIp: string | undefined
  encoding: BodyEncoding
  idempotencyKey: string | undefined
  proof: string | undefined
  remainingMs: () => number
}

/** What a call came to, before a transport writes it. */
export interface Outcome {
  status: number
  /** Sent as JSON; left out for 204. */
  body?: unknown
  /** Lets shared caches and clients keep the answer; else nothing is stored anywhere. */
  cache?: { maxAgeSeconds: number; etag: string }
}

/** An endpoint as data. `route` is `METHOD /path`, a `{name}` segment becomes an input member. */
export interface Endpoint<Needs, Input = unknown, Output = unknown> {
  route: `${'GET' | 'POST' | 'DELETE'} /${string}`
  auth: 'none' | 'required'
  /** For endpoints that cost nothing: no limit of requests. */
  isUnlimited?: boolean
  /** Schema of the body (POST) or of the query (GET, DELETE) plus path parameters. */
  input: v.GenericSchema<unknown, Input>
  /** Present when a form-encoded body is accepted as well. */
  formKinds?: Record<string, FormFieldKind>
  /** An allow-list: members it does not name are not sent. */
  output: v.GenericSchema<unknown, Output>
  handle(input: Input, needs: Needs, caller: Caller, facts: CallFacts): Promise<Handled<Output>>
}

/** A handler's answer: the output, and what deviates from `200` with that output as JSON. */
export interface Handled<Output> {
  status?: 200 | 201 | 204
  output: Output
  /** Sent in place of the output to a caller that used a form. */
  formOutput?: string
  cache?: Outcome['cache']
}

/** What `run` itself needs to tell who calls. */
export interface Authority {
  tokens: Pick<Tokens, 'verify'>
  sessions: Pick<Sessions, 'check'>
  /** User ids and openids of operators. */
  operators: ReadonlySet<string>
  limiter: Limiter
  /** For callers the platform vouches for. */
  platformSessions: PlatformSessions
  /** Where it matters who holds a number. */
  lookup?: Lookup
}

/** An endpoint whose input and output types are no longer visible; what a function lists. */
export interface AnyEndpoint<Needs> extends Omit<Endpoint<Needs>, 'handle'> {
  handle(input: never, needs: Needs, caller: Caller, facts: CallFacts): Promise<Handled<unknown>>
}

/** Declares an endpoint; exists for its type inference. */
export function defineEndpoint<Needs, Input, Output>(
  endpoint: Endpoint<Needs, Input, Output>,
): Endpoint<Needs, Input, Output> {
  return endpoint
}

/** The endpoint for a call, with its path parameters. @throws {Problem} 404, or 405 with the methods there are */
export function findEndpoint<Needs>(
  endpoints: readonly AnyEndpoint<Needs>[],
  call: Pick<Call, 'method' | 'path'>,
): { endpoint: AnyEndpoint<Needs>; parameters: Record<string, string> } {
  const allow: string[] = []
  for (const endpoint of endpoints) {
    const [method = '', pattern = ''] = endpoint.route.split(' ')
    const parameters = matchPath(pattern, call.path)
    if (!parameters) continue
    if (method === call.method) return { endpoint, parameters }
    allow.push(method)
  }
  if (allow.length > 0) throw new Problem('method-not-allowed', { allow })
  throw new Problem('not-found')
}

/**
 * Runs one call to its outcome. What costs nothing comes first: the database is not touched before the
 * token's signature and the input were accepted. @throws {Problem} for every failure that has a defined answer
 */
export async function run<Needs extends Authority>(
  { endpoint, parameters }: { endpoint: AnyEndpoint<Needs>; parameters: Record<string, string> },
  call: Call,
  needs: Needs,
): Promise<Outcome> {
  const claims = endpoint.auth === 'required' ? await verifyToken(call, needs) : undefined
  const { value, encoding } = endpoint.route.startsWith('POST ')
    ? call.readBody(endpoint.formKinds)
    : { value: call.query, encoding: 'none' as const }
  const input = parseInput(endpoint.input, withParameters(value, parameters))
  await limit(endpoint, claims, call, needs)
  const caller = endpoint.auth === 'required' ? await findCaller(claims, call, needs) : nobody
  const { requestId, idempotencyKey, proof, remainingMs } = call
  const facts: CallFacts = {
    requestId,
    get clientIp() {
      return call.clientIp
    },
    encoding,
    idempotencyKey,
    proof,
    remainingMs,
  }
  const handled = await endpoint.handle(input as never, needs, caller, facts)
  const status = handled.status ?? 200
  if (status === 204) return { status }
  const body =
    encoding === 'form' && handled.formOutput !== undefined
      ? handled.formOutput
      : v.parse(endpoint.output, handled.output)
  return { status, body, ...(handled.cache ? { cache: handled.cache } : {}) }
}

/** Handlers of open endpoints are given this; none of its ids exists. */
const nobody: Caller = {
  userId: '',
  sessionId: '',
  openid: '',
  isOperator: false,
  holds: () => false,
}

/** `undefined` for a caller whom the platform vouches for. */
async function verifyToken(
  { token, platformCaller }: Call,
  { tokens }: Authority,
): Promise<AccessClaims | undefined> {
  if (platformCaller) return undefined
  const claims = token === undefined ? undefined : await tokens.verify(token)
  if (!claims) throw new Problem('unauthenticated')
  return claims
}

/** People are limited by who they are, everybody else by where they call from, if the platform tells. */
async function limit(
  { route, isUnlimited = false }: Pick<AnyEndpoint<never>, 'route' | 'isUnlimited'>,
  claims: AccessClaims | undefined,
  call: Call,
  { limiter }: Authority,
): Promise<void> {
  if (isUnlimited) return
  const userId = claims?.userId ?? call.platformCaller?.openid
  if (userId !== undefined) return limiter.admit({ kind: 'user', id: userId, route })
  const { clientIp } = call
  if (clientIp !== undefined) await limiter.admit({ kind: 'address', id: clientIp, route })
}

async function findCaller(
  claims: AccessClaims | undefined,
  call: Call,
  needs: Authority,
): Promise<Caller> {
  const { operators, lookup } = needs
  const session = await findSession(claims, call, needs)
  if (!session) throw new Problem('unauthenticated')
  const { userId, sessionId, openid, phoneDigest } = session
  return {
    userId,
    sessionId,
    openid,
    isOperator: operators.has(userId) || operators.has(openid),
    holds: (acc_nbr) =>
      lookup !== undefined &&
      phoneDigest !== null &&
      Buffer.compare(lookup.digest(PHONE_DIGEST_PURPOSE, acc_nbr), phoneDigest) === 0,
  }
}

function findSession(
  claims: AccessClaims | undefined,
  { proof, platformCaller }: Call,
  { sessions, platformSessions }: Authority,
): Promise<LivingSession | undefined> {
  if (claims) return sessions.check(claims, proof)
  return platformCaller ? platformSessions.enter(platformCaller) : Promise.resolve(undefined)
}

/** What phone numbers are digested for; the same where one is bound and where one is read. */
export const PHONE_DIGEST_PURPOSE = 'phone'

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/', wanted.length + 1)
  if (wanted.length !== given.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? ''
    if (segment.startsWith('{')) parameters[segment.slice(1, -1)] = value
    else if (segment !== value) return undefined
  }
  return parameters
}

function withParameters(value: unknown, parameters: Record<string, string>): unknown {
  if (Object.keys(parameters).length === 0) return value
  return { ...(value as object), ...parameters }
}

function parseInput<Input>(schema: v.GenericSchema<unknown, Input>, value: unknown): Input {
  // valibot's objects take arrays as well.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('invalid-field', { message: '请求内容应为 JSON 对象' })
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true })
  if (parsed.success) return parsed.output
  throw new Problem('invalid-field', describeIssue(parsed.issues[0]))
}

/** A field name safe to repeat: ours look like this, and a phone number does not. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/

function describeIssue(issue: v.BaseIssue<unknown>): { field?: string; message: string } {
  const key = issue.path?.map((item) => String(item.key)).join('.') ?? ''
  const field = FIELD_NAME.test(key) ? { field: key } : {}
  if (issue.type !== 'strict_object') return { ...field, message: issue.message }
  const isUnknown = issue.expected === 'never'
  const name = field.field === undefined ? '' : ` ${key}`
  return { ...field, message: isUnknown ? `不接受的字段${name}` : `缺少字段${name}` }
}
