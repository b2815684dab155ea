import type { ProblemCode, RetryHint } from './contract.ts'

/** What can go wrong before the server has answered, or because its answer cannot be read. */
export type ClientFailureCode = 'network' | 'aborted' | 'bad-answer' | 'signed-out'

/** What an error may know beside its code, message and hint. */
export interface ClientErrorFacts {
  field?: string | undefined
  status?: number
  requestId?: string | undefined
  retryAfterSeconds?: number | undefined
  detail?: string | undefined
}

/** The one kind of error that the client's calls reject with. `message` is Chinese and fit for a toast. */
export class ClientError extends Error {
  /** The server's `code`, or the client's own word for what happened to the request. */
  declare readonly code: ProblemCode | ClientFailureCode
  /** What helps: `login`, `refresh`, `later` or `never`. What the client can do by itself it has done already. */
  declare readonly retry: RetryHint
  /** The input's field that was refused, so that a form can show `message` beside it. */
  declare readonly field: string | undefined
  /** The HTTP status; 0 where there was no answer. */
  declare readonly status: number
  /** By which the server's log knows this answer. */
  declare readonly requestId: string | undefined
  /** Seconds that the server asked to wait, when it did. */
  declare readonly retryAfterSeconds: number | undefined
  /** What the platform said, for a developer's eyes. */
  declare readonly detail: string | undefined

  constructor(
    code: ClientError['code'],
    message: string,
    retry: RetryHint,
    facts?: ClientErrorFacts,
  ) {
    super(message)
    Object.assign(this, { name: 'ClientError', code, retry, status: 0 }, facts)
  }
}

/** No answer came, in time or at all; the platform's own words are kept for the developer. */
export function networkError(failure: unknown): ClientError {
  const detail = (failure as { errMsg?: string }).errMsg || `${failure}`
  return new ClientError('network', '网络异常，请重试', 'later', { detail })
}
