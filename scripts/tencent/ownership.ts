/**
 * Whose a function is: those of a deploy carry a tag that names service and stage, so that a function of somebody else
 * that happens to have the same name is neither changed nor removed.
 */

import type { DesiredService } from '../service/service.ts'
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import { readCodeMark } from './code-mark.ts'

/** The tag that a deploy puts on its functions; the value names who deploys. */
export const ownerTagKey = 'serverless-stage'

export function ownerTagValue({
  service,
  stage,
}: Pick<DesiredService, 'service' | 'stage'>): string {
  return `${service}/${stage}`
}

/**
 * `earlier`: deployed by the release before the tag, which left a mark in the description. `nobody`: no deploy of ours
 * made it.
 */
export type Ownership = { kind: 'ours' | 'earlier' | 'nobody' } | { kind: 'other'; owner: string }

export function ownershipOf(
  found: { tags: Readonly<Record<string, string>>; description: string },
  expected: string,
): Ownership {
  const owner = found.tags[ownerTagKey]
  if (owner === expected) return { kind: 'ours' }
  if (owner !== undefined) return { kind: 'other', owner }
  return { kind: readCodeMark(found.description) ? 'earlier' : 'nobody' }
}

/** Why a deploy leaves it alone; undefined when it may change it. */
export function refusalOf(
  ownership: Ownership,
  { name, adopts }: { name: string; adopts: boolean },
): string | undefined {
  if (ownership.kind === 'other')
    return `${name} belongs to ${ownership.owner} (tag ${ownerTagKey}). Give the function another \`name\`.`
  if (ownership.kind === 'nobody' && !adopts)
    return (
      `${name} is there, but carries no tag ${ownerTagKey}: no deploy of this stage made it. ` +
      'If it is yours (an earlier release left no tag), deploy --adopt takes it over; if not, give the function another `name`.'
    )
  return undefined
}

export function ownershipInWords(ownership: Ownership): string {
  switch (ownership.kind) {
    case 'ours':
      return 'ours'
    case 'earlier':
      return 'ours, of the release before tags'
    case 'nobody':
      return `of somebody else: no tag ${ownerTagKey}`
    case 'other':
      return `of ${ownership.owner}`
  }
}

/** Puts the tag on a function that is there (583/31444: QcloudSCFFullAccess includes the right). */
export async function tagFunction(
  cloud: CloudClient,
  { name, value }: { name: string; value: string },
): Promise<void> {
  const tag = { TagKey: ownerTagKey, TagValue: value }
  try {
    await cloud.callOther('tag', 'CreateTag', tag)
  } catch (error) {
    const isThere = error instanceof CloudFailure && error.code.startsWith('ResourceInUse')
    if (!isThere) throw error
  }
  await cloud.callOther('tag', 'AttachResourcesTag', {
    ...tag,
    ServiceType: 'scf',
    ResourcePrefix: 'namespace',
    ResourceRegion: cloud.region,
    ResourceIds: [`${cloud.namespace}/function/${name}`],
  })
}
