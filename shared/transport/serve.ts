/**
 * The function as the platform calls it: read the event, run, log one line, reply. Never throws, timers apart:
 * what the platform makes of a thrown error is not defined for a function URL.
 */

import type { Authority } from '../authority.ts'
import type { Call, Outcome } from '../call.ts'
import { type AnyEndpoint, findEndpoint, methodsAt, run } from '../endpoint.ts'
import { createLogger } from '../log.ts'
import type { AfterAnswer, LogEvent, Logger, Pseudonyms } from '../ports.ts'
import { Problem } from '../problem.ts'
import { DbError } from '../store/db.ts'
import { machine, steadyMs } from '../wiring/clock.ts'
import { compose, type Parts } from '../wiring/compose.ts'
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
import {
  type InvocationContext,
  type MainHandler,
  readRequestId,
  remainingTime,
} from './invocation.ts'
import { type CallSecurityLog, createSecurityLogs } from './security-log.ts'
import type { Watch } from './server/web-program.ts'
import { readTimerName, type Timers } from './timer-event.ts'

declare global {
  /** Set by the loader of a bundle that was compiled ahead (scripts/build/code-cache.ts). */
  var CODE_CACHE: string | undefined
  /** Put in its place by the build of a package, which leaves the server out of an event function. */
  var FUNCTION_TYPE: string | undefined
}

/** What every function needs: to tell who calls, and to answer. */
export interface EveryNeed extends Authority {
  /** For the log. */
  pseudonyms: Pseudonyms
  allowedOrigins: readonly string[]
  compresses: boolean
}

/** A function as data: its name, what it needs, what it answers. */
export interface FunctionDeclaration<Needs extends EveryNeed> {
  functionName: string
  /** What the endpoints need; each part names its own variables. */
  parts: Parts<Needs>
  endpoints: readonly AnyEndpoint<NoInfer<Needs>>[]
  /** Its timers in serverless.yml (`timersOf`); the event of any other is refused. */
  timers?: Timers<NoInfer<Needs>>
  env?: Environment
  log?: Logger
}

const DATABASE_RETRY_AFTER_SECONDS = 2

/** A function's handler for every transport, HTTP alone, and the same as a server (`web-program.ts`). */
export type ServedFunction<Needs> = ((
  event: unknown,
  context?: InvocationContext,
) => Promise<HttpReply | FunctionCallReply>) & {
  http: MainHandler
  /** `watchBy` is given the needs that the server's endpoints have. */
  runWeb(watchBy?: (needs: Needs) => Watch): Promise<void>
}

/**
 * Makes a function's handler. A wrong configuration answers every request with one 500 problem, and keeps a server from
 * starting.
 */
