/**
 * `serverless rollback`: leads users back to the versions they got before the last deployment, with the variables of
 * that time. Nothing is uploaded; functions that the last deployment did not touch stay as they are.
 */
import { CommandProblem, problemList } from '../../cli/problem.ts'
import { type DesiredFunction, functionCalled } from '../../service/service.ts'
import type { CloudClient } from '../cloud/client.ts'
import { ownershipOf, ownerTagValue, refusalOf } from '../ownership.ts'
import { type Alias, listVersions, moveAlias, newestState, readAlias } from '../releases.ts'
import { getFunction } from '../waiting.ts'
import {
  type Command,
  type CommandContext,
  regionOption,
  sentenceFor,
  textOption,
} from './context.ts'

interface Found {
  wanted: DesiredFunction
  alias: Alias
}

interface Step extends Found {
  to: Alias
  words: string
}

/** The function with its alias. Absent ones are left out; a stranger's is a `CommandProblem`. */
async function find(
  { service, tell }: CommandContext,
  { cloud, wanted }: { cloud: CloudClient; wanted: DesiredFunction },
): Promise<Found[]> {
  const { name, key } = wanted
  const found = await getFunction(cloud, name)
  if (!found) {
    tell(`${key}: not deployed (${name})`)
    return []
  }
  const tags = Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key, Value]))
  const ownership = ownershipOf(
    { tags, description: found.Description ?? '' },
    ownerTagValue(service),
  )
  const refusal = refusalOf(ownership, { name, adopts: false })
  if (refusal) throw new CommandProblem(`Nothing was changed. ${key}: ${refusal}`)
  return [{ wanted, alias: await readAlias(cloud, name) }]
}

/** The last deployment undone: of a part of the calls, or of all. */
function lastUndone(found: readonly Found[]): Step[] {
  const parted = found.filter(({ alias }) => alias.additional)
  if (parted.length > 0)
    return parted.map(({ wanted, alias: { additional, ...alias } }) => {
      const words = `version ${additional?.version} gets no calls any more, ${alias.version} all`
      return { wanted, alias, to: alias, words }
    })
  const [last] = found
    .flatMap(({ alias }) => alias.releases[0]?.at ?? [])
    .sort()
    .reverse()
  const steps = found.flatMap(({ wanted, alias }) => {
    const [head, previous, ...older] = alias.releases
    if (!head || head.at !== last || !previous) return []
    const to = { version: previous.version, releases: [previous, ...older] }
    return [{ wanted, alias, to, words: `version ${alias.version} → ${to.version}` }]
  })
  if (steps.length > 0) return steps
  throw new CommandProblem(
    'There is nothing to go back to: no deployment before the last one is remembered. "serverless info" shows what is; -f NAME --to VERSION chooses one.',
  )
}

function chosenVersion({ wanted, alias }: Found, version: string): Step {
  const known = alias.releases.findIndex((release) => release.version === version)
  const releases = known === -1 ? [] : alias.releases.slice(known)
  const words = `version ${alias.version} → ${version}`
  return { wanted, alias, to: { version, releases }, words }
}

/** Says why a version cannot be gone back to; undefined when it can. */
async function faultOf(cloud: CloudClient, { wanted, to }: Step): Promise<string | undefined> {
  if (to.version === newestState) return undefined
  const versions = await listVersions(cloud, wanted.name)
  const found = versions.find(({ version }) => version === to.version)
  const there = versions.map(({ version }) => version).join(', ') || 'none'
  if (!found) return `${wanted.key}: there is no version ${to.version}; there are: ${there}`
  const { Status } = (await getFunction(cloud, wanted.name, to.version)) ?? {}
  return Status === 'Active' ? undefined : `${wanted.key}: version ${to.version} is ${Status}`
}

async function rollback(context: CommandContext): Promise<void> {
  const { options, service } = context
  const key = textOption(options, 'function')
  const version = textOption(options, 'to')
  if (options.timestamp)
    throw new CommandProblem('--timestamp is not supported on Tencent Cloud: -f NAME --to VERSION.')
  if (version !== undefined && (key === undefined || !/^\d+$/.test(version)))
    throw new CommandProblem('--to takes the number of a version, and goes with -f NAME.')
  const chosen = key ? [functionCalled(service, key)] : service.functions
  const cloud = await context.connect()
  const read = await Promise.all(chosen.map((wanted) => find(context, { cloud, wanted })))
  const found = read.flat()
  const [one] = found
  const steps = version && one ? [chosenVersion(one, version)] : lastUndone(found)

  const faults = await Promise.all(steps.map((step) => faultOf(cloud, step)))
  const told = faults.filter((fault) => fault !== undefined)
  if (told.length > 0) throw problemList('Nothing was changed.', told)
  if (options['dry-run']) {
    context.print('Plan, nothing done:')
    for (const { wanted, words } of steps) context.print(`  ${wanted.key}: ${words}`)
    return
  }
  const failures: string[] = []
  for (const { wanted, to, words } of steps) {
    try {
      await moveAlias(cloud, wanted.name, to)
      context.print(`${wanted.key}: ${words}`)
    } catch (error) {
      failures.push(`${wanted.key}: ${sentenceFor(error)}`)
    }
  }
  if (failures.length > 0)
    throw problemList(
      'Not everything went back; running the command again goes on. Failed:',
      failures,
    )
}

export const rollbackCommand: Command = {
  definitions: {
    rollback: {
      usage: 'Lead users back to the versions before the last deployment',
      lifecycleEvents: ['rollback'],
      options: {
        function: { usage: 'Only this function', type: 'string', shortcut: 'f' },
        to: { usage: 'With -f: to this version', type: 'string' },
        'dry-run': { usage: 'Say what would be changed, and change nothing', type: 'boolean' },
        ...regionOption,
      },
    },
  },
  hooks: { 'rollback:rollback': rollback },
}
