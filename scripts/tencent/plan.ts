/** Compares serverless.yml with the cloud and says what has to change. Pure: no calls, no clock. */

import { CommandProblem } from '../cli/problem.ts'
import type { DesiredFunction, Timer } from '../service/service.ts'
import type { DeployedFunction, DeployedTimer } from './deployed.ts'
import type { Package } from './package-functions.ts'

interface Difference {
  field: 'memory' | 'timeout' | 'vpc' | 'role' | 'logs' | 'description' | 'environment'
  words: string
}

export interface FunctionPlan {
  wanted: DesiredFunction
  package: Package
  /** `replace`: it was never created to the end, so it is deleted and created again. */
  function: 'create' | 'replace' | 'keep'
  /** Upload the package. */
  code: boolean
  /** What of the configuration differs, in words; variables by name only. */
  configuration: readonly Difference[]
  /** The description to write: the wanted one, with the mark of the code where that is needed. */
  description: string
  /** Create the Function URL. */
  url: boolean
  existingUrl: string
  timers: {
    create: readonly Timer[]
    update: readonly { wanted: Timer; qualifier: string }[]
    delete: readonly DeployedTimer[]
  }
  /** Things the deploy leaves as they are and the reader should know. */
  notes: readonly string[]
}

/**
 * The cloud tells the SHA-256 of the package it keeps. Should that differ from what was sent (a cloud that packs anew),
 * the description remembers which digest of ours became which of theirs. Only characters a description may hold.
 */
const codeMark = /\s*Code ([0-9a-f]{64}) is kept as (\w+)\.$/

export function withCodeMark(description: string, sent: string, kept: string): string {
  return `${description} Code ${sent} is kept as ${kept || 'unknown'}.`.trim()
}

function withoutCodeMark(description: string): string {
  return description.replace(codeMark, '')
}

function isSameCode(sent: string, deployed: DeployedFunction): boolean {
  if (deployed.codeSha256 === sent) return true
  const mark = codeMark.exec(deployed.description)
  return mark?.[1] === sent && mark[2] === (deployed.codeSha256 || 'unknown')
}

function variableDifferences(
  wanted: Readonly<Record<string, string>>,
  deployed: Readonly<Record<string, string>>,
): Difference[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(deployed)])].sort()
  return names.flatMap((name) => {
    if (wanted[name] === deployed[name]) return []
    const how = !(name in deployed) ? 'added' : !(name in wanted) ? 'removed' : 'changed'
    return [{ field: 'environment', words: `variable ${name} ${how}` }]
  })
}

function configurationDifferences(
  wanted: DesiredFunction,
  deployed: DeployedFunction,
): Difference[] {
  const differences: Difference[] = []
  const compare = (
    field: Difference['field'],
    before: string | number,
    after: string | number,
    what: string = field,
  ): void => {
    const words = `${what} ${before || 'none'} → ${after || 'none'}`
    if (before !== after) differences.push({ field, words })
  }
  compare('memory', deployed.memorySize, wanted.memorySize)
  compare('timeout', deployed.timeoutSeconds, wanted.timeoutSeconds)
  compare('vpc', deployed.vpcId, wanted.vpcId)
  compare('vpc', deployed.subnetId, wanted.subnetId, 'subnet')
  compare('role', deployed.role, wanted.role)
  // Without a topic of one's own the cloud chooses one: that is no difference.
  if (wanted.topicId) {
    compare('logs', deployed.logsetId, wanted.logsetId, 'logset')
    compare('logs', deployed.topicId, wanted.topicId, 'log topic')
  }
  if (withoutCodeMark(deployed.description) !== wanted.description)
    differences.push({ field: 'description', words: 'description changed' })
  return [...differences, ...variableDifferences(wanted.variables, deployed.variables)]
}

