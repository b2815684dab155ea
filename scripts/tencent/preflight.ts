/**
 * What can be known to fail before anything is sent: what the functions would refuse at their start, and what concerns
 * the cloud alone. Limits: cloud.tencent.com/document/product/583/11637 and the comments of CreateFunction; the API takes
 * bodies of at most 10 MB.
 */
import { isLoopbackHost } from '../../shared/network-addresses.ts'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { WECHAT_BUDGET_MS } from '../../shared/wechat/api-call.ts'
import { variablesOf } from '../../shared/wiring/compose.ts'
import { type Details, readVariables, type Values } from '../../shared/wiring/configuration.ts'
import { DATABASE_BUDGET_MS } from '../../shared/wiring/database.ts'
import type { AnsweredTimers, Declarations } from '../build/declarations.ts'
import { type DesiredFunction, type DesiredService, defaults } from '../service/service.ts'
import { type DeployFault, type FaultCode, mergeFaults } from './fault.ts'
import type { Package } from './package-functions.ts'

const environmentLimitBytes = 4096
const requestLimitBytes = 10 * 1024 * 1024
/** The rest of a CreateFunction body: names, variables, keys of the JSON. */
const requestOverheadBytes = 16 * 1024
const longestName = 60
const longestDescription = 800
const memoryStepMb = 128
const memoryLimitMb = 3072
const longestTimeoutSeconds = 900
/** Of a log topic (614/42782). */
const longestRetentionDays = 3600
const forEverDays = 3640
const reservedPrefixes = ['SCF_', 'QCLOUD_', 'TENCENTCLOUD_']
/** For a cold start and for the answer. */
const spareMs = 1000

/** What is wrong with one function. */
type Fault = Omit<DeployFault, 'functions'>

function fault(code: FaultCode, details?: Details): Fault {
  return { code, details }
}

function settingFaults(wanted: DesiredFunction): Fault[] {
  const { name, memorySize, timeoutSeconds: seconds, handler, description, timers } = wanted
  const isName = /^[A-Za-z][A-Za-z0-9_-]*[A-Za-z0-9]$/.test(name) && name.length <= longestName
  const isStep = memorySize % memoryStepMb === 0 && memorySize >= memoryStepMb
  const isMemory = memorySize === 64 || (isStep && memorySize <= memoryLimitMb)
  const memory = { memoryMb: memorySize, stepMb: memoryStepMb, mostMb: memoryLimitMb }
  const isDescription =
    /^[A-Za-z0-9\s,.\u4e00-\u9fff]*$/.test(description) && description.length <= longestDescription
  const checks: [isFine: boolean, code: FaultCode, details?: Details][] = [
    [isName, 'bad-name', { name, most: longestName, length: name.length }],
    [isMemory, 'bad-memory', memory],
    [
      seconds >= 1 && seconds <= longestTimeoutSeconds,
      'bad-timeout',
      { seconds, most: longestTimeoutSeconds },
    ],
    [handler === defaults.handler, 'bad-handler', { expected: defaults.handler }],
    [isDescription, 'bad-description', { most: longestDescription }],
    [Boolean(wanted.vpcId) === Boolean(wanted.subnetId), 'half-vpc'],
    [Boolean(wanted.logsetId) === Boolean(wanted.topicId), 'half-cls'],
    [new Set(timers.map((timer) => timer.name)).size === timers.length, 'repeated-timer'],
    ...timers.map((timer): [boolean, FaultCode, Details] => [
      timer.cron.trim().split(/\s+/).length === 7,
      'bad-cron',
      { timer: timer.name },
    ]),
  ]
  return checks.flatMap(([isFine, code, details]) => (isFine ? [] : [fault(code, details)]))
}

/** A timeout shorter than what the function waits for: the platform would end it before it answers. */
function deadlineFaults({ declared, timeoutSeconds }: DesiredFunction): Fault[] {
  const waitsMs =
    (declared.includes('WECHAT_SECRET') ? WECHAT_BUDGET_MS : 0) +
    (declared.includes('DATABASE_URL') ? DATABASE_BUDGET_MS : 0)
  const least = Math.ceil((waitsMs + spareMs) / 1000)
  if (timeoutSeconds >= least) return []
  return [fault('short-timeout', { seconds: timeoutSeconds, waits: waitsMs / 1000, least })]
}

