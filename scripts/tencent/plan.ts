/** Compares serverless.yml with the cloud and says what has to change. Pure: no calls, no clock. */

import { CommandProblem } from '../cli/problem.ts'
import type { DesiredFunction } from '../service/service.ts'
import type { DeployedFunction, DeployedVersion } from './deployed.ts'
import {
  behaviourDifferences,
  configurationDifferences,
  type Difference,
  type TimerChanges,
  timerChanges,
} from './differences.ts'
import { type Ownership, ownershipOf, refusalOf } from './ownership.ts'
import type { Package } from './package-functions.ts'
import { type Alias, newestState } from './releases.ts'

export interface FunctionPlan {
  wanted: DesiredFunction
  package: Package
  /** The value of the tag that says who deploys it. */
  owner: string
  ownership: Ownership | undefined
  /** Why nothing of this may be done. */
  refusal: string | undefined
  /** `replace`: it was never created to the end, so it is deleted and created again. */
  function: 'create' | 'replace' | 'keep'
  /** The failed status that the changes put right; '' for none. */
  mends: string
  /** Put the tag on it. */
  tag: boolean
  /** Users get the newest state itself, which is about to change: freeze it and lead them there first. */
  pin: boolean
  /** Upload the package. */
  code: boolean
  /** What of the configuration differs, in words; variables by name only. */
  configuration: readonly Difference[]
  /** Which version users shall get: one to be published, one that is there, or the one they get. */
  release: { kind: 'publish' } | { kind: 'move'; version: string } | { kind: 'none' }
  alias: Alias
  /** Create the Function URL. */
  url: boolean
  /** The one there is; '' when there is none, or the cloud does not tell it yet. */
  existingUrl: string
  hasUrl: boolean
  timers: TimerChanges
  /** Things the deploy leaves as they are and the reader should know. */
  notes: readonly string[]
}

export interface PlanOptions {
  /** Upload equal code, too. */
  force?: boolean
  /** Take over a function that carries no tag. */
  adopts?: boolean
}

/** Whether a call of this version is a call of what serverless.yml and the package say. */
function isAsWanted(
  version: DeployedVersion | undefined,
  { wanted, made }: { wanted: DesiredFunction; made: Package },
): boolean {
  return (
    version?.status === 'Active' &&
    version.mark?.sent === made.sha256 &&
    (wanted.type === 'web' || version.handler === wanted.handler) &&
    behaviourDifferences(wanted, version).length === 0
  )
}

/** Whether the newest state holds this package, as far as the cloud tells. */
function holdsPackage(
  { codeSha256, newest, live }: DeployedFunction,
  { sha256 }: Package,
): boolean {
  if (codeSha256 === sha256) return true
  // A key that may not ask for digests: what was noted at the last publication.
  if (codeSha256 === undefined) return newest?.mark?.sent === sha256
  return [newest?.mark, live?.mark].some(
    (mark) => mark?.sent === sha256 && mark.kept === codeSha256,
  )
}

function refuseWhatCannotBe(wanted: DesiredFunction, deployed: DeployedFunction): void {
  if (deployed.status === 'DeleteFailed')
    throw new CommandProblem(
      `${wanted.key}: the removal of ${wanted.name} failed (${deployed.reason}). Run "serverless remove" again, or delete it in the SCF console, then deploy.`,
    )
  if (deployed.availability !== 'Available')
    throw new CommandProblem(
      `${wanted.key}: the cloud does not run ${wanted.name} (${deployed.availability}). See the account's balance in the console.`,
    )
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
  if (deployed.codeSha256 === undefined)
    notes.push(
      'its code is compared by what the last deploy noted: this key has no right to scf:GetFunctionAddress, so a change by hand would not be seen',
    )
  if (wanted.type === 'web')
    notes.push(
      'is a Web function, which cannot be called before users get it: look at its URL with npm run doctor, and roll back if need be',
    )
  return notes
}

