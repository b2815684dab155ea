/** One domain in front of the functions: which of its routes are ours, what differs, and the calls that change it. */

import { CommandProblem } from '../cli/problem.ts'
import type { DesiredDomain, DesiredService } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import type { ScfModels } from './cloud/sdk.ts'

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
async function findDomain(cloud: CloudClient, name: string): Promise<DomainAnswer | undefined> {
  for (let offset = 0; ; offset += 20) {
    const page = await cloud.call('ListCustomDomains', { Offset: offset, Limit: 20 })
    const found = page.Domains?.find(({ Domain }) => Domain === name)
    if (found || !page.Domains?.length || offset + 20 >= (page.Total ?? 0)) return found
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

export async function applyDomainPlan(cloud: CloudClient, plan: DomainPlan): Promise<void> {
  if (plan.action === 'keep') return
  const { domain, protocol, certificateId } = plan.wanted
  await cloud.call(plan.action === 'create' ? 'CreateCustomDomain' : 'UpdateCustomDomain', {
    Domain: domain,
    Protocol: protocol,
    EndpointsConfig: plan.routes,
    ...(certificateId && { CertConfig: { CertificateId: certificateId } }),
  })
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
