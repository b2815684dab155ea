/**
 * What the alias `$DEFAULT`, on which URLs, routes and timers hang, leads to, and what it led to before. A function has
 * that alias from its creation; versions are frozen copies of code and configuration
 * (cloud.tencent.com/document/product/583/36149, 15371).
 */
import type { CloudClient } from './cloud/client.ts'
import { CloudFailure } from './cloud/failure.ts'
import { type CodeMark, codeMarkText, readCodeMark } from './code-mark.ts'
import { functionNamed, waitUntilActive } from './waiting.ts'

export const liveAlias = '$DEFAULT'
export const newestState = '$LATEST'

/** One deployment of a function. */
export interface Release {
  version: string
  /** When it was deployed, UTC, as 20261124T181500Z; the functions of one deployment share it. */
  at: string
}

export interface Alias {
  /** What it leads to: a number, or `$LATEST`. */
  version: string
  /** What a deploy had it lead to, newest first; its head is `version`, unless somebody moved it by hand. */
  releases: readonly Release[]
  /** Another version that gets a part of the calls, 0.1 for a tenth. */
  additional?: { version: string; weight: number }
}

export interface ListedVersion {
  version: string
  status: string
  mark: CodeMark | undefined
}

/** How many deployments an alias remembers. */
const mostReleases = 8

export function releaseTime(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '')
}

/** Only characters that a description may hold. */
function releasesText(releases: readonly Release[]): string {
  const kept = releases.slice(0, mostReleases)
  return kept.map(({ version, at }) => `${version} since ${at}`).join(', ')
}

function readReleases(description: string): Release[] {
  return [...description.matchAll(/(\d+) since (\d{8}T\d{6}Z)/g)].map(
    ([, version = '', at = '']) => ({ version, at }),
  )
}

export async function readAlias(cloud: CloudClient, name: string): Promise<Alias> {
  try {
    const named = { ...functionNamed(name, cloud), Name: liveAlias }
    const found = await cloud.call('GetAlias', named)
    const [additional] = found.RoutingConfig?.AdditionalVersionWeights ?? []
    return {
      version: found.FunctionVersion || newestState,
      releases: readReleases(found.Description ?? ''),
      ...(additional && {
        additional: { version: additional.Version, weight: additional.Weight },
      }),
    }
  } catch (error) {
    // Left out where nobody ever set it; it is there all the same.
    if (error instanceof CloudFailure && error.code.startsWith('ResourceNotFound.Alias'))
      return { version: newestState, releases: [] }
    throw error
  }
}

/** The published versions, newest first. */
export async function listVersions(cloud: CloudClient, name: string): Promise<ListedVersion[]> {
  const versions: ListedVersion[] = []
  for (let offset = 0; ; ) {
    const range = { Offset: offset, Limit: 20 }
    const page = await cloud.call('ListVersionByFunction', {
      ...functionNamed(name, cloud),
      ...range,
    })
    const listed = page.Versions ?? []
    offset += listed.length
    for (const { Version, Description, Status } of listed)
      if (/^\d+$/.test(Version))
        versions.push({
          version: Version,
          status: Status ?? '',
          mark: readCodeMark(Description ?? ''),
        })
    if (listed.length === 0 || offset >= (page.TotalCount ?? 0))
      return versions.sort((left, right) => Number(right.version) - Number(left.version))
  }
}

/** Freezes the newest state under the next number, which is returned when it can run. */
export async function publishVersion(
  cloud: CloudClient,
  name: string,
  { mark, tell }: { mark?: CodeMark; tell: (status: string) => void },
): Promise<string> {
  const { FunctionVersion = '' } = await cloud.call('PublishVersion', {
    ...functionNamed(name, cloud),
    ...(mark && { Description: codeMarkText(mark) }),
  })
  await waitUntilActive(cloud, name, { tell })
  await waitUntilActive(cloud, name, { tell, qualifier: FunctionVersion })
  return FunctionVersion
}

export async function moveAlias(cloud: CloudClient, name: string, to: Alias): Promise<void> {
  const { version, releases, additional } = to
  await cloud.call('UpdateAlias', {
    ...functionNamed(name, cloud),
    Name: liveAlias,
    FunctionVersion: version,
    Description: releasesText(releases),
    // Sent even when empty, since what is left out may stay.
    RoutingConfig: {
      AdditionalVersionWeights: additional
        ? [{ Version: additional.version, Weight: additional.weight }]
        : [],
    },
  })
}
