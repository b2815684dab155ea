import { validateHeaderName, validateHeaderValue } from 'node:http'
import * as v from 'valibot'
import { isObject } from './wechat-request.ts'

/**
 * Ways in which the simulator misbehaves on demand:
 * - `errcode` a refusal with that errcode · `status` an HTTP status with an HTML page · `empty` status 200 and no body, as HTML ·
 *   `html` a gateway's page with status 200 · `raw` exactly the given status, headers and body
 * - `truncate` half of the body · `hang` no answer ever · `reset` the connection is reset once the request was read, or in the
 *   middle of `body` when one is given · `slow` the answer after `delayMs` · `drip` the answer, one byte every `delayMs`
 * - `refuse` nobody listens on the port for `delayMs`
 *
 * `truncate`, `hang`, `reset`, `slow` and `drip` let WeChat do its work first (a code is used up although its answer is lost);
 * the others do not. `consumes` says otherwise.
 */
const FAULT_KINDS = [
  'errcode',
  'status',
  'empty',
  'html',
  'truncate',
  'hang',
  'reset',
  'slow',
  'drip',
  'raw',
  'refuse',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

const MOST_TIMES = 1_000_000
/** Long enough for any deadline under test. */
const LONGEST_DELAY_MS = 600_000

function integer(least: number, most: number) {
  return v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  )
}

function isHeader([name, value]: [string, string]): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

/** A fault as `POST /sim/faults` takes it. */
export const FaultSpec = v.pipe(
  v.strictObject({
    kind: v.picklist(FAULT_KINDS, `must be one of ${FAULT_KINDS.join(', ')}`),
    path: v.optional(v.pipe(v.string('must be a text'), v.startsWith('/', 'must start with /'))),
    errcode: v.optional(integer(-99_999_999, 99_999_999)),
    errmsg: v.optional(v.string('must be a text')),
    status: v.optional(integer(200, 599)),
    body: v.optional(v.string('must be a text')),
    headers: v.optional(
      v.pipe(
        v.custom<Record<string, string>>(isObject, 'must be a JSON object'),
        v.record(v.string(), v.string('must be a text')),
        v.check((headers) => Object.entries(headers).every(isHeader), 'must be valid HTTP headers'),
      ),
    ),
    delayMs: v.optional(integer(0, LONGEST_DELAY_MS)),
    times: v.optional(integer(1, MOST_TIMES)),
    consumes: v.optional(v.boolean('must be true or false')),
  }),
  v.check(
    ({ kind, errcode }) => kind !== 'errcode' || errcode !== undefined,
    'errcode: is needed by the kind errcode',
  ),
  v.check(
    ({ kind, status }) => kind !== 'status' || status !== undefined,
    'status: is needed by the kind status',
  ),
)

/** `times` is 1 unless given, `path` any of WeChat's, `delayMs` 0 (but 1000 for `slow`, `drip` and `refuse`). */
export type FaultSpec = v.InferInput<typeof FaultSpec>

export function createFaults() {
  let queue: { fault: FaultSpec; left: number }[] = []
  return {
    /** Puts a fault at the end of the queue. */
    add(fault: FaultSpec): void {
      queue.push({ fault, left: fault.times ?? 1 })
    },
    /** Takes the first fault meant for this path and counts it as played. */
    take(path: string): FaultSpec | undefined {
      const entry = queue.find(({ fault }) => fault.path === undefined || fault.path === path)
      if (!entry) return undefined
      entry.left -= 1
      if (entry.left === 0) queue = queue.filter((other) => other !== entry)
      return entry.fault
    },
    /** Those still to come; `times` says how often. */
    waiting: (): FaultSpec[] => queue.map(({ fault, left }) => ({ ...fault, times: left })),
    clear(): void {
      queue = []
    },
  }
}
