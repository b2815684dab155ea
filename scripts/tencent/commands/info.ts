/** `serverless info`: what is deployed, in a few lines; exit code 1 when a function is missing or not running. */

import { problemList } from '../../cli/problem.ts'
import { readDeployed } from '../deployed.ts'
import { type Command, type CommandContext, regionOption } from './context.ts'

async function info(context: CommandContext): Promise<void> {
  const cloud = await context.connect()
  const { service } = context
  context.print(`${service.service}, stage ${service.stage}, region ${service.region}`)
  const faults: string[] = []
  for (const wanted of service.functions) {
    const found = await readDeployed(cloud, wanted.name, () => undefined)
    if (!found) {
      context.print(`${wanted.key}: not deployed (${wanted.name})`)
      faults.push(`${wanted.key} is not deployed`)
      continue
    }
    if (found.status !== 'Active') faults.push(`${wanted.key} is ${found.status}`)
    const shape = `${found.type}, ${found.runtime}, ${found.memorySize} MB, ${found.timeoutSeconds} s`
    context.print(`${wanted.key}: ${found.status} (${wanted.name}; ${shape})`)
    for (const { url } of found.urls) context.print(`  ${url}`)
    for (const { name, cron, enabled } of found.timers)
      context.print(`  timer ${name}: ${cron}${enabled ? '' : ' (off)'}`)
    context.print(`  variables: ${Object.keys(found.variables).sort().join(', ') || 'none'}`)
  }
  if (service.customDomain) context.print(`domain: ${service.customDomain.domain}`)
  if (faults.length > 0) throw problemList('Not everything is running:', faults)
}

export const infoCommand: Command = {
  definitions: { info: { options: regionOption } },
  hooks: { 'info:info': info },
}
