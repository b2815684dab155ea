/** What calls of an event function through its Function URL show. */

import { runtimeNodeVersion } from '../runtime-node.ts'
import type { EchoPackage } from './probe-functions.ts'
import type { Echoed, ProbeScene } from './scene.ts'

export interface EventUrls {
  /** Of `$DEFAULT`, with `ApiGwCompatible`. */
  live: URL
  /** Of `$LATEST`, without. */
  newest: URL
}

/** The parts of an address (RFC 5737) that nobody has. */
const forgedHeaders = { 'x-scf-remote-addr': '192.0.2.1', 'x-forwarded-for': '192.0.2.2' }
const LATER_CALLS = 5

function withQuery(url: URL, query: string): URL {
  return new URL(`/?${query}`, url)
}

/** `requestContext.sourceIp`, `headers`, … */
function keysOf(shape: unknown, prefix = ''): string[] {
  if (typeof shape !== 'object' || shape === null || Array.isArray(shape)) return [prefix]
  const inner = Object.entries(shape)
  return inner.length === 0
    ? [prefix]
    : inner.flatMap(([key, each]) => keysOf(each, prefix ? `${prefix}.${key}` : key))
}

function listed(names: readonly string[]): string {
  return names.join(', ') || 'nothing'
}

function addressesIn({ addresses }: Echoed): string {
  return Object.entries(addresses)
    .map(([name, place]) => `${name}: ${Array.isArray(place) ? place.join(' > ') : place}`)
    .join('; ')
}

/** The first call of all comes first: it is the cold one. */
export async function observeEvents(scene: ProbeScene, { live, newest }: EventUrls): Promise<void> {
  const { settle, ask, observe } = scene
  await observe(
    [
      'event-keys',
      'context-keys',
      'variable-names',
      'node-version',
      'query-values',
      'client-address',
      'start-times',
    ],
    async () => {
      const first = await ask(withQuery(live, 'twice=1&twice=2&flag'), forgedHeaders)
      const { echoed } = first
      const { event = {}, context = {} } = echoed
      settle('event-keys', listed(Object.keys(event)), event)
      settle('context-keys', listed(Object.keys(context)), context)
      settle('variable-names', listed(echoed.variableNames))
      const wanted = `v${runtimeNodeVersion()}`
      const isWanted = echoed.node === wanted ? 'the one' : `not ${wanted}`
      settle(
        'node-version',
        `${echoed.node} on ${echoed.platform}, time zone ${echoed.timezone}: ${isWanted} that packages are compiled for`,
      )
      const query = event.queryString ?? event.queryStringParameters ?? 'none'
      settle('query-values', JSON.stringify(query))
      settle('client-address', addressesIn(echoed))
      const later: number[] = []
      for (let call = 0; call < LATER_CALLS; call++) later.push((await ask(live)).answer.durationMs)
      const ms = later.map((each) => Math.round(each)).join(', ')
      settle(
        'start-times',
        `first ${Math.round(first.answer.durationMs)} ms (call ${echoed.calls} of its instance), then ${ms} ms, a new connection each`,
      )
    },
  )
  await observe(['gateway-compatible'], async () => {
    const compatible = keysOf((await ask(live)).echoed.event)
    const plain = keysOf((await ask(newest)).echoed.event)
    const more = compatible.filter((key) => !plain.includes(key))
    const less = plain.filter((key) => !compatible.includes(key))
    settle('gateway-compatible', `only with it: ${listed(more)}; only without it: ${listed(less)}`)
  })
}

/** Odd ends of a call: these spoil instances, so they come after what needs a quiet one. */
export async function observeEnds(scene: ProbeScene, { live }: EventUrls): Promise<void> {
  const { settle, ask, call, observe, pause, pauseMs } = scene
  const deed = (name: string) => call(withQuery(live, `deed=${name}`))
  await observe(['freezing'], async () => {
    const before = await ask(live)
    await pause(pauseMs)
    const { echoed } = await ask(live)
    if (echoed.instance !== before.echoed.instance)
      return scene.leave('freezing', 'the second call came to another instance')
    const { ticksSinceLastAnswer: ticks, msSinceLastAnswer: ms } = echoed
    settle(
      'freezing',
      `${ticks} ticks of a timer of 100 ms in ${ms} ms between two calls: ${ticks > 2 ? 'timers run on' : 'the instance is frozen'}`,
    )
  })
  await observe(['event-loop'], async () => {
    const lingering = await deed('linger')
    const next = await ask(live)
    const same = JSON.parse(lingering.text).instance === next.echoed.instance
    settle(
      'event-loop',
      `answered after ${Math.round(lingering.durationMs)} ms; the next call came to ${same ? 'the same' : 'another'} instance`,
    )
  })
  await observe(['failure-statuses', 'time-limit'], async () => {
    const { echoed } = await ask(live)
    const thrown = await deed('throw')
    const late = await deed('sleep')
    const exited = await deed('exit')
    settle(
      'failure-statuses',
      `thrown: ${failureIn(thrown)}; out of time: ${failureIn(late)}; exited: ${failureIn(exited)}`,
    )
    settle(
      'time-limit',
      `${echoed.remainingMs} ms left at the start; out of time after ${Math.round(late.durationMs)} ms`,
    )
  })
  await observe(['reply-headers'], async () => {
    const location = await deed('location')
    const cookies = await deed('cookies')
    const base64 = await deed('base64')
    const options = await call(live, { method: 'OPTIONS' })
    settle(
      'reply-headers',
      [
        `Location: HTTP ${location.status} ${location.headers.location ? 'with it' : 'without it'}`,
        `cookies: ${cookies.headers['set-cookie']?.length ?? 0}`,
        `base64: ${base64.text === 'ok' ? 'decoded' : 'as it is'}`,
        `OPTIONS: HTTP ${options.status}, ${options.text.includes('"instance"') ? 'from the function' : 'from the platform'}`,
      ].join('; '),
    )
  })
}

/** What the platform says of a call that failed, and how. */
function failureIn({ status, text }: { status: number; text: string }): string {
  try {
    const { errorCode, errorMessage, statusCode } = JSON.parse(text)
    return `HTTP ${status} with ${JSON.stringify({ errorCode, errorMessage, statusCode })}`
  } catch {
    return `HTTP ${status} with ${text.slice(0, 120) || 'no body'}`
  }
}

/** What an uploaded package's digest is that of, and whether equal bytes keep it. */
export function digestInWords(digest: string, { digests }: EchoPackage): string {
  return (
    digests.get(digest) ?? digests.get(digest.toLowerCase()) ?? 'something else than what was sent'
  )
}
