/**
 * The function as the platform calls it: read the event, run, log one line, reply. Never throws:
 * what the platform makes of a thrown error is not defined for a function URL.
 * https://cloud.tencent.com/document/product/583/67790 (handler, context)
 */

import { randomUUID } from 'node:crypto'
import {
  type AnyEndpoint,
  type Authority,
  type Call,
  findEndpoint,
  type Outcome,
  run,
} from '../endpoint.ts'
import { createLogger } from '../log.ts'
import type { Logger } from '../ports.ts'
import { Problem } from '../problem.ts'
import { DbError } from '../store/db.ts'
import { machine, steadyMs } from '../wiring/clock.ts'
import { allowedOriginsFrom, compose, compressFrom, type Parts } from '../wiring/compose.ts'
import { ConfigurationError, type Environment } from '../wiring/configuration.ts'
import {
  callerFromContext,
  callerFromEnvironment,
  type FunctionCallReply,
  type PlatformCaller,
  readFunctionCall,
  writeFunctionOutcome,
  writeFunctionProblem,
} from './call-function.ts'
import { compressReply } from './compress.ts'
import {
  type HttpEvent,
  type HttpReply,
  headerReader,
  isHttpEvent,
  type ReplyOptions,
  readHttpEvent,
  writeOptions,
  writeOutcome,
  writeProblem,
} from './http-event.ts'

/** The platform's context, as far as it is used. Written by the platform, unlike the event. */
export interface InvocationContext {
  callbackWaitsForEmptyEventLoop?: boolean
  request_id?: unknown
  time_limit_in_ms?: unknown
  getRemainingTimeInMillis?: unknown
  /** JSON, with the caller of a function call in it. */
  environment?: unknown
}

/** A handler of HTTP events. */
export type MainHandler = (event: unknown, context?: InvocationContext) => Promise<HttpReply>

/** A function as data: its name, what it needs, what it answers. */
export interface FunctionDeclaration<Needs extends Authority> {
  functionName: string
  /** What the endpoints need; each part reads its own variables. */
  parts: Parts<Needs>
  endpoints: readonly AnyEndpoint<NoInfer<Needs>>[]
  env?: Environment
  log?: Logger
}

const DATABASE_RETRY_AFTER_SECONDS = 2

/** A function's handler for every transport, HTTP alone, and the same as a server (`web-program.ts`). */
export type ServedFunction = ((
  event: unknown,
  context?: InvocationContext,
) => Promise<HttpReply | FunctionCallReply>) & { http: MainHandler; runWeb(): Promise<void> }

/** Makes a function's handler. A wrong configuration answers every request with one 500 problem. */
export function serve<Needs extends Authority>(
  declaration: FunctionDeclaration<Needs>,
): ServedFunction {
  const { functionName, env = process.env } = declaration
  const log = declaration.log ?? createLogger({ functionName, now: machine.now })
  const runWeb = async (): Promise<void> => {
    // An event function never evaluates the server.
    const { runWeb, webDefaults } = await import('./server/web-program.ts')
    const webEnv = { ...webDefaults, ...env }
    const answer = createAnswer({ ...declaration, env: webEnv, log })
    await runWeb(httpHandler(answer, 'web', webEnv), { env, log })
  }
  const answer = createAnswer({ ...declaration, env, log })
  const http = httpHandler(answer, 'http', env)
  const handler = (
    event: unknown,
    context: InvocationContext = {},
  ): Promise<HttpReply | FunctionCallReply> => {
    const caller = platformCallerOf(event, context, env)
    return caller ? answer(context, functionCallTransport(event, caller)) : http(event, context)
  }
  return Object.assign(handler, { http, runWeb })
}

/**
 * A function call is known by what the platform wrote. Something that looks like an HTTP event is one, unless this
 * very invocation's context names a caller: then a client put the fields of an event into its data.
 */
function platformCallerOf(
  event: unknown,
  context: InvocationContext,
  env: Environment,
): PlatformCaller | undefined {
  return callerFromContext(context) ?? (isHttpEvent(event) ? undefined : callerFromEnvironment(env))
}

/** One way in and out: how an event becomes a call, and what the platform wants back. */
interface Transport<Reply> {
  name: 'http' | 'web' | 'call-function'
  /** `undefined` for an event that is none of this transport's. */
  read(facts: { requestId: string; remainingMs: () => number }): Call | undefined
  writeOutcome(outcome: Outcome, options: ReplyOptions): Reply
  writeProblem(problem: Problem, options: ReplyOptions): Reply
  /** Where OPTIONS means something: its reply for the methods there are. */
  writeOptions?(methods: readonly string[], options: ReplyOptions): Reply
}

