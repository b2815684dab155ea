/**
 * An invocation as the platform makes it: its context, which the platform writes, unlike the event.
 * https://cloud.tencent.com/document/product/583/67790 (handler, context)
 */

import { randomUUID } from 'node:crypto'
import type { AfterAnswer } from '../ports.ts'
import { steadyMs } from '../wiring/clock.ts'
import type { HttpReply } from './http-event.ts'

/** The platform's context, as far as it is used. */
export interface InvocationContext {
  callbackWaitsForEmptyEventLoop?: boolean
  request_id?: unknown
  time_limit_in_ms?: unknown
  getRemainingTimeInMillis?: unknown
  /**
   * Set by our own server alone. An event function has none: the platform stops an instance as soon as it has answered, and
   * goes on with what was left, a statement halfway perhaps, whenever the next event comes. There such work is done first.
   */
  afterAnswer?: AfterAnswer
  /** JSON, with the caller of a function call in it. */
  environment?: unknown
}

/** A handler of HTTP events. */
export type MainHandler = (event: unknown, context?: InvocationContext) => Promise<HttpReply>

/** The platform's id of the request; one of our own where it gives none that could be logged and answered. */
export function readRequestId({ request_id: requestId }: InvocationContext): string {
  const isUsable = typeof requestId === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(requestId)
  return isUsable ? requestId : randomUUID()
}

/** Default of the deployment, for hosts that say nothing. */
const TIMEOUT_DEFAULT_MS = 10_000

/** Milliseconds left of an invocation that began at `startedAt` of the steady clock. */
export function remainingTime(context: InvocationContext, startedAt: number): () => number {
  const { time_limit_in_ms: limit, getRemainingTimeInMillis: remaining } = context
  if (typeof remaining === 'function') return () => Number(remaining.call(context))
  const limitMs = typeof limit === 'number' && limit > 0 ? limit : TIMEOUT_DEFAULT_MS
  return () => limitMs - (steadyMs() - startedAt)
}