/** Throws a `CommandProblem` when the wanted function cannot be reached by changes. */
export function planFunction(
  { wanted, made, owner }: { wanted: DesiredFunction; made: Package; owner: string },
  deployed: DeployedFunction | undefined,
  { force = false, adopts = false }: PlanOptions = {},
): FunctionPlan {
  const ownership = deployed && ownershipOf(deployed, owner)
  const refusal = ownership && refusalOf(ownership, { name: wanted.name, adopts })
  const base = { wanted, package: made, owner, ownership, refusal }
  if (!deployed || deployed.status === 'CreateFailed')
    return {
      ...base,
      function: deployed ? 'replace' : 'create',
      mends: '',
      tag: false,
      pin: false,
      code: false,
      configuration: [],
      release: { kind: 'publish' },
      alias: { version: newestState, releases: [] },
      url: wanted.url,
      existingUrl: '',
      hasUrl: false,
      timers: { create: wanted.timers, update: [], delete: [] },
      notes: [],
    }
  // Nothing is said of the state of a stranger's function.
  if (!refusal) refuseWhatCannotBe(wanted, deployed)
  const { status, alias, live, newest } = deployed
  const mends = status === 'UpdateFailed' || status === 'PublishFailed' ? status : ''
  const handlerDiffers = wanted.type === 'event' && deployed.handler !== wanted.handler
  const code = !holdsPackage(deployed, made) || handlerDiffers || force || status === 'UpdateFailed'
  const configuration = configurationDifferences(wanted, deployed)
  const changes = code || configuration.some(({ field }) => field !== 'description')
  return {
    ...base,
    function: 'keep',
    mends,
    tag: ownership?.kind !== 'ours',
    // What failed halfway is not frozen.
    pin: changes && alias.version === newestState && status === 'Active',
    code,
    configuration,
    // A failed publication is over when another one is done.
    release: releaseOf(
      { wanted, made, force: force || status === 'PublishFailed' },
      { alias, live, newest },
    ),
    alias,
    url: wanted.url && deployed.urls.length === 0,
    existingUrl: deployed.urls[0]?.url ?? '',
    hasUrl: deployed.urls.length > 0,
    timers: timerChanges(wanted.timers, deployed.timers),
    notes: notesOn(wanted, deployed),
  }
}

function releaseOf(
  { force, ...what }: { wanted: DesiredFunction; made: Package; force: boolean },
  { alias, live, newest }: Pick<DeployedFunction, 'alias' | 'live' | 'newest'>,
): FunctionPlan['release'] {
  if (force) return { kind: 'publish' }
  if (live && isAsWanted(live, what))
    return alias.additional ? { kind: 'move', version: live.version } : { kind: 'none' }
  if (newest && isAsWanted(newest, what)) return { kind: 'move', version: newest.version }
  return { kind: 'publish' }
}

/** Whether the plan holds anything to do. */
export function changesAnything(plan: FunctionPlan): boolean {
  return planInWords(plan).length > 0
}

/** The plan in words, one short phrase per change. */
export function planInWords(plan: FunctionPlan): string[] {
  const { release } = plan
  return [
    ...(plan.function === 'create' ? ['create the function'] : []),
    ...(plan.function === 'replace'
      ? ['delete what is left of a failed creation', 'create it']
      : []),
    ...(plan.mends ? [`put ${plan.mends} right`] : []),
    ...(plan.tag ? ['mark it as ours by a tag'] : []),
    ...(plan.pin ? ['freeze what users get'] : []),
    ...(plan.code ? ['upload the code'] : []),
    ...plan.configuration.map(({ words }) => words),
    ...(release.kind === 'publish' ? ['publish and test a version, then give it to users'] : []),
    ...(release.kind === 'move' ? [`test version ${release.version}, then give it to users`] : []),
    ...(plan.url ? ['create the Function URL'] : []),
    ...plan.timers.create.map(({ name, cron }) => `create the timer ${name} (${cron})`),
    ...plan.timers.update.map(({ wanted }) => `update the timer ${wanted.name} (${wanted.cron})`),
    ...plan.timers.delete.map(({ name }) => `delete the timer ${name}`),
  ]
}
