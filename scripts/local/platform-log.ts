/**
 * The lines the platform itself writes around an invocation, the return value of an event function among them:
 * what stands there stands in the deployed function's log.
 * https://cloud.tencent.com/document/product/583/52637
 */

import type { InvocationResult } from './invocation-result.ts'

/** Lines before the function's own. */
export function startLines(requestId: string): string[] {
  return [`START RequestId:${requestId}`]
}

/** Lines after the function's own. */
export function endLines(invocation: InvocationResult, memoryMegabytes: number): string[] {
  const { requestId, durationMs } = invocation
  const outcome = invocation.ok
    ? [
        `Response RequestId:${requestId} RetMsg:${JSON.stringify(JSON.stringify(invocation.result))}`,
      ]
    : [
        `ERROR RequestId:${requestId} Result:${JSON.stringify(invocation.error)}`,
        `Response RequestId:${requestId} RetMsg:${JSON.stringify(JSON.stringify(invocation.error))}`,
      ]
  return [
    ...outcome,
    `END RequestId:${requestId}`,
    `Report RequestId:${requestId} Duration:${durationMs}ms Memory:${memoryMegabytes}MB`,
  ]
}
