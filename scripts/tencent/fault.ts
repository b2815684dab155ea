/** What a deploy refuses before it sends anything, as codes; each language makes its sentence from the code. */

import { type Details, fill, refusals } from '../../shared/wiring/configuration.ts'

/** Sentences: about a variable, to follow its name, and about a setting of serverless.yml. */
export const faultSentences = {
  ...refusals,
  // Variables, beyond what the functions themselves refuse.
  'not-given': 'is needed, but serverless.yml does not give it to the function',
  'this-computer': 'leads to this computer, which the cloud cannot reach',
  'shared-secret': 'and {other} hold the same secret; each needs its own',
  'repeated-key': 'holds one key under two ids: rotating between them changes nothing',
  'reserved-prefix': 'has a prefix the platform keeps for itself',
  // A function's settings.
  'no-declaration': 'functions/{name}/parts.ts is missing: it exports what the function needs',
  'bad-name':
    'the name "{name}" is not 2 to {most} letters, digits, - or _, beginning with a letter; it has {length}',
  'bad-memory': 'memorySize {memoryMb} is not 64 or a multiple of {stepMb} up to {mostMb}',
  'bad-timeout': 'timeout {seconds} is not 1 to {most} seconds',
  'short-timeout':
    'timeout {seconds} is too short: WeChat and the database may take {waits} s, so it needs at least {least}',
  'bad-handler': "the bundle's only handler is {expected}",
  'bad-description':
    'the description may hold {most} letters, digits, spaces, commas and full stops, or Chinese',
  'half-vpc': 'vpcConfig needs both vpcId and subnetId',
  'half-cls': 'cls needs both logsetId and topicId',
  'repeated-timer': 'two timers have the same name',
  'bad-cron': 'the timer {timer} needs seven fields: second minute hour day month weekday year',
  'unanswered-timer':
    'the timer {timer} is not one that the function answers: functions/{name}/parts.ts lists those in `timers`',
  'large-environment': 'its variables take {bytes} bytes; the cloud takes {most}',
  'large-package':
    'its package has {mb} MB; with the rest of the request at most {mostMb} MB can be uploaded',
  // Its package.
  'no-package-record':
    'its package does not say what it was made for: run "serverless package" of this release',
  'package-changed': 'its package is another one than the file beside it describes: make it anew',
  'package-variable': 'has no value, and its package answers nothing but errors without it',
  'package-door':
    'leads to {needed}, and its package was made for {made}: run "serverless package" with this stage',
  // The log topic.
  'watching-without-topic':
    'watching: logRetentionDays and alarmNoticeId are about a log topic of your own; set cls for the provider',
  'bad-retention': 'watching: logRetentionDays is not 1 to {most}, or {ever} for ever',
  // The custom domain.
  'bad-domain': 'customDomain: this is not a domain name (without https://)',
  'no-certificate':
    'customDomain: certificateId is not set; HTTPS needs a certificate of the account',
  'no-paths': 'customDomain: no function has `paths` under its http event',
  'shared-path': 'customDomain: {path} can lead to one function, not to both {first} and {second}',
} as const satisfies Record<string, string>

/** One of the faults. */
export type FaultCode = keyof typeof faultSentences

/** Something a deploy refuses. Holds no value of a variable. */
export interface DeployFault {
  /** The functions it concerns, by their keys in serverless.yml; none for a setting of the whole service. */
  functions: readonly string[]
  /** The variable it concerns; none for a setting. */
  variable?: string | undefined
  code: FaultCode
  details?: Details | undefined
}

/** The fault as the deploy prints it. */
export function inEnglish({ functions, variable, code, details }: DeployFault): string {
  const what = [...(variable ? [variable] : []), fill(faultSentences[code], details)].join(' ')
  return functions.length > 0 ? `${functions.join(', ')}: ${what}` : what
}

/** The same fault of several functions is one. */
export function mergeFaults(faults: readonly DeployFault[]): DeployFault[] {
  const merged = new Map<string, DeployFault>()
  for (const fault of faults) {
    const id = JSON.stringify([fault.variable, fault.code, fault.details])
    const functions = [...(merged.get(id)?.functions ?? []), ...fault.functions]
    merged.set(id, { ...fault, functions })
  }
  return [...merged.values()]
}
