/** How requests travel: by `wx.request`, by `fetch`, or by `wx.cloud.callFunction`. Each sends once and judges nothing. */

import { networkError } from './client-error.ts'
import { attempt, type CloudLike, type FetchLike, ignorePromise, type WxLike } from './platform.ts'

/** The deployed functions, as serverless.yml names them. */
export type FunctionName = 'login' | 'submit-score' | 'query-scores'

/** `POST /score`; what follows the method is an address's path. */
export type Route = `${'GET' | 'POST' | 'DELETE'} /${string}`

/** A request on its way. */
export interface Request {
  route: Route
  /** Members without a value are left out. */
  query?: Record<string, string | number | null | undefined> | undefined
  body?: object | undefined
  /** Lower-case names. */
  headers: Record<string, string>
}

/** What came back, whatever its status; the body is text where it still has to be parsed. */
export type Answer = [status: number, body: unknown, retryAfter?: unknown]

/** Sends a request. `onCancel` is given what ends it early, where the platform can. Rejects where no answer came. */
export type Carrier = (
  request: Request,
  timeoutMs: number,
  onCancel: (cancel: () => void) => void,
) => Promise<Answer>

/** The function that answers. */
export function functionOf(route: Route): FunctionName {
  return / .log/.test(route) ? 'login' : / .score/.test(route) ? 'submit-score' : 'query-scores'
}

/** A request as HTTP has it, named as `wx.request` names it. */
export interface HttpRequest {
  url: string
  method: 'GET' | 'POST' | 'DELETE'
  header: Record<string, string>
  data: string | undefined
}

/** https://developers.weixin.qq.com/miniprogram/dev/api/network/request/wx.request.html */
export function wxCarrier(wx: WxLike, httpOf: (request: Request) => HttpRequest): Carrier {
  return (request, timeout, onCancel) =>
    new Promise((resolve, reject) => {
      const task = wx.request({
        ...httpOf(request),
        // The text as it is: `json` would try to parse it, and keep quiet when it cannot.
        dataType: 'text',
        timeout,
        success: ({ statusCode, data, header = {} }) => {
          // Devices spell header names as they like.
          const name = Object.keys(header).find((key) => /retry-after/i.test(key))
          resolve([statusCode, data, name && header[name]])
        },
        fail: (failure) => reject(networkError(failure)),
      })
      ignorePromise(task)
      // Taro's task has had no `abort`; nobody waits for the answer any more in either case.
      onCancel(() => (task as { abort(): void }).abort())
    })
}

/** For browsers and Node. */
export function fetchCarrier(fetch: FetchLike, httpOf: (request: Request) => HttpRequest): Carrier {
  return async (request, _timeoutMs, onCancel) => {
    const { url, method, header: headers, data: body } = httpOf(request)
    const signal = attempt(() => {
      const controller = new AbortController()
      onCancel(() => controller.abort())
      return controller.signal
    })
    try {
      const answer = await fetch(url, { method, headers, body, signal })
      return [answer.status, await answer.text(), answer.headers.get('retry-after')]
    } catch (error) {
      throw networkError(error)
    }
  }
}

/**
 * `{ route, body, query, idempotencyKey }` → `{ status, body }`, to the function that owns the path.
 * https://developers.weixin.qq.com/miniprogram/dev/wxcloud/reference-sdk-api/functions/Cloud.callFunction.html
 */
export function cloudCarrier(
  cloud: CloudLike,
  nameOf: (name: FunctionName) => string = (name) => name,
): Carrier {
  return ({ route, query, body, headers }) => {
    const data = { route, body, query, idempotencyKey: headers[KEY_HEADER] }
    return cloud.callFunction({ name: nameOf(functionOf(route)), data }).then(
      ({ result }) => {
        // Without a status it is not one of ours that answered.
        const { status = 502, body } = (result || {}) as { status?: number; body?: unknown }
        return [status, body]
      },
      (error) => {
        throw networkError(error)
      },
    )
  }
}

/** Under which a submission has its key. */
export const KEY_HEADER = 'idempotency-key'
