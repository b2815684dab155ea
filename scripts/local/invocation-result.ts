/** What became of an invocation; `error` is what the platform answers in place of a result. */
export type InvocationResult =
  | { ok: true; result: unknown; requestId: string; durationMs: number }
  | { ok: false; error: PlatformError; requestId: string; durationMs: number }

/** https://cloud.tencent.com/document/product/583/42611 */
export interface PlatformError {
  errorCode: -1
  errorMessage: string
  requestId: string
  stackTrace?: string
  /** 430 the handler threw, 433 timed out, 437 no handler, 439 the process ended. */
  statusCode: 430 | 433 | 437 | 439
}
