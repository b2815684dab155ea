/** Takes everything away that a probe made, by looking what there is: so also what an earlier, cut-off run left behind. */
import { CommandProblem } from '../../cli/problem.ts'
import type { CloudClient } from '../cloud/client.ts'
import { findDomain } from '../custom-domain.ts'
import { ownerTagKey } from '../ownership.ts'
import { listTriggers } from '../triggers.ts'
import { functionNamed, waitUntilAtRest } from '../waiting.ts'

export const eventFunction = 'miniscore-live-probe-event'
export const webFunction = 'miniscore-live-probe-web'
/** The tag that says a function is the probe's; a stage's has a slash in it. */
export const probeTag = { Key: ownerTagKey, Value: 'miniscore-live-probe' } as const

export interface Removal {
  removed: string[]
  /** What is still there, each with the reason. */
  left: string[]
}

async function removeFunction(
  cloud: CloudClient,
  name: string,
  tell: (step: string) => void,
): Promise<boolean> {
  const waiting = (status: string): void => tell(`${name}: waiting, it is ${status}`)
  const found = await waitUntilAtRest(cloud, name, { tell: waiting })
  if (!found) return false
  if (!found.Tags?.some(({ Key, Value }) => Key === probeTag.Key && Value === probeTag.Value))
    throw new CommandProblem(
      `it does not carry the tag ${probeTag.Key}=${probeTag.Value}, so the probe did not make it. Rename or remove it yourself.`,
    )
  for (const { TriggerName = '', Type = '', Qualifier } of await listTriggers(cloud, name))
    await cloud.call('DeleteTrigger', {
      ...functionNamed(name, cloud),
      TriggerName,
      Type,
      ...(Qualifier && { Qualifier }),
    })
  await cloud.call('DeleteFunction', functionNamed(name, cloud))
  return true
}

/** One that leads anywhere else is not the probe's. */
async function removeDomain(cloud: CloudClient, domain: string): Promise<boolean> {
  const found = await findDomain(cloud, domain)
  if (!found) return false
  const routes = found.EndpointsConfig ?? []
  if (routes.length === 0 || routes.some(({ FunctionName }) => FunctionName !== eventFunction))
    throw new CommandProblem(
      'it is set up in this account already and leads elsewhere. Give the probe a domain of its own.',
    )
  await cloud.call('DeleteCustomDomain', { Domain: domain })
  return true
}

/** Goes on whatever fails. Touches nothing that is not the probe's. */
export async function removeProbe(
  cloud: CloudClient,
  { domain, tell }: { domain: string; tell: (step: string) => void },
): Promise<Removal> {
  const removal: Removal = { removed: [], left: [] }
  const attempt = async (name: string, remove: () => Promise<boolean>): Promise<void> => {
    try {
      if (!(await remove())) return
      tell(`removed ${name}`)
      removal.removed.push(name)
    } catch (error) {
      removal.left.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (domain) await attempt(domain, () => removeDomain(cloud, domain))
  for (const name of [eventFunction, webFunction])
    await attempt(name, () => removeFunction(cloud, name, tell))
  return removal
}
