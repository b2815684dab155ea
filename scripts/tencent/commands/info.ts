/** `serverless info`: what is deployed, in a few lines or as JSON; exit code 1 when a function is missing or not running. */

import { problemList } from '../../cli/problem.ts'
import type { DesiredFunction } from '../../service/service.ts'
import { type DeployedFunction, readDeployed } from '../deployed.ts'
import { ownershipInWords, ownershipOf, ownerTagValue } from '../ownership.ts'
import { type Command, type CommandContext, regionOption } from './context.ts'

interface Found {
  wanted: DesiredFunction
  deployed: DeployedFunction | undefined
}

/** A function as `--json` tells it; values of variables are nobody's. */
function asData({ wanted: { key, name }, deployed }: Found, owner: string): object {
  if (!deployed) return { key, name, status: null }
  const { alias, urls, timers } = deployed
  return {
    key,
    name,
    status: deployed.status,
    owner: ownershipInWords(ownershipOf(deployed, owner)),
    type: deployed.type,
    runtime: deployed.runtime,
    memoryMb: deployed.memorySize,
    timeoutSeconds: deployed.timeoutSeconds,
    version: alias.version,
    additional: alias.additional ?? null,
    releases: alias.releases,
    urls: urls.map(({ url }) => url).filter(Boolean),
    timers: timers.map(({ name, cron, enabled }) => ({ name, cron, enabled })),
    variables: Object.keys(deployed.variables).sort(),
  }
}

function linesOf({ wanted, deployed }: Found): string[] {
  if (!deployed) return [`${wanted.key}: not deployed (${wanted.name})`]
  const { status, type, runtime, memorySize, timeoutSeconds, alias } = deployed
  const shape = `${type}, ${runtime}, ${memorySize} MB, ${timeoutSeconds} s`
  const { additional, releases } = alias
  const percent = additional ? Math.round(additional.weight * 100) : 0
  const part = additional ? `; ${percent} % of the calls go to version ${additional.version}` : ''
  const earlier = releases.map(({ version, at }) => `${version} since ${at}`).join(', ')
  return [
    `${wanted.key}: ${status} (${wanted.name}; ${shape})`,
    ...deployed.urls.map(({ url }) => `  ${url || 'a URL that the cloud does not tell yet'}`),
    `  version ${alias.version}${part}${earlier ? ` (${earlier})` : ''}`,
    ...deployed.timers.map(
      ({ name, cron, enabled }) => `  timer ${name}: ${cron}${enabled ? '' : ' (off)'}`,
    ),
    `  variables: ${Object.keys(deployed.variables).sort().join(', ') || 'none'}`,
  ]
}

function faultsOf({ wanted: { key }, deployed }: Found): string[] {
  if (!deployed) return [`${key} is not deployed`]
  const { status, reason, availability } = deployed
  return [
    ...(status === 'Active' ? [] : [`${key} is ${status}: ${reason}`]),
    ...(availability === 'Available' ? [] : [`${key} is not available: ${availability}`]),
  ]
}

async function info(context: CommandContext): Promise<void> {
  const cloud = await context.connect()
  const { service, stage, region, functions, customDomain } = context.service
  const found = await Promise.all(
    functions.map(async (wanted) => ({
      wanted,
      deployed: await readDeployed(cloud, wanted.name, () => undefined),
    })),
  )
  const faults = found.flatMap(faultsOf)
  if (context.options.json) {
    const owner = ownerTagValue(context.service)
    const data = {
      service,
      stage,
      region,
      functions: found.map((each) => asData(each, owner)),
      domain: customDomain?.domain ?? null,
      faults,
    }
    context.print(JSON.stringify(data, null, 2))
    // Standard output is the data's alone.
    if (faults.length > 0) context.endWith(1)
    return
  }
  context.print(`${service}, stage ${stage}, region ${region}`)
  for (const line of found.flatMap(linesOf)) context.print(line)
  if (customDomain) context.print(`domain: ${customDomain.domain}`)
  if (faults.length > 0) throw problemList('Not everything is running:', faults)
}

export const infoCommand: Command = {
  definitions: {
    info: {
      options: {
        json: { usage: 'As JSON, for programs', type: 'boolean' },
        ...regionOption,
      },
    },
  },
  hooks: { 'info:info': info },
}
