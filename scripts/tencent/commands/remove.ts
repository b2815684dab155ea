/** `serverless remove`: takes routes, triggers and functions away after asking; what is already gone is no error. */
import { createInterface } from 'node:readline/promises'
import { CommandProblem, problemList } from '../../cli/problem.ts'
import type { DesiredFunction } from '../../service/service.ts'
import type { CloudClient } from '../cloud/client.ts'
import { removeDomainRoutes } from '../custom-domain.ts'
import { type DeployedFunction, readDeployed } from '../deployed.ts'
import { ownershipOf, ownerTagValue, refusalOf } from '../ownership.ts'
import { functionNamed } from '../waiting.ts'
import { applyWatchingPlan, planWatching } from '../watching.ts'
import { type Command, type CommandContext, regionOption, sentenceFor } from './context.ts'

interface Found {
  wanted: DesiredFunction
  deployed: DeployedFunction
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(question)
  terminal.close()
  return answer.trim() === 'yes'
}

async function removeFunction(cloud: CloudClient, { wanted, deployed }: Found): Promise<void> {
  const target = functionNamed(wanted.name, cloud)
  const triggers = [
    ...deployed.urls.map((url) => ({ ...url, Type: 'http' })),
    ...deployed.timers.map((timer) => ({ ...timer, Type: 'timer' })),
  ]
  for (const { name: TriggerName, qualifier: Qualifier, Type } of triggers)
    await cloud.call('DeleteTrigger', { ...target, TriggerName, Type, Qualifier })
  await cloud.call('DeleteFunction', target)
}

async function remove(context: CommandContext): Promise<void> {
  const { service, options } = context
  const cloud = await context.connect()
  const read = await Promise.all(
    service.functions.map(async (wanted) => {
      const tell = (status: string): void => context.tell(`${wanted.key}: waiting, it is ${status}`)
      const deployed = await readDeployed(cloud, wanted.name, tell)
      return deployed ? [{ wanted, deployed }] : []
    }),
  )
  const found = read.flat()
  const owner = ownerTagValue(service)
  const strangers = found.flatMap(({ wanted: { name }, deployed }) => {
    const refusal = refusalOf(ownershipOf(deployed, owner), { name, adopts: false })
    return refusal ? [refusal] : []
  })
  if (strangers.length > 0) throw problemList('Nothing was removed.', strangers)
  const names = found.map(({ wanted }) => wanted.name).join(', ')
  const what = `${names || 'no function'}${service.customDomain ? ` and our routes of ${service.customDomain.domain}` : ''}`
  if (!options.yes) {
    const question = `This removes ${what} in ${service.region}, with their URLs, for good. Type "yes" to go on: `
    if (!(await confirmed(question)))
      throw new CommandProblem(
        `Nothing was removed. It would have been: ${what}. Answer "yes" or give --yes.`,
      )
  }
  const routes = await removeDomainRoutes(cloud, service)
  if (routes) context.print(routes)
  const failures: string[] = []
  try {
    const watching = { ...service.watching, noticeId: '', retentionDays: '' }
    const plan = await planWatching(cloud, { ...service, watching })
    if (plan) await applyWatchingPlan(cloud, plan)
    for (const change of plan?.changes ?? []) context.print(change)
  } catch (error) {
    failures.push(`alarms: ${sentenceFor(error)}`)
  }
  for (const each of found) {
    try {
      await removeFunction(cloud, each)
      context.print(`removed ${each.wanted.name}`)
    } catch (error) {
      failures.push(`${each.wanted.key}: ${sentenceFor(error)}`)
    }
  }
  if (failures.length > 0)
    throw problemList(
      'Not everything was removed; running the command again goes on. Failed:',
      failures,
    )
  if (found.length === 0) context.print('There was no function to remove.')
}

export const removeCommand: Command = {
  definitions: {
    remove: {
      options: { ...regionOption, yes: { usage: 'Do not ask', type: 'boolean', shortcut: 'y' } },
    },
  },
  hooks: { 'remove:remove': remove },
}
