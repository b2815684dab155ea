/**
 * `serverless deploy` and `serverless deploy function`: check, read, compare, then change only what differs. Functions
 * are changed side by side; one that fails does not stop the others, and a second run takes up where the first stopped.
 */
import { readDeclarations } from '../../build/declarations.ts'
import { CommandProblem, problemList } from '../../cli/problem.ts'
import { applyPlan } from '../apply.ts'
import type { CloudClient } from '../cloud/client.ts'
import { CloudFailure } from '../cloud/failure.ts'
import { applyDomainPlan, type DomainPlan, planDomain } from '../custom-domain.ts'
import { readDeployed } from '../deployed.ts'
import { inEnglish } from '../fault.ts'
import type { CommandOption } from '../framework.ts'
import { type Package, readPackage } from '../package-functions.ts'
import { changesAnything, type FunctionPlan, planFunction, planInWords } from '../plan.ts'
import { preflight } from '../preflight.ts'
import { type Command, type CommandContext, loaded, regionOption, sentenceFor } from './context.ts'
import { packageChosen } from './package.ts'

interface WholePlan {
  functions: FunctionPlan[]
  domain: DomainPlan | undefined
}

/** The first failure of reading ends the command: nothing has been changed yet. */
async function planAll(
  context: CommandContext,
  cloud: CloudClient,
  packages: readonly Package[],
): Promise<WholePlan> {
  const force = context.options.force === true
  const read = context.chosen().map(async (wanted) => {
    const tell = (status: string): void => context.tell(`${wanted.key}: waiting, it is ${status}`)
    const made = packages.find(({ key }) => key === wanted.key)
    if (!made) throw new CommandProblem(`${wanted.key}: it was not packaged.`)
    try {
      return planFunction(wanted, made, await readDeployed(cloud, wanted.name, tell), { force })
    } catch (error) {
      if (error instanceof CloudFailure)
        throw new CommandProblem(`${wanted.key}: ${error.message}\nNothing was changed.`)
      throw error
    }
  })
  const functions = await Promise.all(read)
  const domain = context.options.function ? undefined : await planDomain(cloud, context.service)
  return { functions, domain }
}

function changesIn(plan: FunctionPlan): string {
  return planInWords(plan).join('; ') || 'no change'
}

function printPlan(context: CommandContext, { functions, domain }: WholePlan): void {
  const { service, stage } = context.service
  context.print(`Plan for ${service}, stage ${stage}, nothing done:`)
  for (const plan of functions) {
    context.print(`  ${plan.wanted.key}: ${changesIn(plan)}`)
    for (const note of plan.notes) context.print(`    note: it ${note}`)
  }
  if (domain)
    context.print(`  ${domain.wanted.domain}: ${domain.changes.join('; ') || 'no change'}`)
}

type Result = { plan: FunctionPlan; url: string } | { plan: FunctionPlan; failure: string }

async function applyOne(
  context: CommandContext,
  cloud: CloudClient,
  plan: FunctionPlan,
): Promise<Result> {
  try {
    const tell = (step: string): void => context.tell(`${plan.wanted.key}: ${step}`)
    return { plan, url: await applyPlan(cloud, plan, tell) }
  } catch (error) {
    return { plan, failure: sentenceFor(error) }
  }
}

function printOutcomes(context: CommandContext, outcomes: readonly Result[]): void {
  for (const outcome of outcomes) {
    const { plan } = outcome
    context.print(`${plan.wanted.key}: ${'failure' in outcome ? 'failed' : changesIn(plan)}`)
    if ('url' in outcome && outcome.url) context.print(`  ${outcome.url}`)
    for (const note of plan.notes) context.print(`  note: it ${note}`)
  }
}

async function deploy(context: CommandContext, packages: readonly Package[]): Promise<void> {
  const functions = context.chosen()
  const declarations = await loaded(() => readDeclarations(functions.map(({ key }) => key)))
  const faults = preflight({ service: context.service, functions, packages, declarations })
  if (faults.length > 0) {
    const { stage } = context.service
    const where = `Values come from .env.${stage} and the environment`
    const how = `"npm run doctor -- --stage ${stage}" says how each is made`
    const heading = `Nothing was sent to the cloud. ${where}; ${how}. To put right:`
    throw problemList(heading, faults.map(inEnglish))
  }
  const cloud = await context.connect()
  const whole = await planAll(context, cloud, packages)
  if (context.options['dry-run']) return printPlan(context, whole)

  const outcomes = await Promise.all(whole.functions.map((plan) => applyOne(context, cloud, plan)))
  printOutcomes(context, outcomes)
  const failures = outcomes.flatMap((outcome) =>
    'failure' in outcome ? [`${outcome.plan.wanted.key}: ${outcome.failure}`] : [],
  )
  if (failures.length > 0)
    throw problemList(
      'The rest is deployed, and running the command again does what is missing. Failed:',
      failures,
    )
  if (whole.domain) {
    await applyDomainPlan(cloud, whole.domain)
    const { wanted, changes } = whole.domain
    context.print(`${wanted.domain}: ${changes.join('; ') || 'no change'}`)
  }
  const nothing = !whole.functions.some(changesAnything) && whole.domain?.action !== 'create'
  if (nothing && whole.domain?.action !== 'update') context.print('Nothing had to be changed.')
}

const dryRun: Record<string, CommandOption> = {
  'dry-run': { usage: 'Say what would be changed, and change nothing', type: 'boolean' },
  ...regionOption,
}

export const deployCommand: Command = {
  definitions: {
    deploy: { options: dryRun, commands: { function: { options: dryRun } } },
  },
  hooks: {
    'deploy:deploy': async (context) => {
      const folder = context.packageFolder
      await deploy(
        context,
        await Promise.all(context.chosen().map((wanted) => readPackage(wanted, folder))),
      )
    },
    'deploy:function:deploy': async (context) => {
      if (context.options['update-config'])
        throw new CommandProblem('--update-config is not supported: a deploy changes what differs.')
      await deploy(context, await packageChosen(context))
    },
  },
}