export function serve<Needs extends EveryNeed>(
  declaration: FunctionDeclaration<Needs>,
): ServedFunction<Needs> {
  const { functionName, endpoints, parts, timers, env = process.env } = declaration
  const log = declaration.log ?? createLogger({ functionName, now: machine.now })
  const started = attempt(() => {
    const needsOf = compose(parts, env)
    // Neither hangs on a call.
    const { allowedOrigins, compresses, pseudonyms } = needsOf(() => 0)
    const securityLogOf = createSecurityLogs({ log, pseudonyms, now: machine.now })
    return { needsOf, allowedOrigins, compresses, securityLogOf }
  })
  const answer = createAnswer({ started, endpoints, log })
  const compresses = 'value' in started && started.value.compresses

  const http: MainHandler = async (event, context = {}) => {
    const reply = await answer(context, httpTransport(event, 'http'))
    if (!compresses) return reply
    const header = headerReader(isHttpEvent(event) ? event.headers : {})
    return compressReply(reply, header('accept-encoding'))
  }
  const handler = (
    event: unknown,
    context: InvocationContext = {},
  ): Promise<HttpReply | FunctionCallReply> => {
    const caller = platformCallerOf(event, context, env)
    if (caller) return answer(context, functionCallTransport(event, caller))
    const timer = !isHttpEvent(event) && readTimerName(event)
    if (timer) {
      const call = { name: timer, context, started, toProblem, log }
      return timers?.(call) ?? Promise.reject(new Error('No timer'))
    }
    return http(
      isHttpEvent(event) && mayBeData(env) ? { ...event, requestContext: null } : event,
      context,
    )
  }
  const runWeb: ServedFunction<Needs>['runWeb'] = async (watchBy) => {
    // An event function never evaluates the server, and is packaged without it.
    if (globalThis.FUNCTION_TYPE !== 'event') {
      const { runWeb } = await import('./server/web-program.ts')
      // The server compresses by itself.
      const web: MainHandler = (event, context = {}) => answer(context, httpTransport(event, 'web'))
      if ('error' in started) await runWeb(web, { env, log, failure: started.error })
      else await runWeb(web, { env, log, watch: watchBy?.(started.value.needsOf(() => 0)) })
    }
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

/**
 * Whether what looks like an HTTP event may be the data of a function call: the platform named a caller in the
 * environment, of this call or of an earlier one. Then no address in it is the platform's word.
 */
function mayBeData(env: Environment): boolean {
  return env.WX_CONTEXT_KEYS !== undefined && callerFromEnvironment(env) !== undefined
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

type Answer = <Reply>(context: InvocationContext, transport: Transport<Reply>) => Promise<Reply>

function createAnswer<Needs extends EveryNeed>({
  started,
  endpoints,
  log,
}: {
  started: Attempt<{
    needsOf: (remainingMs: () => number, afterAnswer?: AfterAnswer) => Needs
    allowedOrigins: readonly string[]
    securityLogOf: ReturnType<typeof createSecurityLogs>
  }>
  endpoints: readonly AnyEndpoint<NoInfer<Needs>>[]
  log: Logger
}): Answer {
  let isColdStart = true

  return async (context, transport) => {
    const startedAt = steadyMs()
    context.callbackWaitsForEmptyEventLoop = false
    const requestId = readRequestId(context)
    const line: LogEvent = {
      event: 'request',
      level: 'info',
      requestId,
      route: undefined,
      transport: transport.name,
      status: undefined,
      code: undefined,
      durationMs: undefined,
      person: undefined,
      coldStart: isColdStart,
      codeCache: isColdStart ? globalThis.CODE_CACHE : undefined,
      variables: undefined,
      cause: undefined,
    }
    isColdStart = false
    let security: CallSecurityLog | undefined
    const finish = (status: number, problem?: Problem): void => {
      line.status = status
      line.durationMs = Math.round(steadyMs() - startedAt)
      if (problem) {
        const { code, details } = problem
        const { cause } = details
        if (code === 'too-many-requests') security?.note('limit-reached')
        if (status >= 500) line.level = 'error'
        line.code = code
        line.cause = cause
        if (globalThis.IS_LOCAL_RUN) line.local = { field: details.field, message: details.message }
        if (cause instanceof ConfigurationError) line.variables = cause.variables
      }
      line.person = security?.person
      log.write(line)
    }

    const allowedOrigins = 'value' in started ? started.value.allowedOrigins : []
    const options = { requestId, allowedOrigins }
    try {
      const remainingMs = remainingTime(context, startedAt)
      const call = transport.read({ requestId, remainingMs })
      if (!call) throw new Problem('not-found')
      if ('error' in started) throw started.error
      if (call.method === 'OPTIONS' && transport.writeOptions) {
        const reply = transport.writeOptions(methodsAt(endpoints, call.path), options)
        finish(204)
        return reply
      }
      const found = findEndpoint(endpoints, call)
      line.route = found.endpoint.route
      security = started.value.securityLogOf(() => line)
      const needs = started.value.needsOf(remainingMs, context.afterAnswer)
      const outcome = await run(found, call, needs, security)
      finish(outcome.status)
      return transport.writeOutcome(outcome, options)
    } catch (error) {
      const problem = toProblem(error)
      finish(problem.status, problem)
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

type Attempt<T> = { value: T } | { error: unknown }

function attempt<T>(make: () => T): Attempt<T> {
  try {
    return { value: make() }
  } catch (error) {
    return { error }
  }
}