/** A timer whose events the function would refuse, every night, where nobody looks. */
function timerFaults({ key, timers }: DesiredFunction, answered: AnsweredTimers): Fault[] {
  return timers
    .filter(({ name }) => !answered.get(key)?.includes(name))
    .map(({ name: timer }) => fault('unanswered-timer', { timer, name: key }))
}

function environmentFaults({ variables, declared }: DesiredFunction): Fault[] {
  const faults = declared
    .filter((name) => reservedPrefixes.some((prefix) => name.startsWith(prefix)))
    .map((variable): Fault => ({ variable, code: 'reserved-prefix' }))
  const bytes = Object.entries(variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  )
  if (bytes > environmentLimitBytes)
    faults.push(fault('large-environment', { bytes, most: environmentLimitBytes }))
  return faults
}

/** By the functions' own rules first; a value that they take is then judged for the cloud. */
function variableFaults(wanted: DesiredFunction, declarations: Declarations): Fault[] {
  const parts = declarations.get(wanted.key)
  if (!parts) return [fault('no-declaration', { name: wanted.key })]
  const { values, faults } = readVariables(variablesOf(parts), wanted.variables)
  return [
    ...faults.map((each): Fault => {
      const isGiven = each.code !== 'missing' || wanted.declared.includes(each.variable)
      return isGiven ? each : { variable: each.variable, code: 'not-given' }
    }),
    ...cloudFaults(values),
    ...sharedSecretFaults(values),
  ]
}

function cloudFaults(values: Partial<Values>): Fault[] {
  const { DATABASE_URL, WECHAT_API_URL, WECHAT_APPID, WECHAT_SECRET } = values
  const faults: Fault[] = []
  for (const [variable, address] of Object.entries({ DATABASE_URL, WECHAT_API_URL }))
    if (address && isLoopbackHost(new URL(address).hostname))
      faults.push({ variable, code: 'this-computer' })
  // Functions take any shape, for offline WeChats; the real one's are known.
  if (WECHAT_APPID && !/^wx[0-9a-f]{16}$/.test(WECHAT_APPID))
    faults.push({ variable: 'WECHAT_APPID', code: 'bad-appid' })
  if (WECHAT_SECRET && !/^[0-9a-f]{32}$/.test(WECHAT_SECRET))
    faults.push({ variable: 'WECHAT_SECRET', code: 'bad-appsecret' })
  return faults
}

/** A secret must not serve two purposes: learning one would open the other. */
function sharedSecretFaults(values: Partial<Values>): Fault[] {
  const { WECHAT_SECRET, DATABASE_URL, TOKEN_KEYS = [], SEALING_KEYS = [], LOOKUP_KEY } = values
  const asText = (text: string): Buffer[] => [Buffer.from(text), Buffer.from(text, 'base64url')]
  const secrets: [variable: string, spellings: Uint8Array[]][] = [
    ['WECHAT_SECRET', asText(WECHAT_SECRET ?? '')],
    ['DATABASE_URL', asText(DATABASE_URL ? new URL(DATABASE_URL).password : '')],
    ...TOKEN_KEYS.map(({ bytes }): [string, Uint8Array[]] => ['TOKEN_KEYS', [bytes]]),
    ...SEALING_KEYS.map(({ bytes }): [string, Uint8Array[]] => ['SEALING_KEYS', [bytes]]),
    ['LOOKUP_KEY', LOOKUP_KEY ? [LOOKUP_KEY] : []],
  ]
  const owners = new Map<string, string>()
  const faults: Fault[] = []
  for (const [variable, spellings] of secrets) {
    const texts = spellings.map((bytes) => Buffer.from(bytes).toString('hex')).filter(Boolean)
    const other = texts.map((text) => owners.get(text)).find(Boolean)
    if (other === variable) faults.push({ variable, code: 'repeated-key' })
    else if (other) faults.push({ variable, code: 'shared-secret', details: { other } })
    for (const text of texts) owners.set(text, variable)
  }
  return faults
}

