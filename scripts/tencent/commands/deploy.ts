/**
 * `serverless deploy` and `serverless deploy function`: check, read, compare, then change only what differs. Functions are
 * prepared side by side; only when every one of them is ready, users get the new versions. A second run takes up where
 * one stopped.
 */
import { readDeclarations } from '../../build/declarations.ts'
import { CommandProblem, problemList } from '../../cli/problem.ts'
import { type Prepared, prepare, release } from '../apply.ts'
import type { CloudClient } from '../cloud/client.ts'
import { CloudFailure } from '../cloud/failure.ts'
import { applyDomainPlan, cnameTarget, type DomainPlan, planDomain } from '../custom-domain.ts'
import { readDeployed } from '../deployed.ts'
import { inEnglish } from '../fault.ts'
import type { CommandOption } from '../framework.ts'
import { logTopicFault } from '../log-topic.ts'
import { ownershipInWords, ownerTagValue } from '../ownership.ts'
import { type Package, readPackage } from '../package-functions.ts'
import { changesAnything, type FunctionPlan, planFunction, planInWords } from '../plan.ts'
import { preflight } from '../preflight.ts'
import { releaseTime } from '../releases.ts'
import { applyWatchingPlan, planWatching, type WatchingPlan } from '../watching.ts'
import {
  type Command,
  type CommandContext,
  loaded,
  regionOption,
  sentenceFor,
  textOption,
} from './context.ts'
import { packageChosen } from './package.ts'

/** Exit code of `--dry-run --check` when the cloud differs. */
const driftExitCode = 2

interface WholePlan {
  /** Migrations that are not applied; undefined when nobody looked. */
  migrations: readonly string[] | undefined
  functions: FunctionPlan[]
  domain: DomainPlan | undefined
  watching: WatchingPlan | undefined
}

/** The first failure of reading ends the command: nothing has been changed yet. */
async function planFunctions(
  context: CommandContext,
  cloud: CloudClient,
  packages: readonly Package[],
): Promise<FunctionPlan[]> {
  const { force, adopt } = context.options
  const owner = ownerTagValue(context.service)
  const read = context.chosen().map(async (wanted) => {
    const tell = (status: string): void => context.tell(`${wanted.key}: waiting, it is ${status}`)
    const made = packages.find(({ key }) => key === wanted.key)
    if (!made) throw new CommandProblem(`${wanted.key}: it was not packaged.`)
    try {
      const deployed = await readDeployed(cloud, wanted.name, tell)
      const options = { force: force === true, adopts: adopt === true }
      return planFunction({ wanted, made, owner }, deployed, options)
    } catch (error) {
      if (error instanceof CloudFailure)
        throw new CommandProblem(`${wanted.key}: ${error.message}\nNothing was changed.`)
      throw error
    }
  })
  return Promise.all(read)
}

function changesIn(plan: FunctionPlan): string {
  return planInWords(plan).join('; ') || 'no change'
}

function hasChanges({ migrations = [], functions, domain, watching }: WholePlan): boolean {
  const differs = domain !== undefined && domain.action !== 'keep'
  const isWatched = watching === undefined || watching.changes.length === 0
  return migrations.length > 0 || differs || !isWatched || functions.some(changesAnything)
}

function printPlan(context: CommandContext, whole: WholePlan): void {
  const { service, stage, region } = context.service
  const { migrations, functions, domain, watching } = whole
  context.print(`Plan for ${service}, stage ${stage}, nothing done:`)
  if (migrations?.length) context.print(`  migrations to apply first: ${migrations.join(', ')}`)
  for (const plan of functions) {
    const owner = plan.ownership ? ` (${ownershipInWords(plan.ownership)})` : ''
    const what = plan.refusal ? `left alone. ${plan.refusal}` : changesIn(plan)
    context.print(`  ${plan.wanted.key}${owner}: ${what}`)
    if (!plan.refusal) for (const note of plan.notes) context.print(`    note: it ${note}`)
  }
  if (watching?.changes.length)
    context.print(`  log topic ${watching.topicId}: ${watching.changes.join('; ')}`)
  if (!domain) return
  context.print(`  ${domain.wanted.domain}: ${domain.changes.join('; ') || 'no change'}`)
  if (domain.action === 'create')
    context.print(
      `    needs a DNS record: ${domain.wanted.domain} CNAME ${cnameTarget(knownUrl(functions), { region })}`,
    )
}

