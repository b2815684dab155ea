/** Drill D: events of every platform, mutated at random, into all functions on a world that is never down. */

import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as v from 'valibot'
import { Problem, type ProblemCode } from '../../shared/problem.ts'
import { HIDDEN, somebody } from './drill-fake-world.ts'
import type * as drillFunctions from './drill-functions.ts'
import type { Chance } from './drill-random.ts'
import { eventMutator } from './event-mutations.ts'
import { randomKey } from './world.ts'

/** The functions and what they are made of: as they are, or a broken variant. */
export type FuzzedModule = typeof drillFunctions

export interface FuzzResult {
  events: number
  /** Rejections; answers of 500 and more; answers of another shape than the endpoint's or a problem's; members that leaked. */
  throws: number
  serverErrors: number
  misshapen: number
  leaks: number
  /** Members that appeared on the prototype of all objects. */
  pollution: number
  heapGrowthBytes: number
  /** Milliseconds of processor time that 999 in 1000 events take. */
  p999Ms: number
  /** How many answers were good: a fuzzer that only meets 404 tries nothing. */
  good: number
  routes: number
  /** One event of each kind of fault, for whoever looks into it. */
  examples: Record<string, string>
}

const WARM_UP_EVENTS = 1500
const HEAP_GROWTH_MAX_BYTES = 20 * 2 ** 20
const P999_MAX_MS = 50

/** What went wrong in it, in words; nothing for a sound build. */
export function fuzzFaults(result: FuzzResult): string[] {
  const { throws, serverErrors, misshapen, leaks, pollution, heapGrowthBytes, p999Ms } = result
  const faults = { throws, serverErrors, misshapen, leaks, pollution }
  return [
    ...Object.entries(faults).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : [])),
    ...(heapGrowthBytes > HEAP_GROWTH_MAX_BYTES ? ['the heap grew'] : []),
    ...(p999Ms > P999_MAX_MS ? ['slow events'] : []),
  ]
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Sends `count` events. */
export async function fuzzEvents(
  { functionsInProcess, fakeParts, drillSigner, endpointAt }: FuzzedModule,
  count: number,
  chance: Chance,
): Promise<FuzzResult> {
  const kept = randomKey('k1')
  const appid = 'wx0123456789abcdef'
  const key = { kid: 'k1', secret: new Uint8Array(Buffer.from(kept.slice(3), 'base64url')) }
  const signer = drillSigner(appid, key)
  const environment = {
    TOKEN_KEYS: kept,
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomKey('').slice(1),
    WECHAT_APPID: appid,
    WECHAT_SECRET: 'secret-of-the-drill',
    WECHAT_API_URL: 'http://127.0.0.1:9',
    DATABASE_URL: 'mysql://user:password@127.0.0.1:1/none',
  }
  let lastRoute: string | undefined
  const functions = functionsInProcess(environment, {
    others: fakeParts(signer, key),
    write(line) {
      lastRoute = (JSON.parse(line) as { route?: string }).route
    },
  })
  const { token } = await signer.sign(somebody)
  const mutate = eventMutator({ chance, token, appid, routes: [...endpointAt.keys()] })
  const seen = { throws: 0, serverErrors: 0, misshapen: 0, leaks: 0, pollution: 0, good: 0 }
  const examples: Record<string, string> = {}
  const routes = new Set<string>()
  const durations: number[] = []
  const note = (
    fault: 'throws' | 'serverErrors' | 'misshapen' | 'leaks',
    event: unknown,
    why: unknown,
  ) => {
    seen[fault]++
    examples[fault] ??= `${String(why)} at ${lastRoute}: ${shown(event)}`
  }
  let heapBefore = 0

  for (let index = 0; index < count + WARM_UP_EVENTS; index++) {
    if (index === WARM_UP_EVENTS) heapBefore = heapBytes()
    const { event, context, owner } = mutate()
    lastRoute = undefined
    const cpuBefore = process.cpuUsage()
    let reply: unknown
    try {
      reply = await functions[owner](event, context)
    } catch (error) {
      note('throws', event, error)
      continue
    } finally {
      seen.pollution += cleanPrototype()
    }
    if (index >= WARM_UP_EVENTS) durations.push(cpuMsSince(cpuBefore))
    const answer = readReply(reply)
    if (!answer) note('misshapen', event, 'no reply of any platform')
    else if (answer.status >= 500) note('serverErrors', event, answer.text)
    else if (answer.text.includes(HIDDEN)) note('leaks', event, 'a hidden member')
    else if (!isAsDeclared(answer, lastRoute && endpointAt.get(lastRoute)?.output)) {
      note('misshapen', event, answer.text.slice(0, 200))
    } else if (answer.status < 300) {
      seen.good++
      if (lastRoute) routes.add(lastRoute)
    }
  }
  const heapGrowthBytes = heapBytes() - heapBefore - durations.length * 8
  durations.sort((one, other) => one - other)
  const p999Ms = durations[Math.floor(durations.length * 0.999)] ?? 0
  return { events: count, ...seen, heapGrowthBytes, p999Ms, routes: routes.size, examples }
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const soundPrototype = Object.getOwnPropertyDescriptors(Object.prototype)

/** Puts the prototype of all objects back, and tells how many members of it were added or changed. */
function cleanPrototype(): number {
  let changes = 0
  for (const name of Reflect.ownKeys(Object.prototype)) {
    if (Object.hasOwn(soundPrototype, name)) continue
    Reflect.deleteProperty(Object.prototype, name)
    changes++
  }
  for (const [name, { value }] of Object.entries(soundPrototype)) {
    if (name === '__proto__' || Reflect.get(Object.prototype, name) === value) continue
    Reflect.set(Object.prototype, name, value)
    changes++
  }
  return changes
}

interface ReadReply {
  status: number
  text: string
  body: unknown
}

const httpReply = v.strictObject({
  isBase64Encoded: v.boolean(),
  statusCode: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  headers: v.record(v.string(), v.string()),
  body: v.string(),
})
const functionReply = v.strictObject({
  status: v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)),
  body: v.optional(v.unknown()),
})

function readReply(reply: unknown): ReadReply | undefined {
  const called = v.safeParse(functionReply, reply)
  if (called.success) {
    const { status, body } = called.output
    const text = body === undefined ? '' : JSON.stringify(body)
    return { status, text, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  }
  const { success, output } = v.safeParse(httpReply, reply)
  if (!success || output.isBase64Encoded) return undefined
  const { statusCode: status, body: text } = output
  try {
    return { status, text, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
  } catch {
    return undefined
  }
}

/** Whether the body is just what the endpoint declares, or a problem of the catalogue with its status. */
function isAsDeclared(
  { status, body }: ReadReply,
  declared: v.GenericSchema | undefined | '',
): boolean {
  if (status === 204 || status === 304) return body === undefined
  if (status >= 400) {
    const { code = '' } = (body ?? {}) as { code?: string }
    try {
      return new Problem(code as ProblemCode).status === status
    } catch {
      return false
    }
  }
  // The article's client gets a bare sentence.
  if (typeof body === 'string') return status === 201
  if (!declared) return false
  const parsed = v.safeParse(declared, body)
  return parsed.success && isDeepStrictEqual(JSON.parse(JSON.stringify(parsed.output)), body)
}

function shown(event: unknown): string {
  try {
    return (JSON.stringify(event) ?? String(event)).slice(0, 600)
  } catch (error) {
    return String(error)
  }
}
