/**
 * `wx.cloud.callFunction` ⇄ Call and Outcome. The client's `data` is the event:
 * `{ route: 'POST /score', body?, query?, idempotencyKey? }`; the reply is `{ status, body? }`.
 * https://developers.weixin.qq.com/miniprogram/dev/wxcloud/reference-sdk-api/functions/Cloud.callFunction.html
 *
 * Who calls is taken from what the platform wrote: the invocation's context, or its environment. The event, with
 * whatever `userInfo` it carries, was written by the caller.
 */

import type { Call, Outcome } from '../call.ts'
import type { Problem } from '../problem.ts'
import { checkValue } from './body.ts'

/** What the platform says of the client that called. */
export interface PlatformCaller {
  openid: string
  appid: string
}

/** What `wx.cloud.callFunction` resolves to, as `result`. */
export interface FunctionCallReply {
  status: number
  body?: unknown
}

const IDENTIFIER = /^[A-Za-z0-9_-]{4,64}$/

/**
 * The caller by this invocation's context, which the platform writes anew for every call.
 * https://docs.cloudbase.net/api-reference/server/node-sdk/env
 */
export function callerFromContext(context: { environment?: unknown }): PlatformCaller | undefined {
  if (typeof context.environment !== 'string') return undefined
  try {
    return readCaller(JSON.parse(context.environment))
  } catch {
    return undefined
  }
}

/**
 * The caller by the process environment, where wx-server-sdk looks: only names that WX_CONTEXT_KEYS lists are of
 * this call. Never asked for an HTTP event: the variables of an earlier call may still be there.
 */
export function callerFromEnvironment(
  env: Record<string, string | undefined>,
): PlatformCaller | undefined {
  const keys = new Set((env.WX_CONTEXT_KEYS ?? '').split(','))
  return keys.has('WX_OPENID') && keys.has('WX_APPID') ? readCaller(env) : undefined
}

function readCaller(values: unknown): PlatformCaller | undefined {
  if (typeof values !== 'object' || values === null) return undefined
  const { WX_OPENID: openid, WX_APPID: appid } = values as Record<string, unknown>
  if (typeof openid !== 'string' || typeof appid !== 'string') return undefined
  return IDENTIFIER.test(openid) && IDENTIFIER.test(appid) ? { openid, appid } : undefined
}

/** Turns a function call into a call. Never throws: its data is only checked when an endpoint asks. */
export function readFunctionCall(
  event: unknown,
  platformCaller: PlatformCaller,
  context: { requestId: string; remainingMs: () => number },
): Call {
  const { route, body, query, idempotencyKey } = asRecord(event)
  const [method = '', path = ''] = typeof route === 'string' ? route.slice(0, 200).split(' ') : []
  return {
    method,
    path,
    query: Object.fromEntries(
      Object.entries(asRecord(query)).map(([name, value]) => [
        name,
        typeof value === 'number' ? String(value) : value,
      ]),
    ),
    readBody: () => ({ value: checkValue(body ?? {}), encoding: 'json' }),
    token: undefined,
    proof: undefined,
    idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
    clientAddress: () => ({ ip: undefined, isForwarded: false }),
    platformCaller,
    ...context,
  }
}

/** The reply to a call that has an outcome. */
export function writeFunctionOutcome({ status, body }: Outcome): FunctionCallReply {
  return body === undefined ? { status } : { status, body }
}

/** The reply to a call that failed. */
export function writeFunctionProblem(problem: Problem, requestId: string): FunctionCallReply {
  return { status: problem.status, body: problem.toBody(requestId) }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