function knownUrl(functions: readonly FunctionPlan[]): string {
  return functions.map(({ existingUrl }) => existingUrl).find(Boolean) ?? ''
}

/** Refuses what can be known to fail before anything is sent to the cloud. */
async function refuseFaults(context: CommandContext, packages: readonly Package[]): Promise<void> {
  const functions = context.chosen()
  const keys = functions.map(({ key }) => key)
  const declarations = await loaded(() => readDeclarations(keys))
  const answeredTimers = await context.answeredTimers(keys)
  const { service } = context
  const faults = preflight({ service, functions, packages, declarations, answeredTimers })
  if (faults.length === 0) return
  const { stage } = service
  const where = `Values come from .env.${stage} and the environment`
  const how = `"npm run doctor -- --stage ${stage}" says how each is made`
  const heading = `Nothing was sent to the cloud. ${where}; ${how}. To put right:`
  throw problemList(heading, faults.map(inEnglish))
}

/** Code must not run on tables it does not know: what is pending is applied with `--migrate`, or refused. */
async function settleMigrations({
  options,
  service,
  migrations,
  print,
  tell,
}: CommandContext): Promise<readonly string[] | undefined> {
  if (options['skip-migrations']) {
    if (options.migrate) throw new CommandProblem('Give --migrate or --skip-migrations, not both.')
    return undefined
  }
  const tables = await migrations()
  const pending = await tables.pending().catch((error: unknown) => {
    if (!(error instanceof CommandProblem)) throw error
    throw new CommandProblem(
      `Nothing was changed. ${error.message} Where it cannot be reached from here, run the migrations there, and deploy with --skip-migrations.`,
    )
  })
  if (pending.length === 0 || options['dry-run']) return pending
  if (!options.migrate)
    throw new CommandProblem(
      `Nothing was changed. Migrations are not applied yet: ${pending.join(', ')}. ` +
        `Add --migrate, or run "npm run migrate -- --stage ${service.stage}" first.`,
    )
  const applied = await tables.apply(tell)
  print(`migrations applied: ${applied.join(', ')}`)
  return []
}

/** Without the log service a function that is created ends in CreateFailed, and has to be deleted. */
async function refuseWithoutLogs(
  { tell }: CommandContext,
  cloud: CloudClient,
  functions: readonly FunctionPlan[],
): Promise<void> {
  const concerned = functions.filter(
    (plan) => plan.function !== 'keep' || plan.configuration.some(({ field }) => field === 'logs'),
  )
  const topics = [...new Set(concerned.map(({ wanted }) => wanted.topicId))]
  for (const topic of topics) {
    const fault = await logTopicFault(cloud, topic)
    if (fault) throw new CommandProblem(`Nothing was changed: ${fault}`)
    if (fault === undefined)
      tell('not checked: whether the log service is activated (no right to cls:DescribeTopics)')
  }
}

interface Failed {
  plan: FunctionPlan
  failure: string
}

function failuresAmong(outcomes: readonly (object | Failed)[]): string[] {
  return outcomes.flatMap((outcome) =>
    'failure' in outcome ? [`${outcome.plan.wanted.key}: ${outcome.failure}`] : [],
  )
}

async function attempt<T>(plan: FunctionPlan, work: () => Promise<T>): Promise<T | Failed> {
  try {
    return await work()
  } catch (error) {
    return { plan, failure: sentenceFor(error) }
  }
}

/** Prepares all functions, then gives users all of them. Returns what was done, in the order of serverless.yml. */
async function deployFunctions(
  context: CommandContext,
  cloud: CloudClient,
  plans: readonly FunctionPlan[],
): Promise<{ plan: FunctionPlan; url: string }[]> {
  const at = releaseTime(new Date())
  const weight = weightOption(context)
  const tellOf =
    ({ wanted }: FunctionPlan) =>
    (step: string) =>
      context.tell(`${wanted.key}: ${step}`)
  const prepared = await Promise.all(
    plans.map((plan) => attempt(plan, () => prepare(cloud, plan, tellOf(plan)))),
  )
  const unready = failuresAmong(prepared)
  if (unready.length > 0)
    throw problemList(
      'Nothing changed for users: they get new versions only when every function is ready. Running the command again does what is missing. Failed:',
      unready,
    )
  const released = await Promise.all(
    prepared.map(async (each) => {
      const ready = each as Prepared
      const { plan } = ready
      const options = { at, weight, tell: tellOf(plan) }
      return attempt(plan, async () => ({ plan, url: await release(cloud, ready, options) }))
    }),
  )
  for (const outcome of released) printOutcome(context, outcome)
  const failures = failuresAmong(released)
  if (failures.length > 0)
    throw problemList(
      'The rest is deployed, and running the command again does what is missing. Failed:',
      failures,
    )
  return released as { plan: FunctionPlan; url: string }[]
}

