/**
 * The function as the platform calls it: read the event, run, log one line, reply. Never throws:
 * what the platform makes of a thrown error is not defined for a function URL.
 * https://cloud.tencent.com/document/product/583/67790 (handler, context)
 */

import { randomUUID } from 'node:crypto'
import {
  allowedOriginsFrom,
  beginInvocation,
  ConfigurationError,
  compose,
  type Environment,
  type Parts,
  systemClock,
} from '../compose.ts'
import { type AnyEndpoint, type Authority, findEndpoint, run } from '../endpoint.ts'
import { createLogger } from '../log.ts'
import type { Logger } from '../ports.ts'
import { Problem } from '../problem.ts'
import { DbError } from '../store/db.ts'
import { compressReply } from './compress.ts'
import {
  type HttpEvent,
  type HttpReply,
  headerReader,
  isHttpEvent,
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
}

export type MainHandler = (event: unknown, context?: InvocationContext) => Promise<HttpReply>

export interface FunctionDeclaration<Needs extends Authority> {
  functionName: string
  /** What the endpoints need; each part reads its own variables. */
  parts: Parts<Needs>
  endpoints: readonly AnyEndpoint<NoInfer<Needs>>[]
  env?: Environment
  log?: Logger
}

const DATABASE_RETRY_AFTER_SECONDS = 2

/** A function's handler, and the same function as a server; see `web-program.ts`. */
export type ServedFunction = MainHandler & { runWeb(): Promise<void> }

/** Makes a function's handler. A wrong configuration answers every request with one 500 problem. */
export function serve<Needs extends Authority>(
  declaration: FunctionDeclaration<Needs>,
): ServedFunction {
  const { functionName, env = process.env } = declaration
  const log = declaration.log ?? createLogger({ functionName, now: systemClock.now })
  const runWeb = async (): Promise<void> => {
    // An event function never evaluates the server.
    const { runWeb, webDefaults } = await import('./web-program.ts')
    const webEnv = { ...webDefaults, ...env }
    await runWeb(createHandler({ ...declaration, env: webEnv, log }, 'web'), { env, log })
  }
  return Object.assign(createHandler({ ...declaration, env, log }, 'http'), { runWeb })
}

function createHandler<Needs extends Authority>(
  { endpoints, parts, env, log }: FunctionDeclaration<Needs> & { env: Environment; log: Logger },
  transport: 'http' | 'web',
): MainHandler {
  const started = attempt(() => ({
    needs: compose(parts, env),
    allowedOrigins: allowedOriginsFrom(env),
    compresses: compressFrom(env),
  }))
  let isColdStart = true

  const answer: MainHandler = async (event, context = {}) => {
    const startedAt = performance.now()
    context.callbackWaitsForEmptyEventLoop = false
    const requestId = readRequestId(context)
    const line = { event: 'request', requestId, transport, coldStart: isColdStart }
    isColdStart = false
    const finish = (
      level: 'info' | 'warn' | 'error',
      facts: { status: number; code?: string; route?: string; cause?: unknown },
    ): void => {
      const variables =
        facts.cause instanceof ConfigurationError ? facts.cause.variables : undefined
      const durationMs = Math.round(performance.now() - startedAt)
      log.write({ ...line, ...facts, level, durationMs, variables })
    }

    let route: string | undefined
    const httpEvent: HttpEvent = isHttpEvent(event) ? event : { httpMethod: '' }
    const options = {
      requestId,
      allowedOrigins: 'value' in started ? started.value.allowedOrigins : [],
    }
    try {
      if (!isHttpEvent(event)) throw new Problem('not-found')
      if ('error' in started) throw started.error
      const call = readHttpEvent(event, {
        requestId,
        remainingMs: remainingTime(context, startedAt),
      })
      beginInvocation(call.remainingMs())
      if (call.method === 'OPTIONS') {
        finish('info', { status: 204 })
        return writeOptions(event, methodsAt(endpoints, call.path), options)
      }
      const found = findEndpoint(endpoints, call)
      route = found.endpoint.route
      const outcome = await run(found, call, started.value.needs)
      finish('info', { status: outcome.status, route })
      return writeOutcome(event, outcome, options)
    } catch (error) {
      const problem = toProblem(error)
      const level = problem.status >= 500 ? 'error' : 'info'
      finish(level, {
        status: problem.status,
        code: problem.code,
        ...(route === undefined ? {} : { route }),
        cause: problem.details.cause,
      })
      return writeProblem(httpEvent, problem, options)
    }
  }
  if (!('value' in started && started.value.compresses)) return answer
  return async (event, context) => {
    const header = headerReader(isHttpEvent(event) ? event.headers : {})
    return compressReply(await answer(event, context), header('accept-encoding'))
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
  return () => limitMs - (performance.now() - startedAt)
}

/** Whether event functions compress: `COMPRESS` is `1`, or `0` or nothing. */
function compressFrom({ COMPRESS: choice }: Environment): boolean {
  if (!choice || choice === '0') return false
  if (choice === '1') return true
  throw new ConfigurationError(['COMPRESS should be 1 or 0'])
}

function attempt<T>(make: () => T): { value: T } | { error: unknown } {
  try {
    return { value: make() }
  } catch (error) {
    return { error }
  }
}
