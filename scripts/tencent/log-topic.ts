/** The log service as far as a deploy depends on it: without it a new function ends in CreateFailed. */
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import { logServiceAdvice } from './waiting.ts'

/**
 * Why functions could not write their logs: the service is not activated, or there is no such topic. '' when they can;
 * undefined when the key may not ask (cloud.tencent.com/document/api/614/56454).
 */
export async function logTopicFault(
  cloud: CloudClient,
  topicId: string,
): Promise<string | undefined> {
  const filters = topicId ? { Filters: [{ Key: 'topicId', Values: [topicId] }] } : {}
  try {
    const { Topics } = (await cloud.callOther('cls', 'DescribeTopics', {
      ...filters,
      Limit: 1,
    })) as { Topics?: object[] }
    if (!topicId || (Topics ?? []).length > 0) return ''
    return `the log topic ${topicId} does not exist in ${cloud.region}. ${logServiceAdvice}`
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error
    if (error.isMissingRight) return undefined
    // Too many calls, no network: that says nothing of the service.
    if (
      !/^(OperationDenied|FailedOperation|ResourceNotFound|UnsupportedOperation)/.test(error.code)
    )
      throw error
    return `the log service refuses: ${error.message} ${logServiceAdvice}`
  }
}
