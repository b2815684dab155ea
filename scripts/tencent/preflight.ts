/**
 * What can be known to fail before anything is sent. Limits: cloud.tencent.com/document/product/583/11637 and the
 * comments of CreateFunction; the API takes bodies of at most 10 MB.
 */
import type { Package } from './package-functions.ts'
import { type DeployProblem, problemList } from './problem.ts'
import { type DesiredFunction, type DesiredService, defaults } from './service.ts'
import { variableRules } from './variables.ts'

const environmentLimitBytes = 4096
const requestLimitBytes = 10 * 1024 * 1024
/** The rest of a CreateFunction body: names, variables, keys of the JSON. */
const requestOverheadBytes = 16 * 1024
const longestName = 60
const memoryStepMb = 128
const memoryLimitMb = 3072
const longestTimeoutSeconds = 900
const reservedPrefixes = ['SCF_', 'QCLOUD_', 'TENCENTCLOUD_']
const weChatDeadlineSeconds = 3
const databaseDeadlineSeconds = 3
/** For a cold start and for the answer. */
const spareSeconds = 1

function configurationFaults(wanted: DesiredFunction): string[] {
  const faults: string[] = []
  const { name, memorySize, timeoutSeconds, handler, description } = wanted
  if (!/^[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]$/.test(name) || name.length > longestName)
    faults.push(
      `the name "${name}" is not 2 to ${longestName} letters, digits, - or _, beginning with a letter; it has ${name.length}`,
    )
  const isStep = memorySize % memoryStepMb === 0 && memorySize >= memoryStepMb
  if (memorySize !== 64 && (!isStep || memorySize > memoryLimitMb))
    faults.push(
      `memorySize ${memorySize} is not 64 or a multiple of ${memoryStepMb} up to ${memoryLimitMb}`,
    )
  if (timeoutSeconds < 1 || timeoutSeconds > longestTimeoutSeconds)
    faults.push(`timeout ${timeoutSeconds} is not 1 to ${longestTimeoutSeconds} seconds`)
  if (handler !== defaults.handler)
    faults.push(`the bundle's only handler is ${defaults.handler}, not ${handler}`)
  if (!/^[A-Za-z0-9\s,.\u4e00-\u9fff]{0,800}$/.test(description))
    faults.push(
      'the description may hold 800 letters, digits, spaces, commas and full stops, or Chinese',
    )
  if (Boolean(wanted.vpcId) !== Boolean(wanted.subnetId))
    faults.push('vpcConfig needs both vpcId and subnetId')
  if (Boolean(wanted.logsetId) !== Boolean(wanted.topicId))
    faults.push('cls needs both logsetId and topicId')
  const names = wanted.timers.map((timer) => timer.name)
  if (new Set(names).size < names.length) faults.push('two timers have the same name')
  for (const timer of wanted.timers)
    if (timer.cron.trim().split(/\s+/).length !== 7)
      faults.push(
        `the timer ${timer.name} needs seven fields: second minute hour day month weekday year`,
      )
  return faults
}

function deadlineFaults({ declared, timeoutSeconds }: DesiredFunction): string[] {
  const weChat = declared.includes('WECHAT_SECRET') ? weChatDeadlineSeconds : 0
  const database = declared.includes('DATABASE_URL') ? databaseDeadlineSeconds : 0
  const least = weChat + database + spareSeconds
  if (timeoutSeconds >= least) return []
  return [
    `timeout ${timeoutSeconds} is too short: ${[
      ...(weChat ? [`WeChat may take ${weChat} s`] : []),
      ...(database ? [`the database ${database} s`] : []),
    ].join(' and ')}, so it needs at least ${least}`,
  ]
}

function environmentFaults({ variables, declared }: DesiredFunction): string[] {
  const faults: string[] = []
  const bytes = Object.entries(variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  if (bytes > environmentLimitBytes)
    faults.push(`its variables take ${bytes} bytes; the cloud takes ${environmentLimitBytes}`)
  for (const name of declared) {
    if (reservedPrefixes.some((prefix) => name.startsWith(prefix)))
      faults.push(`the variable ${name} has a prefix the platform keeps for itself`)
    const rule = variableRules[name]
    const value = variables[name]
    if (!rule) continue
    const fault = value === undefined ? rule.required && 'is not set' : rule.fault(value)
    if (fault) faults.push(`${name} ${fault}`)
  }
  return [...faults, ...sharedKeyFaults(variables)]
}

/** A key that signs tokens must not also seal or look up: learning one purpose would open the other. */
function sharedKeyFaults(variables: Readonly<Record<string, string>>): string[] {
  const owners = new Map<string, string>()
  const faults: string[] = []
  for (const [name, rule] of Object.entries(variableRules)) {
    const value = variables[name]
    for (const key of (value && rule.keys?.(value)) || []) {
      const owner = owners.get(key.toString('hex'))
      if (key.length > 0 && owner && owner !== name)
        faults.push(`${name} and ${owner} hold the same key; each needs its own`)
      owners.set(key.toString('hex'), name)
    }
  }
  return faults
}

function packageFaults({ zip }: Package): string[] {
  const bytes = Math.ceil(zip.length / 3) * 4 + requestOverheadBytes
  if (bytes <= requestLimitBytes) return []
  const mb = (zip.length / 1024 / 1024).toFixed(1)
  return [`its package has ${mb} MB; with the rest of the request at most 7.4 MB can be uploaded`]
}

function domainFaults(service: DesiredService): string[] {
  const wanted = service.customDomain
  if (!wanted) return []
  const faults: string[] = []
  if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(wanted.domain))
    faults.push(`customDomain: "${wanted.domain}" is not a domain name (without https://)`)
  if (wanted.protocol !== 'HTTP' && !wanted.certificateId)
    faults.push('customDomain: certificateId is not set; HTTPS needs a certificate of the account')
  if (wanted.routes.length === 0)
    faults.push('customDomain: no function has `paths` under its http event')
  const owners = new Map<string, string>()
  for (const { path, functionName } of wanted.routes) {
    const owner = owners.get(path)
    if (owner)
      faults.push(
        `customDomain: ${path} can lead to one function, not to both ${owner} and ${functionName}`,
      )
    owners.set(path, functionName)
  }
  return faults
}

/** Everything wrong at once, or `undefined`. Nothing is sent to find out. */
export function preflight(
  service: DesiredService,
  functions: readonly DesiredFunction[],
  packages: readonly Package[],
): DeployProblem | undefined {
  const faults = functions.flatMap((wanted) => {
    const made = packages.find(({ key }) => key === wanted.key)
    return [
      ...configurationFaults(wanted),
      ...deadlineFaults(wanted),
      ...environmentFaults(wanted),
      ...(made ? packageFaults(made) : []),
    ].map((fault) => `${wanted.key}: ${fault}`)
  })
  faults.push(...domainFaults(service))
  if (faults.length === 0) return undefined
  const where = `Values come from the environment or .env.${service.stage} (or .env).`
  return problemList(`Nothing was sent to the cloud. ${where} To put right:`, faults)
}
