/** The triggers of a function as the cloud lists them: its URL and its timers. */
import { CommandProblem } from '../cli/problem.ts'
import type { Timer } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import type { ScfModels } from './cloud/sdk.ts'
import { functionNamed, lookUntil } from './waiting.ts'

type TriggerAnswer = NonNullable<ScfModels['ListTriggers']['response']['Triggers']>[number]

export interface DeployedTimer extends Timer {
  qualifier: string
  /** Made by a deploy of ours, not by hand. */
  ours: boolean
}

export interface DeployedUrl {
  /** '' while the cloud does not tell it yet. */
  url: string
  name: string
  qualifier: string
  authType: string
}

/** Marks the timers that a deploy made, so that it only ever deletes those. */
export const timerMark = 'serverless.yml'

/** All triggers of a function, over as many pages as there are. @throws {CommandProblem} for a list with holes */
export async function listTriggers(cloud: CloudClient, name: string): Promise<TriggerAnswer[]> {
  const triggers: TriggerAnswer[] = []
  for (;;) {
    const range = { Offset: triggers.length, Limit: 20 }
    const page = await cloud.call('ListTriggers', { ...functionNamed(name, cloud), ...range })
    triggers.push(...(page.Triggers ?? []))
    const total = page.TotalCount ?? 0
    if (triggers.length >= total) return triggers
    if (!page.Triggers?.length)
      throw new CommandProblem(
        `The cloud lists ${triggers.length} of ${total} triggers of ${name}. Run the command again.`,
      )
  }
}

/** A Function URL tells its address in its description (cloud.tencent.com/document/product/583/100227). */
export function urlsIn(triggers: TriggerAnswer[]): DeployedUrl[] {
  return triggers
    .filter(({ Type }) => Type === 'http')
    .map(({ TriggerDesc, TriggerName = '', Qualifier = '' }) => {
      const { NetConfig, AuthType } = descriptionOf(TriggerDesc)
      return {
        url: NetConfig?.ExtranetUrl ?? '',
        authType: AuthType ?? '',
        name: TriggerName,
        qualifier: Qualifier,
      }
    })
}

interface UrlDescription {
  AuthType?: string
  NetConfig?: { ExtranetUrl?: string }
}

function descriptionOf(text: string | undefined): UrlDescription {
  try {
    return JSON.parse(text || '{}') as UrlDescription
  } catch {
    return {}
  }
}

function cronIn(description: string): string {
  try {
    return (JSON.parse(description) as { cron?: string }).cron ?? description
  } catch {
    return description
  }
}

export function timersIn(triggers: TriggerAnswer[]): DeployedTimer[] {
  return triggers
    .filter(({ Type }) => Type === 'timer')
    .map((trigger) => ({
      name: trigger.TriggerName ?? '',
      cron: cronIn(trigger.TriggerDesc ?? ''),
      enabled: trigger.Enable === 1,
      argument: trigger.CustomArgument ?? '',
      qualifier: trigger.Qualifier ?? '$DEFAULT',
      ours: trigger.Description === timerMark,
    }))
}

/** The function's address. The cloud lists a new one some seconds later. @throws {CommandProblem} when it never does */
export async function waitForUrl(
  cloud: CloudClient,
  name: string,
  tell: (step: string) => void,
): Promise<string> {
  let isTold = false
  const url = await lookUntil(cloud, async () => {
    const found = urlsIn(await listTriggers(cloud, name)).find((each) => each.url !== '')
    if (!found && !isTold) tell('waiting, its URL is not listed yet')
    isTold = true
    return found?.url
  })
  if (url) return url
  throw new CommandProblem(
    `its Function URL was created, and the cloud does not list it after ${Math.round(cloud.patience.totalMs / 1000)} seconds. Run the command again.`,
  )
}
