/** One run of the probe: makes its functions, observes, and takes everything away again, whatever happened. */
import { CommandProblem, problemList } from '../../cli/problem.ts'
import type { CloudClient } from '../cloud/client.ts'
import { type EventUrls, observeEnds, observeEvents } from './event-calls.ts'
import type { Findings } from './lines.ts'
import { observeLogService, observeLogs, observeWeb } from './log-lines.ts'
import { type NetworkOptions, observeDomain, observeVpc } from './network.ts'
import { createProbeFunction, createUrl, packEcho } from './probe-functions.ts'
import type { CallPublic } from './public-call.ts'
import { eventFunction, removeProbe, webFunction } from './removal.ts'
import { createScene, type ProbeScene, Stopped } from './scene.ts'
import { observeInvokeRight, observeVersions } from './versions.ts'

export interface ProbeOptions extends NetworkOptions {
  runtime: string
  /** How long an instance is left alone to see whether its timers run on. */
  pauseMs: number
  /** That of its functions; calls that go beyond it are part of the probe. */
  timeLimitSeconds: number
}

export interface ProbeRun {
  findings: Findings
  /** Why it ended before its end; undefined when it did not. */
  failure: string | undefined
  /** What it could not remove, each with the reason. */
  left: readonly string[]
}

/** What a run makes, in words. */
export function madeByProbe({ runtime, vpcId, domain, certificateId }: ProbeOptions): string[] {
  return [
    `${eventFunction}: an event function (${runtime}, 128 MB), its versions and two open Function URLs`,
    `${webFunction}: a Web function with an open Function URL`,
    ...(vpcId ? [`${eventFunction} is put into ${vpcId} and out of it again`] : []),
    ...(domain
      ? [
          `${domain}: a custom domain over ${certificateId ? 'HTTPS' : 'HTTP'}, routed to ${eventFunction} under /probe`,
        ]
      : []),
  ]
}

async function observeAll(scene: ProbeScene, options: ProbeOptions): Promise<void> {
  const { cloud, tell, observe } = scene
  const { runtime, timeLimitSeconds } = options
  const common = { runtime, timeLimitSeconds }
  await observeLogService(scene)
  const { zip } = await packEcho('first', { runtime })
  await createProbeFunction(cloud, { ...common, name: eventFunction, type: 'Event', zip }, tell)
  const url = (qualifier: string, compatible: boolean) =>
    createUrl(cloud, { name: eventFunction, qualifier, compatible })
  const urls: EventUrls = { live: await url('$DEFAULT', true), newest: await url('$LATEST', false) }
  tell('calling it')
  await observeEvents(scene, urls)
  await observeEnds(scene, urls)
  await observeInvokeRight(scene)
  await observeLogs(scene)
  await observeVersions(scene, urls)
  await observe(['web-process', 'web-peer', 'web-return-values'], async () => {
    await createProbeFunction(cloud, { ...common, name: webFunction, type: 'HTTP', zip }, tell)
    const web = { name: webFunction, qualifier: '$DEFAULT', compatible: true }
    await observeWeb(scene, await createUrl(cloud, web))
  })
  await observeVpc(scene, options)
  await observeDomain(scene, options)
}

/**
 * Removes what an earlier run left, observes, and removes what it made: also when it fails, or when `signal` tells it to
 * stop, which it does between two calls. @throws {CommandProblem} when something of these names is not the probe's
 */
export async function runProbe(
  cloud: CloudClient,
  {
    call,
    signal,
    tell,
    ...options
  }: ProbeOptions & { call: CallPublic; signal: AbortSignal; tell: (step: string) => void },
): Promise<ProbeRun> {
  const { domain, runtime, pauseMs } = options
  const before = await removeProbe(cloud, { domain, tell })
  if (before.left.length > 0) throw problemList('Nothing was made. In the way:', before.left)
  const findings: Findings = new Map()
  const scene = createScene({ cloud, call, signal, runtime, pauseMs, findings, tell })
  let failure: string | undefined
  try {
    await observeAll(scene, options)
  } catch (error) {
    if (!(error instanceof CommandProblem)) tell(`unexpected: ${error}`)
    failure = error instanceof Error ? error.message : String(error)
    if (error instanceof Stopped) tell('stopping')
  }
  tell('removing what it made')
  const { left } = await removeProbe(cloud, { domain, tell })
  return { findings, failure, left }
}
