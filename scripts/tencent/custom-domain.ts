/** One domain in front of the functions: which of its routes are ours, what differs, and the calls that change it. */

import { CommandProblem } from '../cli/problem.ts'
import type { DesiredDomain, DesiredService } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import type { ScfModels } from './cloud/sdk.ts'
import { lookUntil } from './waiting.ts'

type DomainAnswer = NonNullable<ScfModels['ListCustomDomains']['response']['Domains']>[number]
type Route = NonNullable<DomainAnswer['EndpointsConfig']>[number]

export interface DomainPlan {
  wanted: DesiredDomain
  action: 'create' | 'update' | 'keep'
  routes: Route[]
  /** In words. */
  changes: readonly string[]
}

/** The domain as the cloud has it, found by listing, since which error a missing one gives is not documented. */
export async function findDomain(
  cloud: CloudClient,
  name: string,
): Promise<DomainAnswer | undefined> {
  for (let offset = 0; ; offset += 20) {
    const page = await cloud.call('ListCustomDomains', { Offset: offset, Limit: 20 })
    const found = page.Domains?.find(({ Domain }) => Domain === name)
    if (found || offset + 20 >= (page.Total ?? 0)) return found
    if (!page.Domains?.length)
      throw new CommandProblem(
        `The cloud lists ${offset} of ${page.Total} custom domains. Run the command again.`,
      )
  }
}

function routeText({ PathMatch, FunctionName }: Route): string {
  return `${PathMatch} → ${FunctionName}`
}

/** The routes the domain has, ours and those of others. */
function routesOf(
  found: DomainAnswer,
  service: DesiredService,
): { ours: Route[]; others: Route[] } {
  const routes = found.EndpointsConfig ?? []
  const isOurs = (route: Route): boolean =>
    route.Namespace === service.namespace &&
    service.functions.some(({ name }) => name === route.FunctionName)
  return { ours: routes.filter(isOurs), others: routes.filter((route) => !isOurs(route)) }
}

/** Compares the domain's routes with those of serverless.yml; routes to functions of others are kept. */
export async function planDomain(
  cloud: CloudClient,
  service: DesiredService,
): Promise<DomainPlan | undefined> {
  const wanted = service.customDomain
  if (!wanted) return undefined
  const ours = wanted.routes.map(({ path, functionName }) => ({
    Namespace: service.namespace,
    FunctionName: functionName,
    Qualifier: '$DEFAULT',
    PathMatch: path,
  }))
  const found = await findDomain(cloud, wanted.domain)
  if (!found) return { wanted, action: 'create', routes: ours, changes: ours.map(routeText) }

  const { ours: existing, others } = routesOf(found, service)
  const taken = others.find((other) => ours.some(({ PathMatch }) => PathMatch === other.PathMatch))
  if (taken)
    throw new CommandProblem(
      `customDomain: ${wanted.domain}${taken.PathMatch} already leads to the function ${taken.FunctionName}. ` +
        'Remove that route in the console, or take another domain or path.',
    )
  const before = new Set(existing.map(routeText))
  const after = new Set(ours.map(routeText))
  const changes = [
    ...[...after].filter((route) => !before.has(route)).map((route) => `add ${route}`),
    ...[...before].filter((route) => !after.has(route)).map((route) => `remove ${route}`),
    ...(found.Protocol === wanted.protocol ? [] : [`protocol → ${wanted.protocol}`]),
    ...((found.CertConfig?.CertificateId ?? '') === wanted.certificateId ? [] : ['certificate']),
  ]
  const action = changes.length > 0 ? 'update' : 'keep'
  return { wanted, action, routes: [...others, ...ours], changes }
}

/** Where the domain has to lead before the cloud takes it (583/64369); `url` is that of any function of the account. */
export function cnameTarget(url: string, { region }: { region: string }): string {
  const [, appId] = /^https:\/\/(\d+)-/.exec(url) ?? []
  return `${appId ?? '<appid>'}.${region}.tencentscf.com`
}

/** Waits for the domain's CNAME record, saying which, as long as the client's patience lasts. Throws `CloudFailure`. */
export async function applyDomainPlan(
  cloud: CloudClient,
  plan: DomainPlan,
  { target, tell }: { target: string; tell: (step: string) => void },
): Promise<void> {
  if (plan.action === 'keep') return
  const { domain, protocol, certificateId } = plan.wanted
  let lacksCname: CloudFailure | undefined
  const done = await lookUntil(cloud, async () => {
    try {
      await cloud.call(plan.action === 'create' ? 'CreateCustomDomain' : 'UpdateCustomDomain', {
        Domain: domain,
        Protocol: protocol,
        EndpointsConfig: plan.routes,
        ...(certificateId && { CertConfig: { CertificateId: certificateId } }),
      })
      return true
    } catch (error) {
      if (!(error instanceof CloudFailure) || !error.code.startsWith('FailedOperation.CNAME'))
        throw error
      if (!lacksCname) tell(`waiting for a DNS record: ${domain} CNAME ${target}`)
      lacksCname = error
      return undefined
    }
  })
  if (done) return
  throw new CommandProblem(
    `${domain} is not set up; the functions are deployed. Make this DNS record, and run the command again: ${domain} CNAME ${target}. ${lacksCname?.message ?? ''}`,
  )
}

/** Takes our routes off the domain, and the domain away when none is left. Returns what was done, '' for nothing. */
export async function removeDomainRoutes(
  cloud: CloudClient,
  service: DesiredService,
): Promise<string> {
  const wanted = service.customDomain
  const found = wanted && (await findDomain(cloud, wanted.domain))
  if (!wanted || !found) return ''
  const { ours, others } = routesOf(found, service)
  if (ours.length === 0) return ''
  if (others.length === 0) {
    await cloud.call('DeleteCustomDomain', { Domain: wanted.domain })
    return `removed the custom domain ${wanted.domain}`
  }
  await cloud.call('UpdateCustomDomain', { Domain: wanted.domain, EndpointsConfig: others })
  return `removed our routes from ${wanted.domain}; ${others.length} of others stay`
}
