/**
 * Carries out the plan of one function in two steps, waiting for the cloud between changes: `prepare` does all that users
 * do not notice, `release` gives them the result.
 */

import type { DesiredFunction, Timer } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { readCodeMark } from './deployed.ts'
import { ownerTagKey, tagFunction } from './ownership.ts'
import type { FunctionPlan } from './plan.ts'
import {
  type Alias,
  liveAlias,
  moveAlias,
  newestState,
  publishVersion,
  type Release,
} from './releases.ts'
import { smokeTest } from './smoke-test.ts'
import { timerMark, waitForUrl } from './triggers.ts'
import { functionNamed, waitUntilActive } from './waiting.ts'

/** The name of the trigger that is the Function URL, and what it hangs on (583/100227). */
const urlTrigger = { TriggerName: 'url', Type: 'http', Qualifier: liveAlias } as const
const urlDescription = JSON.stringify({
  AuthType: 'NONE',
  NetConfig: { EnableIntranet: false, EnableExtranet: true },
  // The event of an API gateway, of which a Function URL's own is a part: more is the platform's word then.
  ApiGwCompatible: true,
})
/** WeChat's API is on the public network: a function in a VPC keeps its way there. */
const outsideAccess = { PublicNetStatus: 'ENABLE', EipConfig: { EipStatus: 'DISABLE' } }

const uploadTimeoutSeconds = 180

type Tell = (step: string) => void

function handlerOf({ type, handler }: DesiredFunction) {
  return type === 'event' ? { Handler: handler } : {}
}

/** What creating and updating have in common. */
function settingsOf(wanted: DesiredFunction) {
  const { memorySize, timeoutSeconds, variables, logsetId, topicId } = wanted
  return {
    Description: wanted.description,
    MemorySize: memorySize,
    Timeout: timeoutSeconds,
    Environment: { Variables: Object.entries(variables).map(([Key, Value]) => ({ Key, Value })) },
    ...(topicId && { ClsLogsetId: logsetId, ClsTopicId: topicId }),
  }
}

function vpcOf({ vpcId, subnetId }: DesiredFunction) {
  return { VpcConfig: { VpcId: vpcId, SubnetId: subnetId }, PublicNetConfig: outsideAccess }
}