function printOutcome(
  context: CommandContext,
  outcome: { plan: FunctionPlan; url: string } | Failed,
): void {
  const { plan } = outcome
  context.print(`${plan.wanted.key}: ${'failure' in outcome ? 'failed' : changesIn(plan)}`)
  if ('url' in outcome && outcome.url) context.print(`  ${outcome.url}`)
  for (const note of plan.notes) context.print(`  note: it ${note}`)
}

/** `--weight 10` as 0.1. */
function weightOption({ options }: CommandContext): number | undefined {
  const text = textOption(options, 'weight')
  if (text === undefined) return undefined
  const percent = Number(text)
  if (!/^\d{1,2}$/.test(text) || percent === 0)
    throw new CommandProblem(`--weight takes the percentage of calls, 1 to 99, not "${text}".`)
  return percent / 100
}

async function deploy(context: CommandContext, packages: readonly Package[]): Promise<void> {
  const { options } = context
  if (options.check && !options['dry-run'])
    throw new CommandProblem('--check goes with --dry-run: it changes the exit code of a look.')
  weightOption(context)
  await refuseFaults(context, packages)
  const cloud = await context.connect()
  const functions = await planFunctions(context, cloud, packages)
  const domain = options.function ? undefined : await planDomain(cloud, context.service)
  const watching = options.function ? undefined : await planWatching(cloud, context.service)
  const refusals = functions.flatMap(({ wanted, refusal }) =>
    refusal ? [`${wanted.key}: ${refusal}`] : [],
  )
  if (options['dry-run']) {
    const whole = { migrations: await settleMigrations(context), functions, domain, watching }
    printPlan(context, whole)
    if (refusals.length > 0) throw problemList('A deploy would be refused:', refusals)
    if (options.check && hasChanges(whole)) context.endWith(driftExitCode)
    return
  }
  if (refusals.length > 0) throw problemList('Nothing was changed.', refusals)
  await refuseWithoutLogs(context, cloud, functions)
  await settleMigrations(context)
  const deployed = await deployFunctions(context, cloud, functions)
  if (domain) {
    const { region } = context.service
    const target = cnameTarget(deployed.map(({ url }) => url).find(Boolean) ?? '', { region })
    await applyDomainPlan(cloud, domain, { target, tell: context.tell })
    context.print(`${domain.wanted.domain}: ${domain.changes.join('; ') || 'no change'}`)
  }
  if (watching?.changes.length) {
    await applyWatchingPlan(cloud, watching)
    context.print(`log topic ${watching.topicId}: ${watching.changes.join('; ')}`)
  }
  if (!hasChanges({ migrations: [], functions, domain, watching }))
    context.print('Nothing had to be changed.')
}

const deployOptions: Record<string, CommandOption> = {
  'dry-run': { usage: 'Say what would be changed, and change nothing', type: 'boolean' },
  check: { usage: 'With --dry-run: exit code 2 when anything would be changed', type: 'boolean' },
  adopt: { usage: 'Take over functions that carry no tag of a deploy', type: 'boolean' },
  migrate: { usage: 'Apply the migrations that are pending first', type: 'boolean' },
  'skip-migrations': {
    usage: 'Do not look for pending migrations: the database cannot be reached from here',
    type: 'boolean',
  },
  weight: {
    usage: 'Give the new versions this percentage of the calls; deploy without it gives them all',
    type: 'string',
  },
  ...regionOption,
}

export const deployCommand: Command = {
  definitions: {
    deploy: { options: deployOptions, commands: { function: { options: deployOptions } } },
  },
  hooks: {
    'deploy:deploy': async (context) => {
      const folder = context.packageFolder
      await deploy(
        context,
        await Promise.all(context.chosen().map((wanted) => readPackage(wanted, folder))),
      )
    },
    'deploy:function:deploy': async (context) => deploy(context, await packageChosen(context)),
  },
}
