/**
 * What an endpoint is, and how a call becomes an outcome: find it, see who calls, check the
 * input, handle, check the output. Knows no platform and does no I/O of its own.
 */

import * as v from 'valibot'
import { allowListOf } from './allow-list.ts'
import { type Authority, findCaller, limit, nobody, verifyToken } from './authority.ts'
import type { Call, CallFacts, FormFieldKind, Outcome } from './call.ts'
import type { Caller, SecurityLog, UncheckedSession } from './ports.ts'
import { Problem } from './problem.ts'

/** What a handler is given. */
export interface Handling<Input, Needs> {
  /** What the endpoint's schema made of the body or the query. */
  input: Input
  needs: Needs
  caller: Caller
  facts: CallFacts
  security: SecurityLog
  /** See `looksAtSession`; then of the caller nothing is known but the ids. */
  session?: UncheckedSession | undefined
}

/** An endpoint as data. `route` is `METHOD /path`, a `{name}` segment becomes an input member. */
export interface Endpoint<Needs, Input = unknown, Output = unknown> {
  route: `${'GET' | 'POST' | 'DELETE'} /${string}`
  auth: 'none' | 'required'
  /** Where it says so nobody looks at the session of a token before: the handler's own statement does, in the same round trip. */
  looksAtSession?: (needs: Needs) => boolean
  /** For endpoints that cost nothing: no limit of requests. */
  isUnlimited?: boolean
  /** DELETE reads a body where it says so: what must not stand in a URL. */
  readsBody?: true
  /** Schema of the body (POST, `readsBody`) or of the query (GET, DELETE) plus path parameters. */
  input: v.GenericSchema<unknown, Input>
  /** Present when a form-encoded body is accepted as well. */
  formKinds?: Record<string, FormFieldKind>
  /** An allow-list: members it does not name are not sent. */
  output: v.GenericSchema<unknown, Output>
  handle: (handling: Handling<Input, Needs>) => Promise<Handled<Output>>
}

/** A handler's answer: the output, and what deviates from `200` with that output as JSON. */
export interface Handled<Output> {
  status?: 200 | 201 | 204
  output: Output
  /** Sent in place of the output to a caller that used a form. */
  formOutput?: string
  cache?: Outcome['cache']
}

/** An endpoint whose input and output types are no longer visible; what a function lists. */
export interface AnyEndpoint<Needs> extends Omit<Endpoint<Needs>, 'handle' | 'looksAtSession'> {
  looksAtSession?: (needs: Needs) => boolean
  handle: (handling: Handling<never, Needs>) => Promise<Handled<unknown>>
}

/**
 * Declares an endpoint whose handler needs `Needs`: `defineEndpoint<Needs>()({ … })`. In two calls, because
 * TypeScript lets one name all type arguments of a call or none, and the others follow from the schemas.
 */
export function defineEndpoint<Needs>() {
  return <Input, Output>(
    endpoint: Endpoint<Needs, Input, Output>,
  ): Endpoint<Needs, Input, Output> => endpoint
}

/** An endpoint, and the parameters of the path it was found by. */
export interface FoundEndpoint<Needs> {
  endpoint: AnyEndpoint<Needs>
  parameters: Record<string, string>
}

/** The endpoint for a call. @throws {Problem} 404, or 405 with the methods there are */
export function findEndpoint<Needs>(
  endpoints: readonly AnyEndpoint<Needs>[],
  { method, path }: Pick<Call, 'method' | 'path'>,
): FoundEndpoint<Needs> {
  const found = endpointsAt(endpoints, path)
  const match = found.find(({ endpoint }) => methodOf(endpoint) === method)
  if (match) return match
  throw new Problem('method-not-allowed', {
    allow: found.map(({ endpoint }) => methodOf(endpoint)),
  })
}

/** The methods that a path offers. @throws {Problem} 404 when it offers none */
export function methodsAt(endpoints: readonly AnyEndpoint<never>[], path: string): string[] {
  return endpointsAt(endpoints, path).map(({ endpoint }) => methodOf(endpoint))
}

function endpointsAt<Needs>(
  endpoints: readonly AnyEndpoint<Needs>[],
  path: string,
): FoundEndpoint<Needs>[] {
  const found = endpoints.flatMap((endpoint) => {
    const parameters = matchPath(endpoint.route.slice(endpoint.route.indexOf(' ') + 1), path)
    return parameters ? { endpoint, parameters } : []
  })
  if (found.length === 0) throw new Problem('not-found')
  return found
}

function methodOf({ route }: Pick<AnyEndpoint<never>, 'route'>): string {
  return route.slice(0, route.indexOf(' '))
}

/**
 * Runs one call to its outcome. What costs nothing comes first: the database is not touched before the
 * token's signature and the input were accepted. @throws {Problem} for every failure that has a defined answer
 */
export async function run<Needs extends Authority>(
  { endpoint, parameters }: FoundEndpoint<Needs>,
  call: Call,
  needs: Needs,
  security: SecurityLog,
): Promise<Outcome> {
  const claims = endpoint.auth === 'required' ? await verifyToken(call, needs, security) : undefined
  if (claims) security.identify(claims.userId)
  const { value, encoding } =
    endpoint.readsBody || endpoint.route.startsWith('POST ')
      ? call.readBody(endpoint.formKinds)
      : { value: call.query, encoding: 'none' as const }
  const input = parseInput(endpoint.input, withParameters(value, parameters))
  await limit(endpoint, claims, call, needs)
  const session =
    claims && endpoint.looksAtSession?.(needs)
      ? needs.sessions.unchecked(claims, call.proof)
      : undefined
  const caller =
    endpoint.auth === 'none'
      ? nobody
      : session
        ? { ...nobody, userId: session.userId, sessionId: session.sessionId }
        : await findCaller(claims, call, needs)
  if (!claims && caller !== nobody) security.identify(caller.userId)
  // The call holds more than handlers may know; its type keeps the rest from them.
  const handling = { input: input as never, needs, caller, facts: call, security, session }
  const handled = await endpoint.handle(handling)
  const { status = 200 } = handled
  if (status === 204) return { status }
  const body =
    encoding === 'form' && handled.formOutput !== undefined
      ? handled.formOutput
      : allowListOf(endpoint.output)(handled.output)
  return handled.cache ? { status, body, cache: handled.cache } : { status, body }
}

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
  throw new Problem('invalid-field', describeIssue(parsed.issues[0], schema))
}

/** A field name safe to repeat: ours look like this, and a phone number does not. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/

function describeIssue(
  issue: v.BaseIssue<unknown>,
  schema: v.GenericSchema & { entries?: Record<string, v.GenericSchema> },
): { field?: string; message: string } {
  const key = issue.path?.map((item) => String(item.key)).join('.') ?? ''
  const field = FIELD_NAME.test(key) ? { field: key } : {}
  if (issue.type !== 'strict_object') return { ...field, message: issue.message }
  // What is missing has no issue of its own: the field's schema knows what people call it.
  const missing = issue.expected === 'never' ? undefined : schema.entries?.[key]
  const own = missing && v.safeParse(missing, undefined).issues?.[0]
  if (own) return { ...field, message: own.message }
  return { ...field, message: `不接受的字段${field.field === undefined ? '' : ` ${key}`}` }
}
