/** What the cloud holds for one function, read back. */
import type { DesiredFunction } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import type { CodeMark } from './code-mark.ts'
import { type Alias, type ListedVersion, listVersions, newestState, readAlias } from './releases.ts'
import { type DeployedTimer, type DeployedUrl, listTriggers, timersIn, urlsIn } from './triggers.ts'
import {
  type FunctionAnswer,
  functionNamed,
  getFunction,
  reasonsOf,
  waitUntilAtRest,
} from './waiting.ts'

export interface DeployedSettings
  extends Omit<DesiredFunction, 'key' | 'name' | 'declared' | 'url' | 'paths' | 'timers'> {
  /** Whether it reaches the public network. */
  hasOutsideAccess: boolean
}

export interface DeployedVersion extends DeployedSettings, ListedVersion {}

export interface DeployedFunction extends DeployedSettings {
  status: string
  /** Why it is in a failed status. */
  reason: string
  /** `Available`, or why the account's functions do not run. */
  availability: string
  tags: Readonly<Record<string, string>>
  /** SHA-256, hexadecimal, of the newest code as the cloud keeps it; undefined when the key may not ask. */
  codeSha256: string | undefined
  alias: Alias
  /** What users get; undefined while that is the newest state itself. */
  live: DeployedVersion | undefined
  /** The version that was published last. */
  newest: DeployedVersion | undefined
  urls: readonly DeployedUrl[]
  timers: readonly DeployedTimer[]
}

/** What a failed creation leaves has none of these. */
const nothingYet = {
  codeSha256: '',
  alias: { version: newestState, releases: [] },
  live: undefined,
  newest: undefined,
  urls: [],
  timers: [],
} as const

/**
 * The digest of the newest code (GetFunctionAddress, cloud.tencent.com/document/api/583/37164). `undefined` when the key
 * has no right to it.
 */
export async function readCodeSha256(
  cloud: CloudClient,
  name: string,
): Promise<string | undefined> {
  try {
    const answer = await cloud.call('GetFunctionAddress', functionNamed(name, cloud))
    return (answer.CodeSha256 ?? '').toLowerCase()
  } catch (error) {
    if (error instanceof CloudFailure && error.isMissingRight) return undefined
    throw error
  }
}

/** What to note of the code that was just sent. */
export async function readCodeMark(
  cloud: CloudClient,
  name: string,
  sent: string,
): Promise<CodeMark> {
  return { sent, kept: (await readCodeSha256(cloud, name)) || 'unknown' }
}

function settingsIn(found: FunctionAnswer): DeployedSettings {
  return {
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
    hasOutsideAccess: found.PublicNetConfig?.PublicNetStatus !== 'DISABLE',
  }
}

async function readVersion(
  cloud: CloudClient,
  name: string,
  listed: ListedVersion | undefined,
): Promise<DeployedVersion | undefined> {
  const found = listed && (await getFunction(cloud, name, listed.version))
  return found && { ...settingsIn(found), ...listed, status: found.Status ?? listed.status }
}

/** `undefined` when there is no such function. Waits while a change is running. */
export async function readDeployed(
  cloud: CloudClient,
  name: string,
  tell: (status: string) => void,
): Promise<DeployedFunction | undefined> {
  const found = await waitUntilAtRest(cloud, name, { tell })
  if (!found) return undefined
  const status = found.Status ?? ''
  const base = {
    ...settingsIn(found),
    status,
    reason: status === 'Active' ? '' : reasonsOf(found),
    availability: found.AvailableStatus ?? 'Available',
    tags: Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
  }
  if (status === 'CreateFailed') return { ...base, ...nothingYet }
  const [triggers, alias, versions, codeSha256] = await Promise.all([
    listTriggers(cloud, name),
    readAlias(cloud, name),
    listVersions(cloud, name),
    readCodeSha256(cloud, name),
  ])
  const [newest] = versions
  const live = versions.find(({ version }) => version === alias.version)
  return {
    ...base,
    codeSha256,
    alias,
    live: await readVersion(cloud, name, live),
    newest: await readVersion(cloud, name, newest),
    urls: urlsIn(triggers),
    timers: timersIn(triggers),
  }
}