async function createFunction(cloud: CloudClient, { wanted, owner, package: made }: FunctionPlan) {
  await cloud.call(
    'CreateFunction',
    {
      ...functionNamed(wanted.name, cloud),
      Type: wanted.type === 'web' ? 'HTTP' : 'Event',
      Runtime: wanted.runtime,
      Code: { ZipFile: made.zip.toString('base64') },
      CodeSource: 'ZipFile',
      Tags: [{ Key: ownerTagKey, Value: owner }],
      ...handlerOf(wanted),
      ...settingsOf(wanted),
      ...(wanted.vpcId && vpcOf(wanted)),
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
async function updateConfiguration(cloud: CloudClient, { wanted, configuration }: FunctionPlan) {
  const differs = (...fields: string[]): boolean =>
    configuration.some(({ field }) => fields.includes(field))
  await cloud.call('UpdateFunctionConfiguration', {
    ...functionNamed(wanted.name, cloud),
    ...settingsOf(wanted),
    ...((wanted.vpcId || differs('vpc')) && vpcOf(wanted)),
    ...(differs('outside') && { PublicNetConfig: outsideAccess }),
    ...((wanted.role || differs('role')) && { Role: wanted.role }),
  })
}

/** What users got until now, frozen: what is done to the newest state no longer reaches them. */
async function pin(
  cloud: CloudClient,
  { wanted, alias }: FunctionPlan,
  tell: Tell,
): Promise<Alias> {
  tell('freezing what users get')
  const version = await publishVersion(cloud, wanted.name, { tell: waitingFor(tell) })
  const pinned = { version, releases: alias.releases }
  await moveAlias(cloud, wanted.name, pinned)
  return pinned
}

function waitingFor(tell: Tell): Tell {
  return (status) => tell(`waiting, it is ${status}`)
}

/** What `release` needs to know of what `prepare` did. */
export interface Prepared {
  plan: FunctionPlan
  alias: Alias
  /** The version that users shall get; undefined when they get it already. */
  version: string | undefined
}

/**
 * Does everything that users do not notice, `tell`ing each step, and tests the version they are to get. Throws
 * `CloudFailure` or `CommandProblem`; what was done stays, and is not done again by the next deploy.
 */
export async function prepare(
  cloud: CloudClient,
  plan: FunctionPlan,
  tell: Tell,
): Promise<Prepared> {
  const { wanted, package: made, release } = plan
  const { name } = wanted
  const active = (): Promise<void> => waitUntilActive(cloud, name, { tell: waitingFor(tell) })

  if (plan.function === 'replace') {
    tell('deleting what is left of a failed creation')
    await cloud.call('DeleteFunction', functionNamed(name, cloud))
  }
  if (plan.function !== 'keep') {
    tell(`creating ${name}`)
    await createFunction(cloud, plan)
    await active()
  }
  if (plan.tag) {
    tell('marking it as ours')
    await tagFunction(cloud, { name, value: plan.owner })
  }
  const alias = plan.pin ? await pin(cloud, plan, tell) : plan.alias
  if (plan.code) {
    tell('uploading the code')
    await updateCode(cloud, plan)
    await active()
  }
  // Of a failed update nobody knows which half of it the cloud has.
  if (plan.configuration.length > 0 || plan.mends === 'UpdateFailed') {
    const words = plan.configuration.map((each) => each.words)
    tell(`configuring: ${words.join(', ') || 'all of it again'}`)
    await updateConfiguration(cloud, plan)
    await active()
  }
  if (release.kind === 'none') return { plan, alias, version: undefined }
  let version = release.kind === 'move' ? release.version : ''
  if (release.kind === 'publish') {
    tell('publishing a version')
    const mark = await readCodeMark(cloud, name, made.sha256)
    version = await publishVersion(cloud, name, { mark, tell: waitingFor(tell) })
  }
  if (wanted.type === 'event') {
    tell(`testing version ${version}`)
    await smokeTest(cloud, wanted, version)
  }
  return { plan, alias, version }
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

async function changeTimers(cloud: CloudClient, { wanted, timers }: FunctionPlan, tell: Tell) {
  const target = functionNamed(wanted.name, cloud)
  for (const timer of timers.delete) {
    tell(`deleting the timer ${timer.name}`)
    const { name: TriggerName, qualifier: Qualifier } = timer
    await cloud.call('DeleteTrigger', { ...target, TriggerName, Type: 'timer', Qualifier })
  }
  for (const { wanted: timer, qualifier: Qualifier } of timers.update) {
    tell(`updating the timer ${timer.name}`)
    await cloud.call('UpdateTrigger', { ...target, ...timerParameters(timer), Qualifier })
  }
  for (const timer of timers.create) {
    tell(`creating the timer ${timer.name}`)
    const marked = { ...timerParameters(timer), Description: timerMark }
    await cloud.call('CreateTrigger', { ...target, ...marked, Qualifier: liveAlias })
  }
}

export interface ReleaseOptions {
  /** The time that the functions of this deployment share. */
  at: string
  /** What part of the calls the new version gets, 0.1 for a tenth; all when left out. */
  weight?: number | undefined
  tell: Tell
}

/** Gives users the prepared version, and returns the Function URL ('' without one). Throws as `prepare` does. */
export async function release(
  cloud: CloudClient,
  { plan, alias, version }: Prepared,
  { at, weight, tell }: ReleaseOptions,
): Promise<string> {
  const { wanted } = plan
  if (version !== undefined) {
    // A function that nobody used yet has nothing to share the calls with.
    const isPart = weight !== undefined && plan.function === 'keep' && version !== alias.version
    tell(
      isPart ? `giving version ${version} a part of the calls` : `giving users version ${version}`,
    )
    await moveAlias(
      cloud,
      wanted.name,
      isPart
        ? { ...alias, additional: { version, weight } }
        : {
            version,
            releases: releasesAfter(alias, { version, at }),
          },
    )
  }
  await changeTimers(cloud, plan, tell)
  if (plan.url) {
    tell('creating the Function URL')
    const target = functionNamed(wanted.name, cloud)
    await cloud.call('CreateTrigger', { ...target, ...urlTrigger, TriggerDesc: urlDescription })
  }
  if (plan.existingUrl || !(plan.url || plan.hasUrl)) return plan.existingUrl
  return waitForUrl(cloud, wanted.name, tell)
}

/** The alias's memory with one more. What it led to without a deploy of ours having said so is remembered, too. */
function releasesAfter({ version, releases }: Alias, next: Release): Release[] {
  const [head] = releases
  if (head?.version === next.version) return [...releases]
  const isKnown = version === newestState || head?.version === version
  return [next, ...(isKnown ? [] : [{ version, at: next.at }]), ...releases]
}
