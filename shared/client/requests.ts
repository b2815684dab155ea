/** One request to its end: a slot, a time-out, what the answer means, and trying again where that can help. */

import { type AbortSignalLike, unlessAborted } from './abort.ts'
import type { Answer, Carrier, Request } from './carrier.ts'
import { ClientError, networkError } from './client-error.ts'
import type { ProblemBody } from './contract.ts'
import { CONCURRENT_MAX, RETRY_WAIT_MAX_MS, TRIES_MAX } from './limits.ts'
import { attempt } from './platform.ts'

/** Sends requests; rejects with `ClientError` alone. */
export type Send = (request: Request, signal?: AbortSignalLike) => Promise<unknown>

/** Requests over a carrier, at most ten at once. */
export function createSend(carry: Carrier, timeoutMs: number, retryDelayMs: number): Send {
  const waiting: (() => void)[] = []
  let underWay = 0

  async function exchange(request: Request, signal?: AbortSignalLike): Promise<Answer> {
    let cancel: () => void
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      return await unlessAborted(
        signal,
        () =>
          new Promise((resolve, reject) => {
            timer = setTimeout(() => reject(networkError('timeout')), timeoutMs)
            const onCancel = (how: () => void): void => {
              cancel = how
            }
            carry(request, timeoutMs, onCancel).then(resolve, reject)
          }),
      )
    } finally {
      clearTimeout(timer)
      // Without effect on what has been answered, and not every platform can.
      attempt(() => cancel())
    }
  }

  return async (request, signal) => {
    for (let tries = 1; ; tries++) {
      let failure: ClientError
      // A slot that is handed over stays counted.
      if (underWay < CONCURRENT_MAX) underWay++
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return read(await exchange(request, signal))
      } catch (error) {
        failure = error as ClientError
      } finally {
        const next = waiting.shift()
        if (next) next()
        else underWay--
      }
      const { retry, retryAfterSeconds } = failure
      const waitMs = (retryAfterSeconds as number) * 1000 || retryDelayMs * tries
      if (retry !== 'later' || tries === TRIES_MAX || waitMs > RETRY_WAIT_MAX_MS) throw failure
      // Never sooner than the server asked for, and not all clients at once.
      await new Promise((resolve) => setTimeout(resolve, waitMs * (1 + Math.random())))
    }
  }
}

function read([status, body, retryAfter]: Answer): unknown {
  const value = attempt(() => (typeof body === 'string' ? JSON.parse(body) : body))
  const { code, message, retry, field, requestId, errorCode } = Object(
    value,
  ) as Partial<ProblemBody> & { errorCode?: unknown }
  const isSuccess = status < 300
  // The platform answers 200 for a function that timed out, with an error of its own as the body.
  if (isSuccess && (value ? errorCode === undefined : status === 204)) return value
  const facts = { status, field, requestId, retryAfterSeconds: Number(retryAfter) || undefined }
  if (code && message && retry) throw new ClientError(code, message, retry, facts)
  // A gateway's page, or a hotel's: whatever it is, it was not the function.
  const isPassing = isSuccess || status > 499 || status === 429
  throw new ClientError('bad-answer', '服务异常请重试', isPassing ? 'later' : 'never', facts)
}