/** A package of another machine, stage or release must fit what is deployed with it. */
function recordFaults({ record, sha256 }: Package, { variables }: DesiredFunction): Fault[] {
  if (!record) return [fault('no-package-record')]
  if (record.sha256 !== sha256) return [fault('package-changed')]
  const faults = record.needs
    .filter((name) => !variables[name])
    .map((variable): Fault => ({ variable, code: 'package-variable' }))
  const needed = variables.DATABASE_URL && storeDoorOf(variables.DATABASE_URL)
  if (needed && needed !== record.storeDoor)
    faults.push({
      variable: 'DATABASE_URL',
      code: 'package-door',
      details: { made: record.storeDoor, needed },
    })
  return faults
}

function sizeFaults({ zip }: Package): Fault[] {
  const bytes = Math.ceil(zip.length / 3) * 4 + requestOverheadBytes
  if (bytes <= requestLimitBytes) return []
  const mb = (zip.length / 1024 / 1024).toFixed(1)
  const most = ((requestLimitBytes - requestOverheadBytes) * 3) / 4 / 1024 / 1024
  return [fault('large-package', { mb, mostMb: Math.floor(most * 10) / 10 })]
}

function domainFaults({ customDomain }: DesiredService): DeployFault[] {
  if (!customDomain) return []
  const faults: Fault[] = []
  if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(customDomain.domain)) faults.push(fault('bad-domain'))
  if (customDomain.protocol !== 'HTTP' && !customDomain.certificateId)
    faults.push(fault('no-certificate'))
  if (customDomain.routes.length === 0) faults.push(fault('no-paths'))
  const owners = new Map<string, string>()
  for (const { path, functionName } of customDomain.routes) {
    const first = owners.get(path)
    if (first) faults.push(fault('shared-path', { path, first, second: functionName }))
    owners.set(path, functionName)
  }
  return faults.map((each) => ({ ...each, functions: [] }))
}

function watchingFaults({ watching }: DesiredService): DeployFault[] {
  const { topicId, noticeId, retentionDays } = watching
  const days = Number(retentionDays)
  const isPeriod = /^\d+$/.test(retentionDays) && days >= 1
  const checks: [isFine: boolean, fault: Fault][] = [
    [topicId !== '' || (noticeId === '' && retentionDays === ''), fault('watching-without-topic')],
    [
      retentionDays === '' || (isPeriod && (days <= longestRetentionDays || days === forEverDays)),
      fault('bad-retention', { most: longestRetentionDays, ever: forEverDays }),
    ],
  ]
  return checks.flatMap(([isFine, each]) => (isFine ? [] : [{ ...each, functions: [] }]))
}

/** What a deploy is about to send. */
export interface Preflight {
  service: DesiredService
  /** Those of its functions that are deployed. */
  functions: readonly DesiredFunction[]
  packages: readonly Package[]
  declarations: Declarations
  /** Which timers the functions answer; not looked at when left out. */
  answeredTimers?: AnsweredTimers
}

/** Everything wrong at once. Nothing is sent to find out. */
export function preflight({
  service,
  functions,
  packages,
  declarations,
  answeredTimers,
}: Preflight): DeployFault[] {
  const faults = functions.flatMap((wanted) => {
    const made = packages.find(({ key }) => key === wanted.key)
    const ofVariables = variableFaults(wanted, declarations)
    const isTold = ({ variable }: Fault): boolean =>
      variable !== undefined && ofVariables.some((each) => each.variable === variable)
    const ofRecord = made ? recordFaults(made, wanted) : []
    return [
      ...settingFaults(wanted),
      ...deadlineFaults(wanted),
      ...(answeredTimers ? timerFaults(wanted, answeredTimers) : []),
      ...environmentFaults(wanted),
      ...ofVariables,
      ...(made ? sizeFaults(made) : []),
      ...ofRecord.filter((each) => !isTold(each)),
    ].map((each) => ({ ...each, functions: [wanted.key] }))
  })
  return mergeFaults([...faults, ...domainFaults(service), ...watchingFaults(service)])
}
