/** Carries out the plan of one function, waiting for the cloud between changes. */

import type { DesiredFunction, Timer } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { functionNamed, readCodeSha256, readUrls, timerMark, waitUntilActive } from './deployed.ts'
import { type FunctionPlan, withCodeMark } from './plan.ts'

/** The name of the trigger that is the Function URL, and what it hangs on (583/100227). */
const urlTrigger = { TriggerName: 'url', Type: 'http', Qualifier: '$DEFAULT' } as const
const urlDescription = JSON.stringify({
  AuthType: 'NONE',
  NetConfig: { EnableIntranet: false, EnableExtranet: true },
})

const uploadTimeoutSeconds = 180

function handlerOf({ type, handler }: DesiredFunction) {
  return type === 'event' ? { Handler: handler } : {}
}

/** What creating and updating have in common. */
function settingsOf(wanted: DesiredFunction, description: string) {
  const { memorySize, timeoutSeconds, variables, logsetId, topicId } = wanted
  return {
    Description: description,
    MemorySize: memorySize,
    Timeout: timeoutSeconds,
    Environment: { Variables: Object.entries(variables).map(([Key, Value]) => ({ Key, Value })) },
    ...(topicId && { ClsLogsetId: logsetId, ClsTopicId: topicId }),
  }
}

function vpcOf({ vpcId, subnetId }: DesiredFunction) {
  return { VpcConfig: { VpcId: vpcId, SubnetId: subnetId } }
}

async function createFunction(cloud: CloudClient, { wanted, package: made }: FunctionPlan) {
  await cloud.call(
    'CreateFunction',
    {
      ...functionNamed(wanted.name, cloud),
      Type: wanted.type === 'web' ? 'HTTP' : 'Event',
      Runtime: wanted.runtime,
      Code: { ZipFile: made.zip.toString('base64') },
      CodeSource: 'ZipFile',
      ...handlerOf(wanted),
      ...settingsOf(wanted, wanted.description),
      ...(wanted.vpcId && {
        ...vpcOf(wanted),
        // WeChat's API is on the public network; a function in a VPC keeps its way there.
        PublicNetConfig: { PublicNetStatus: 'ENABLE', EipConfig: { EipStatus: 'DISABLE' } },
      }),
      ...(wanted.role && { Role: wanted.role }),
    },
    { timeoutSeconds: uploadTimeoutSeconds },
  )
}

async function updateCode(cloud: CloudClient, { wanted, package: made }: FunctionPlan) {
  await cloud.call(
    'UpdateFunctionCode',
    {
      ...functionNamed(wanted.name, cloud),
      ...handlerOf(wanted),
      ZipFile: made.zip.toString('base64'),
      CodeSource: 'ZipFile',
    },
    { timeoutSeconds: uploadTimeoutSeconds },
  )
}

/**
 * Whether a field left out of an update keeps its value is not documented, so the usual ones are always sent; an empty
 * network or role only where it takes one away.
 */
async function updateConfiguration(cloud: CloudClient, plan: FunctionPlan, description: string) {
  const { wanted, configuration } = plan
  const differs = (field: string): boolean => configuration.some((each) => each.field === field)
  await cloud.call('UpdateFunctionConfiguration', {
    ...functionNamed(wanted.name, cloud),
    ...settingsOf(wanted, description),
    ...((wanted.vpcId || differs('vpc')) && vpcOf(wanted)),
    ...((wanted.role || differs('role')) && { Role: wanted.role }),
  })
}

function timerParameters(timer: Timer) {
  return {
    TriggerName: timer.name,
    Type: 'timer',
    TriggerDesc: timer.cron,
    Enable: timer.enabled ? 'OPEN' : 'CLOSE',
    CustomArgument: timer.argument,
  }
}

/**
 * Does what the plan says, `tell`ing each step, and returns the Function URL ('' without one). Throws `CloudFailure` or
 * `CommandProblem`; every step done so far stays done and is not done again by the next deploy.
 */
export async function applyPlan(
  cloud: CloudClient,
  plan: FunctionPlan,
  tell: (step: string) => void,
): Promise<string> {
  const { wanted, package: made } = plan
  const target = functionNamed(wanted.name, cloud)
  const active = (): Promise<void> =>
    waitUntilActive(cloud, wanted.name, (status) => tell(`waiting, it is ${status}`))

  if (plan.function === 'replace') {
    tell('deleting what is left of a failed creation')
    await cloud.call('DeleteFunction', target)
  }
  if (plan.function !== 'keep') {
    tell(`creating ${wanted.name}`)
    await createFunction(cloud, plan)
    await active()
  }
  if (plan.code) {
    tell('uploading the code')
    await updateCode(cloud, plan)
    await active()
  }
  let { description } = plan
  const sent = plan.function !== 'keep' || plan.code
  if (sent) {
    const kept = await readCodeSha256(cloud, wanted.name)
    if (kept !== made.sha256) description = withCodeMark(wanted.description, made.sha256, kept)
  }
  if (plan.configuration.length > 0 || (sent && description !== wanted.description)) {
    const words = plan.configuration.map((each) => each.words).join(', ')
    tell(`configuring: ${words || 'noting which code it holds'}`)
    await updateConfiguration(cloud, plan, description)
    await active()
  }
  for (const timer of plan.timers.delete) {
    tell(`deleting the timer ${timer.name}`)
    const { name: TriggerName, qualifier: Qualifier } = timer
    await cloud.call('DeleteTrigger', { ...target, TriggerName, Type: 'timer', Qualifier })
  }
  for (const { wanted: timer, qualifier: Qualifier } of plan.timers.update) {
    tell(`updating the timer ${timer.name}`)
    await cloud.call('UpdateTrigger', { ...target, ...timerParameters(timer), Qualifier })
  }
  for (const timer of plan.timers.create) {
    tell(`creating the timer ${timer.name}`)
    const marked = { ...timerParameters(timer), Description: timerMark }
    await cloud.call('CreateTrigger', { ...target, ...marked, Qualifier: '$DEFAULT' })
  }
  if (!plan.url) return plan.existingUrl
  tell('creating the Function URL')
  await cloud.call('CreateTrigger', { ...target, ...urlTrigger, TriggerDesc: urlDescription })
  const [created] = await readUrls(cloud, wanted.name)
  return created?.url ?? ''
}
