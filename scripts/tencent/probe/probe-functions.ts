/** The functions a probe makes, and the steps it takes them through. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CommandProblem } from '../../cli/problem.ts'
import type { CloudClient } from '../cloud/client.ts'
import { bootstrapFor } from '../package-functions.ts'
import { listTriggers, urlsIn } from '../triggers.ts'
import { functionNamed, lookUntil, waitUntilActive } from '../waiting.ts'
import { deterministicZip } from '../zip.ts'
import { probeTag } from './removal.ts'

const echo = new URL('./echo.cjs', import.meta.url)

export interface EchoPackage {
  zip: Buffer
  /** Digest → what it is the digest of. */
  digests: ReadonlyMap<string, string>
}

/** The echo as a package; `code` is what its answers say they come from. */
export async function packEcho(
  code: string,
  { runtime }: { runtime: string },
): Promise<EchoPackage> {
  const entry = Buffer.from((await readFile(echo, 'utf8')).replace('CODE_NAME', code))
  const zip = await deterministicZip([
    { name: 'index.js', data: entry },
    { name: 'scf_bootstrap', data: bootstrapFor(runtime), executable: true },
  ])
  const digests = new Map<string, string>()
  for (const [data, what] of [
    [zip, 'the package as it was sent'],
    [entry, 'its index.js'],
  ] as const)
    for (const encoding of ['hex', 'base64'] as const)
      digests.set(createHash('sha256').update(data).digest(encoding), `${what} (${encoding})`)
  return { zip, digests }
}

type Tell = (step: string) => void

/** Waits until no change of it runs. @throws {CommandProblem} when one failed */
export function settled(cloud: CloudClient, name: string, tell: Tell): Promise<void> {
  return waitUntilActive(cloud, name, {
    tell: (status) => tell(`${name}: waiting, it is ${status}`),
  })
}

export async function createProbeFunction(
  cloud: CloudClient,
  {
    name,
    type,
    runtime,
    timeLimitSeconds,
    zip,
  }: {
    name: string
    type: 'Event' | 'HTTP'
    runtime: string
    timeLimitSeconds: number
    zip: Buffer
  },
  tell: Tell,
): Promise<void> {
  tell(`creating ${name}`)
  await cloud.call('CreateFunction', {
    ...functionNamed(name, cloud),
    Type: type,
    Runtime: runtime,
    Code: { ZipFile: zip.toString('base64') },
    CodeSource: 'ZipFile',
    ...(type === 'Event' && { Handler: 'index.main_handler' }),
    Description: 'Probe of miniscore, removed at its end',
    MemorySize: 128,
    Timeout: timeLimitSeconds,
    Environment: { Variables: [{ Key: 'PROBE_SETTING', Value: 'one' }] },
    Tags: [probeTag],
  })
  await settled(cloud, name, tell)
}

/** A Function URL on a qualifier, which has one each (583/100227); waits until it is listed. */
export async function createUrl(
  cloud: CloudClient,
  { name, qualifier, compatible }: { name: string; qualifier: string; compatible: boolean },
): Promise<URL> {
  await cloud.call('CreateTrigger', {
    ...functionNamed(name, cloud),
    TriggerName: `url-${compatible ? 'compatible' : 'plain'}`,
    Type: 'http',
    Qualifier: qualifier,
    TriggerDesc: JSON.stringify({
      AuthType: 'NONE',
      NetConfig: { EnableIntranet: false, EnableExtranet: true },
      ApiGwCompatible: compatible,
    }),
  })
  const found = await lookUntil(cloud, async () => {
    const urls = urlsIn(await listTriggers(cloud, name))
    return urls.find((each) => each.qualifier === qualifier && each.url)?.url
  })
  if (!found) throw new CommandProblem(`the Function URL of ${name} on ${qualifier} is not listed.`)
  return new URL(found)
}
