/** What the cloud holds for one function, read back. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandProblem } from '../cli/problem.ts'
import type { DesiredFunction, Timer } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import type { ScfModels } from './cloud/sdk.ts'

type FunctionAnswer = ScfModels['GetFunction']['response']
type TriggerAnswer = NonNullable<ScfModels['ListTriggers']['response']['Triggers']>[number]

export interface DeployedTimer extends Timer {
  qualifier: string
  /** Made by a deploy of ours, not by hand. */
  ours: boolean
}

type Settings = Omit<DesiredFunction, 'key' | 'name' | 'declared' | 'url' | 'paths' | 'timers'>

export interface DeployedFunction extends Settings {
  status: string
  /** SHA-256, hexadecimal, of the package as the cloud keeps it; '' when it does not say. */
  codeSha256: string
  urls: readonly { url: string; name: string; qualifier: string; authType: string }[]
  timers: readonly DeployedTimer[]
}

/** Marks the timers that a deploy made, so that it only ever deletes those. */
export const timerMark = 'serverless.yml'

const waitsMs = [100, 300, 700, 1500]
const longestWaitMs = 3 * 60_000
const settled = new Set(['Active', 'CreateFailed', 'UpdateFailed'])

/** How a call names a function. */
export function functionNamed(name: string, { namespace }: CloudClient) {
  return { FunctionName: name, Namespace: namespace }
}

async function getFunction(cloud: CloudClient, name: string): Promise<FunctionAnswer | undefined> {
  try {
    return await cloud.call('GetFunction', { ...functionNamed(name, cloud), ShowCode: 'FALSE' })
  } catch (error) {
    if (error instanceof CloudFailure && error.code.startsWith('ResourceNotFound.Function'))
      return undefined
    throw error
  }
}

/**
 * Polls until no change of the function is running, telling each new status. A failed phase is returned, not thrown;
 * three minutes without an end are a `CommandProblem`.
 */
async function waitUntilSettled(
  cloud: CloudClient,
  name: string,
  tell: (status: string) => void,
): Promise<FunctionAnswer | undefined> {
  const giveUpAt = Date.now() + longestWaitMs
  let last = ''
  for (let poll = 0; ; poll++) {
    const found = await getFunction(cloud, name)
    const status = found?.Status ?? 'Active'
    if (status !== last && !settled.has(status)) tell(status)
    last = status
    if (settled.has(status)) return found
    if (Date.now() > giveUpAt)
      throw new CommandProblem(
        `${name} is still ${status} after three minutes. Look at it in the SCF console, then run the command again.`,
      )
    await delay(waitsMs[Math.min(poll, waitsMs.length - 1)])
  }
}

/** Like `waitUntilSettled`, but a failed phase is a `CommandProblem` with the cloud's reason. */
export async function waitUntilActive(
  cloud: CloudClient,
  name: string,
  tell: (status: string) => void,
): Promise<void> {
  const found = await waitUntilSettled(cloud, name, tell)
  if (!found || found.Status === 'Active') return
  const reasons = (found.StatusReasons ?? []).map(
    ({ ErrorCode, ErrorMessage }) => `${ErrorCode}: ${ErrorMessage}`,
  )
  throw new CommandProblem(
    `the cloud could not finish the change (${found.Status}): ${reasons.join('; ') || found.StatusDesc}. Run deploy again when the cause is gone.`,
  )
}

/** All triggers of a function, over as many pages as there are. */
async function listTriggers(cloud: CloudClient, name: string): Promise<TriggerAnswer[]> {
  const triggers: TriggerAnswer[] = []
  for (;;) {
    const range = { Offset: triggers.length, Limit: 20 }
    const page = await cloud.call('ListTriggers', { ...functionNamed(name, cloud), ...range })
    triggers.push(...(page.Triggers ?? []))
    if (!page.Triggers?.length || triggers.length >= (page.TotalCount ?? 0)) return triggers
  }
}

/** A Function URL tells its address in its description (cloud.tencent.com/document/product/583/100227). */
function urlsIn(triggers: TriggerAnswer[]): DeployedFunction['urls'] {
  return triggers
    .filter(({ Type }) => Type === 'http')
    .map(({ TriggerDesc, TriggerName = '', Qualifier = '' }) => {
      const description = JSON.parse(TriggerDesc || '{}') as {
        AuthType?: string
        NetConfig?: { ExtranetUrl?: string }
      }
      return {
        url: description.NetConfig?.ExtranetUrl ?? '',
        authType: description.AuthType ?? '',
        name: TriggerName,
        qualifier: Qualifier,
      }
    })
}

function cronIn(description: string): string {
  try {
    return (JSON.parse(description) as { cron?: string }).cron ?? description
  } catch {
    return description
  }
}

function timersIn(triggers: TriggerAnswer[]): DeployedTimer[] {
  return triggers
    .filter(({ Type }) => Type === 'timer')
    .map((trigger) => ({
      name: trigger.TriggerName ?? '',
      cron: cronIn(trigger.TriggerDesc ?? ''),
      enabled: trigger.Enable === 1,
      argument: trigger.CustomArgument ?? '',
      qualifier: trigger.Qualifier ?? '$DEFAULT',
      ours: trigger.Description === timerMark,
    }))
}

/** The digest of the stored package (GetFunctionAddress, cloud.tencent.com/document/api/583/37164). */
export async function readCodeSha256(cloud: CloudClient, name: string): Promise<string> {
  const answer = await cloud.call('GetFunctionAddress', functionNamed(name, cloud))
  return (answer.CodeSha256 ?? '').toLowerCase()
}

export async function readUrls(
  cloud: CloudClient,
  name: string,
): Promise<DeployedFunction['urls']> {
  return urlsIn(await listTriggers(cloud, name))
}

/** `undefined` when there is no such function. Waits while a change is running. */
export async function readDeployed(
  cloud: CloudClient,
  name: string,
  tell: (status: string) => void,
): Promise<DeployedFunction | undefined> {
  const found = await waitUntilSettled(cloud, name, tell)
  if (!found) return undefined
  const broken = found.Status === 'CreateFailed'
  const triggers = broken ? [] : await listTriggers(cloud, name)
  return {
    status: found.Status ?? '',
    type: found.Type === 'HTTP' ? 'web' : 'event',
    runtime: found.Runtime ?? '',
    handler: found.Handler ?? '',
    description: found.Description ?? '',
    memorySize: found.MemorySize ?? 0,
    timeoutSeconds: found.Timeout ?? 0,
    variables: Object.fromEntries(
      (found.Environment?.Variables ?? []).map(({ Key = '', Value = '' }) => [Key, Value]),
    ),
    vpcId: found.VpcConfig?.VpcId ?? '',
    subnetId: found.VpcConfig?.SubnetId ?? '',
    role: found.Role ?? '',
    logsetId: found.ClsLogsetId ?? '',
    topicId: found.ClsTopicId ?? '',
    codeSha256: broken ? '' : await readCodeSha256(cloud, name),
    urls: urlsIn(triggers),
    timers: timersIn(triggers),
  }
}