function timerDifferences(
  wanted: readonly Timer[],
  deployed: readonly DeployedTimer[],
): FunctionPlan['timers'] {
  const existing = (timer: Timer) => deployed.find(({ name }) => name === timer.name)
  return {
    create: wanted.filter((timer) => !existing(timer)),
    update: wanted.flatMap((timer) => {
      const found = existing(timer)
      const same =
        found?.cron === timer.cron &&
        found.enabled === timer.enabled &&
        found.argument === timer.argument
      return found && !same ? [{ wanted: timer, qualifier: found.qualifier }] : []
    }),
    delete: deployed.filter(
      (timer) => timer.ours && !wanted.some(({ name }) => name === timer.name),
    ),
  }
}

function refuseFixedChanges(wanted: DesiredFunction, deployed: DeployedFunction): void {
  const fixed = [
    ['runtime', deployed.runtime, wanted.runtime],
    ['type', deployed.type, wanted.type],
  ].find(([, before, after]) => before !== after)
  if (!fixed) return
  const [what, before, after] = fixed
  throw new CommandProblem(
    `${wanted.key}: the cloud fixes a function's ${what} when it is created: ${wanted.name} has ${before}, serverless.yml says ${after}. ` +
      'Put it back, or give the function another `name` (it gets a new URL), or run "serverless remove" first (every URL changes).',
  )
}

function notesOn(wanted: DesiredFunction, deployed: DeployedFunction): string[] {
  const notes: string[] = []
  const [url] = deployed.urls
  if (url && !wanted.url)
    notes.push(`has the URL ${url.url}, which serverless.yml does not declare; it is left alone`)
  if (url && wanted.url && url.authType !== 'NONE')
    notes.push(
      `its URL asks for ${url.authType} signatures, which a mini program cannot make; a URL cannot be changed, only removed in the console and created anew`,
    )
  return notes
}

/** Throws a `CommandProblem` when the wanted function cannot be reached by changes. `force` uploads equal code too. */
export function planFunction(
  wanted: DesiredFunction,
  made: Package,
  deployed: DeployedFunction | undefined,
  options: { force?: boolean } = {},
): FunctionPlan {
  const base = { wanted, package: made, description: wanted.description }
  if (!deployed || deployed.status === 'CreateFailed')
    return {
      ...base,
      function: deployed ? 'replace' : 'create',
      code: false,
      configuration: [],
      url: wanted.url,
      existingUrl: '',
      timers: { create: wanted.timers, update: [], delete: [] },
      notes: [],
    }
  refuseFixedChanges(wanted, deployed)
  const sameCode = isSameCode(made.sha256, deployed)
  const handlerDiffers = wanted.type === 'event' && deployed.handler !== wanted.handler
  const keepsMark = sameCode && deployed.codeSha256 !== made.sha256
  return {
    ...base,
    function: 'keep',
    code: !sameCode || handlerDiffers || options.force === true,
    configuration: configurationDifferences(wanted, deployed),
    description: keepsMark
      ? withCodeMark(wanted.description, made.sha256, deployed.codeSha256)
      : wanted.description,
    url: wanted.url && deployed.urls.length === 0,
    existingUrl: deployed.urls[0]?.url ?? '',
    timers: timerDifferences(wanted.timers, deployed.timers),
    notes: notesOn(wanted, deployed),
  }
}

/** Whether the plan holds anything to do. */
export function changesAnything(plan: FunctionPlan): boolean {
  return planInWords(plan).length > 0
}

/** The plan in words, one short phrase per change. */
export function planInWords(plan: FunctionPlan): string[] {
  return [
    ...(plan.function === 'create' ? ['create the function'] : []),
    ...(plan.function === 'replace'
      ? ['delete what is left of a failed creation', 'create it']
      : []),
    ...(plan.code ? ['upload the code'] : []),
    ...plan.configuration.map(({ words }) => words),
    ...(plan.url ? ['create the Function URL'] : []),
    ...plan.timers.create.map(({ name, cron }) => `create the timer ${name} (${cron})`),
    ...plan.timers.update.map(({ wanted }) => `update the timer ${wanted.name} (${wanted.cron})`),
    ...plan.timers.delete.map(({ name }) => `delete the timer ${name}`),
  ]
}
