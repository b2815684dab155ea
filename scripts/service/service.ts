/** serverless.yml as data: what the cloud should hold. No calls, no files. */
import { CommandProblem } from '../cli/problem.ts'
import type { StageValues } from '../cli/stage.ts'
import type { FunctionBlock, ProviderBlock, SharedSettings } from './blocks.ts'

export interface Timer {
  name: string
  cron: string
  enabled: boolean
  argument: string
}

export interface DesiredFunction {
  /** The name in serverless.yml and of the folder under functions/. */
  key: string
  /** The name in the cloud, `<service>-<stage>-<key>` unless given. */
  name: string
  type: 'event' | 'web'
  runtime: string
  handler: string
  description: string
  memorySize: number
  timeoutSeconds: number
  /** Only what has a value. */
  variables: Readonly<Record<string, string>>
  /** Every variable declared for the function, with or without a value. */
  declared: readonly string[]
  vpcId: string
  subnetId: string
  role: string
  logsetId: string
  topicId: string
  /** Whether it has a Function URL. */
  url: boolean
  /** The paths it serves on the custom domain. */
  paths: readonly string[]
  timers: readonly Timer[]
}

export interface DesiredDomain {
  domain: string
  protocol: 'HTTP' | 'HTTPS' | 'HTTP&HTTPS'
  certificateId: string
  routes: readonly { path: string; functionName: string }[]
}

/** What is asked of the log topic; '' where nothing is. */
export interface DesiredWatching {
  logsetId: string
  topicId: string
  /** As it was written. */
  retentionDays: string
  /** The notice group that alarms go to; there are none without it. */
  noticeId: string
}

export interface DesiredService {
  service: string
  stage: string
  region: string
  namespace: string
  functions: readonly DesiredFunction[]
  customDomain?: DesiredDomain
  watching: DesiredWatching
}

export const defaults = {
  region: 'ap-guangzhou',
  namespace: 'default',
  runtime: 'Nodejs20.19',
  handler: 'index.main_handler',
  memorySize: 128,
  timeoutSeconds: 10,
} as const

function variablesIn(settings: SharedSettings): [string, string][] {
  const { variables, ...flat } = settings.environment ?? {}
  const nested = typeof variables === 'object' && variables !== null ? variables : {}
  return Object.entries({ ...nested, ...flat }).map(([name, value]) => [
    name,
    value === null || value === undefined ? '' : String(value),
  ])
}

function timersOf(block: FunctionBlock): Timer[] {
  return block.events
    .flatMap((event) => ('timer' in event ? [event.timer] : []))
    .map(({ name, parameters }, index) => ({
      name: name ?? `timer-${index + 1}`,
      cron: parameters.cronExpression,
      enabled: parameters.enable ?? true,
      argument: parameters.argument ?? '',
    }))
}

function functionFrom(key: string, block: FunctionBlock, provider: ProviderBlock): DesiredFunction {
  const environment = [...variablesIn(provider), ...variablesIn(block)]
  const https = block.events.flatMap((event) => ('http' in event ? [event.http] : []))
  const vpc = block.vpcConfig ?? provider.vpcConfig
  const cls = block.cls ?? provider.cls
  return {
    key,
    name: block.name,
    type: block.type ?? 'event',
    runtime: block.runtime ?? provider.runtime ?? defaults.runtime,
    handler: block.handler ?? defaults.handler,
    description: block.description ?? '',
    memorySize: block.memorySize ?? provider.memorySize ?? defaults.memorySize,
    timeoutSeconds: block.timeout ?? provider.timeout ?? defaults.timeoutSeconds,
    variables: Object.fromEntries(environment.filter(([, value]) => value !== '')),
    declared: [...new Set(environment.map(([name]) => name))],
    vpcId: vpc?.vpcId ?? '',
    subnetId: vpc?.subnetId ?? '',
    role: block.role ?? provider.role ?? '',
    logsetId: cls?.logsetId ?? '',
    topicId: cls?.topicId ?? '',
    url: https.length > 0,
    paths: https.flatMap(({ paths }) => paths ?? []),
    timers: timersOf(block),
  }
}

/** A value of serverless.yml that the stage holds: `$NAME`, alone. */
const reference = /^\$([A-Z][A-Z0-9_]*)$/

/** Puts the stage's values in place of references; '' where it has none. */
function filled<Settings>(settings: Settings, values: StageValues): Settings {
  return JSON.parse(JSON.stringify(settings), (_key, value) =>
    typeof value === 'string'
      ? value.replace(reference, (_text, name: string) => values[name] ?? '')
      : value,
  ) as Settings
}

export interface Configuration {
  service: string
  provider: ProviderBlock
  functions: Record<string, FunctionBlock>
}

/**
 * Reads the configuration, in which the stage's values are still references: so neither the framework nor its messages
 * ever hold a secret. `provider` and `functions` are already known to fit the schema.
 */
export function desiredService(
  configuration: Configuration,
  values: StageValues = {},
): DesiredService {
  const { service, provider, functions: blocks } = filled(configuration, values)
  const functions = Object.entries(blocks).map(([key, block]) => functionFrom(key, block, provider))
  const { domain, protocol = 'HTTPS', certificateId } = provider.customDomain ?? {}
  return {
    service,
    stage: provider.stage,
    region: provider.region ?? defaults.region,
    namespace: provider.namespace ?? defaults.namespace,
    functions,
    watching: {
      logsetId: provider.cls?.logsetId ?? '',
      topicId: provider.cls?.topicId ?? '',
      retentionDays: String(provider.watching?.logRetentionDays ?? ''),
      noticeId: provider.watching?.alarmNoticeId ?? '',
    },
    ...(domain && {
      customDomain: {
        domain,
        protocol,
        certificateId: certificateId ?? '',
        routes: functions.flatMap(({ name, paths }) =>
          paths.map((path) => ({ path, functionName: name })),
        ),
      },
    }),
  }
}

/** The function called `key`, or a `CommandProblem` listing those there are. */
export function functionCalled(service: DesiredService, key: string): DesiredFunction {
  const found = service.functions.find((wanted) => wanted.key === key)
  if (found) return found
  const known = service.functions.map((wanted) => wanted.key).join(', ')
  throw new CommandProblem(`There is no function "${key}" in serverless.yml. There are: ${known}.`)
}
