/** What of a function's configuration and timers differs from serverless.yml, in words. Pure. */

import type { DesiredFunction, Timer } from '../service/service.ts'
import { readCodeMark } from './code-mark.ts'
import type { DeployedSettings } from './deployed.ts'
import type { DeployedTimer } from './triggers.ts'

export interface Difference {
  field: 'memory' | 'timeout' | 'vpc' | 'outside' | 'role' | 'logs' | 'description' | 'environment'
  words: string
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

/** What a call of the function would notice. */
export function behaviourDifferences(
  wanted: DesiredFunction,
  deployed: DeployedSettings,
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
  if (!deployed.hasOutsideAccess)
    differences.push({ field: 'outside', words: 'access to the public network → on' })
  compare('role', deployed.role, wanted.role)
  // Without a topic of one's own the cloud chooses one: that is no difference.
  if (wanted.topicId) {
    compare('logs', deployed.logsetId, wanted.logsetId, 'logset')
    compare('logs', deployed.topicId, wanted.topicId, 'log topic')
  }
  return [...differences, ...variableDifferences(wanted.variables, deployed.variables)]
}

export function configurationDifferences(
  wanted: DesiredFunction,
  deployed: DeployedSettings,
): Difference[] {
  const differences = behaviourDifferences(wanted, deployed)
  if (deployed.description === wanted.description) return differences
  const words = readCodeMark(deployed.description)
    ? 'the mark of an earlier release taken out of the description'
    : 'description changed'
  return [...differences, { field: 'description', words }]
}

export interface TimerChanges {
  create: readonly Timer[]
  update: readonly { wanted: Timer; qualifier: string }[]
  delete: readonly DeployedTimer[]
}

export function timerChanges(
  wanted: readonly Timer[],
  deployed: readonly DeployedTimer[],
): TimerChanges {
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
