/** Waiting for what the cloud does by itself: a change that is under way, a URL that is not listed yet. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandProblem } from '../cli/problem.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import type { ScfModels } from './cloud/sdk.ts'

export type FunctionAnswer = ScfModels['GetFunction']['response']

/** A function at rest (cloud.tencent.com/document/product/583/37883); every other status is that of a change under way. */
const restingStatuses: ReadonlySet<string> = new Set([
  'Active',
  'CreateFailed',
  'UpdateFailed',
  'PublishFailed',
  'DeleteFailed',
])

/** How a call names a function. */
export function functionNamed(name: string, { namespace }: CloudClient) {
  return { FunctionName: name, Namespace: namespace }
}

/** Looks again and again until there is something; `undefined` when the client's patience is over. */
export async function lookUntil<Found>(
  cloud: CloudClient,
  look: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
  const { totalMs, waitsMs } = cloud.patience
  const giveUpAt = Date.now() + totalMs
  for (let poll = 0; ; poll++) {
    const found = await look()
    if (found !== undefined || Date.now() > giveUpAt) return found
    await delay(waitsMs[Math.min(poll, waitsMs.length - 1)])
  }
}

/** `undefined` when there is no such function, or no such version of it. */
export async function getFunction(
  cloud: CloudClient,
  name: string,
  qualifier = '$LATEST',
): Promise<FunctionAnswer | undefined> {
  try {
    const named = { ...functionNamed(name, cloud), Qualifier: qualifier }
    return await cloud.call('GetFunction', { ...named, ShowCode: 'FALSE' })
  } catch (error) {
    if (error instanceof CloudFailure && error.code.startsWith('ResourceNotFound.Function'))
      return undefined
    throw error
  }
}

/**
 * Polls until no change of the function (or version) is running, telling each new status. A failed status is returned,
 * not thrown; one that does not end is a `CommandProblem`.
 */
export async function waitUntilAtRest(
  cloud: CloudClient,
  name: string,
  { tell, qualifier }: { tell: (status: string) => void; qualifier?: string },
): Promise<FunctionAnswer | undefined> {
  let last = ''
  const settled = await lookUntil(cloud, async () => {
    const found = await getFunction(cloud, name, qualifier)
    const status = found?.Status ?? 'Active'
    const isAtRest = restingStatuses.has(status)
    if (status !== last && !isAtRest) tell(status)
    last = status
    return isAtRest ? { found } : undefined
  })
  if (settled) return settled.found
  const seconds = Math.round(cloud.patience.totalMs / 1000)
  const advice =
    last === 'Creating'
      ? 'A creation that hangs does not end by itself: delete the function in the SCF console'
      : 'Look at it in the SCF console'
  throw new CommandProblem(
    `${name} is still ${last} after ${seconds} seconds. ${advice}, then run the command again.`,
  )
}

/** The cloud's reasons for a failed status. */
export function reasonsOf({ StatusReasons, StatusDesc }: FunctionAnswer): string {
  const reasons = (StatusReasons ?? []).map(
    ({ ErrorCode, ErrorMessage }) => `${ErrorCode}: ${ErrorMessage}`,
  )
  return reasons.join('; ') || StatusDesc || 'the cloud gives no reason'
}

/** Like `waitUntilAtRest`, but a failed status is a `CommandProblem` with the cloud's reason. */
export async function waitUntilActive(
  cloud: CloudClient,
  name: string,
  { tell, qualifier }: { tell: (status: string) => void; qualifier?: string },
): Promise<void> {
  const found = await waitUntilAtRest(cloud, name, { tell, ...(qualifier && { qualifier }) })
  if (!found || found.Status === 'Active') return
  const advice = /cls|log topic/i.test(reasonsOf(found)) ? ` ${logServiceAdvice}` : ''
  throw new CommandProblem(
    `the cloud could not finish the change (${found.Status}): ${reasonsOf(found)}.${advice} Run deploy again when the cause is gone.`,
  )
}

export const logServiceAdvice =
  'Functions write to the log service: activate CLS once at https://console.cloud.tencent.com/cls, and check CLS_LOGSET_ID and CLS_TOPIC_ID.'