function httpTransport(event: unknown, name: 'http' | 'web'): Transport<HttpReply> {
  const httpEvent: HttpEvent = isHttpEvent(event) ? event : { httpMethod: '' }
  return {
    name,
    read: (facts) => (isHttpEvent(event) ? readHttpEvent(event, facts) : undefined),
    writeOutcome: (outcome, options) => writeOutcome(httpEvent, outcome, options),
    writeProblem: (problem, options) => writeProblem(httpEvent, problem, options),
    writeOptions: (methods, options) => writeOptions(httpEvent, methods, options),
  }
}

function functionCallTransport(
  event: unknown,
  caller: PlatformCaller,
): Transport<FunctionCallReply> {
  return {
    name: 'call-function',
    read: (facts) => readFunctionCall(event, caller, facts),
    writeOutcome: writeFunctionOutcome,
    writeProblem: (problem, { requestId }) => writeFunctionProblem(problem, requestId),
  }
}

function httpHandler(answer: Answer, name: 'http' | 'web', env: Environment): MainHandler {
  const plain: MainHandler = (event, context = {}) => answer(context, httpTransport(event, name))
  // A wrong value is answered like every other wrong configuration, uncompressed.
  const compresses = attempt(() => compressFrom(env))
  if (!('value' in compresses && compresses.value)) return plain
  return async (event, context) => {
    const header = headerReader(isHttpEvent(event) ? event.headers : {})
    return compressReply(await plain(event, context), header('accept-encoding'))
  }
}

type Answer = <Reply>(context: InvocationContext, transport: Transport<Reply>) => Promise<Reply>

function createAnswer<Needs extends Authority>({
  endpoints,
  parts,
  env,
  log,
}: FunctionDeclaration<Needs> & { env: Environment; log: Logger }): Answer {
  const started = attempt(() => ({
    needsOf: compose(parts, env),
    allowedOrigins: allowedOriginsFrom(env),
    compresses: compressFrom(env),
  }))
  let isColdStart = true

  return async (context, transport) => {
    const startedAt = steadyMs()
    context.callbackWaitsForEmptyEventLoop = false
    const requestId = readRequestId(context)
    const line = { event: 'request', requestId, transport: transport.name, coldStart: isColdStart }
    isColdStart = false
    const finish = (
      level: 'info' | 'warn' | 'error',
      facts: { status: number; code?: string; route?: string; cause?: unknown },
    ): void => {
      const variables =
        facts.cause instanceof ConfigurationError ? facts.cause.variables : undefined
      const durationMs = Math.round(steadyMs() - startedAt)
      log.write({ ...line, ...facts, level, durationMs, variables })
    }

    let route: string | undefined
    const allowedOrigins = 'value' in started ? started.value.allowedOrigins : []
    const options = { requestId, allowedOrigins }
    try {
      const remainingMs = remainingTime(context, startedAt)
      const call = transport.read({ requestId, remainingMs })
      if (!call) throw new Problem('not-found')
      if ('error' in started) throw started.error
      if (call.method === 'OPTIONS' && transport.writeOptions) {
        finish('info', { status: 204 })
        return transport.writeOptions(methodsAt(endpoints, call.path), options)
      }
      const found = findEndpoint(endpoints, call)
      route = found.endpoint.route
      const outcome = await run(found, call, started.value.needsOf(remainingMs))
      finish('info', { status: outcome.status, route })
      return transport.writeOutcome(outcome, options)
    } catch (error) {
      const problem = toProblem(error)
      const level = problem.status >= 500 ? 'error' : 'info'
      finish(level, {
        status: problem.status,
        code: problem.code,
        ...(route === undefined ? {} : { route }),
        cause: problem.details.cause,
      })
      return transport.writeProblem(problem, options)
    }
  }
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof ConfigurationError) return new Problem('misconfigured', { cause: error })
  if (error instanceof DbError) {
    return new Problem('store-unavailable', {
      cause: error,
      retryAfterSeconds: DATABASE_RETRY_AFTER_SECONDS,
    })
  }
  return new Problem('internal', { cause: error })
}

function methodsAt<Needs>(endpoints: readonly AnyEndpoint<Needs>[], path: string): string[] {
  try {
    findEndpoint(endpoints, { method: '', path })
  } catch (error) {
    if (error instanceof Problem && error.details.allow) return error.details.allow
    throw error
  }
  return []
}

function readRequestId({ request_id: requestId }: InvocationContext): string {
  const isUsable = typeof requestId === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(requestId)
  return isUsable ? requestId : randomUUID()
}

/** Default of the deployment, for hosts that say nothing. */
const TIMEOUT_DEFAULT_MS = 10_000

function remainingTime(context: InvocationContext, startedAt: number): () => number {
  const { time_limit_in_ms: limit, getRemainingTimeInMillis: remaining } = context
  if (typeof remaining === 'function') return () => Number(remaining.call(context))
  const limitMs = typeof limit === 'number' && limit > 0 ? limit : TIMEOUT_DEFAULT_MS
  return () => limitMs - (steadyMs() - startedAt)
}

function attempt<T>(make: () => T): { value: T } | { error: unknown } {
  try {
    return { value: make() }
  } catch (error) {
    return { error }
  }
}
