/** Faults on demand: what a network and a database do at the worst moment, for the next n matching statements. */

export type FaultKind =
  | 'slow' // answer after `delayMs`
  | 'hang' // never answer
  | 'cut' // end the connection after `afterBytes` of the answer's body
  | 'empty' // answer `{}`
  | 'drop-answer' // run the statement, then end the connection without an answer (a lost COMMIT)
  | 'close' // end the connection without running the statement
  | 'http-error' // an HTML page with `status`
  | 'sql-error' // refuse with `errno` and `sqlState`

export interface Fault {
  kind: FaultKind
  /** A regular expression the statement must match (case-insensitive); every statement by default. */
  match?: string
  /** How many matching statements are hit; 1 by default. */
  times?: number
  delayMs?: number
  afterBytes?: number
  status?: number
  errno?: number
  sqlState?: string
}

const KINDS: readonly string[] = [
  'slow',
  'hang',
  'cut',
  'empty',
  'drop-answer',
  'close',
  'http-error',
  'sql-error',
]

export class FaultSwitch {
  private faults: { fault: Fault; pattern: RegExp; left: number }[] = []

  /** @throws {Error} in words when `fault` is not one */
  add(fault: Fault): void {
    const pattern = new RegExp(fault.match ?? '', 'i')
    this.faults.push({ fault, pattern, left: fault.times ?? 1 })
  }

  clear(): void {
    this.faults = []
  }

  /** The fault that hits this statement, which thereby has one hit fewer left. */
  take(statement: string): Fault | undefined {
    const entry = this.faults.find(({ pattern, left }) => left > 0 && pattern.test(statement))
    if (entry) entry.left--
    return entry?.fault
  }

  /** How many faults are still to come. */
  get left(): number {
    return this.faults.reduce((sum, { left }) => sum + left, 0)
  }
}

const NUMBERS = ['times', 'delayMs', 'afterBytes', 'status', 'errno'] as const
const STRINGS = ['match', 'sqlState'] as const

/** A fault from JSON. @throws {Error} in words */
export function readFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null) throw new Error('a fault is an object')
  const members = new Map<string, unknown>(Object.entries(value))
  const kind = members.get('kind')
  if (typeof kind !== 'string' || !KINDS.includes(kind)) {
    throw new Error(`"kind" is one of ${KINDS.join(', ')}`)
  }
  const fault: Fault = { kind: kind as FaultKind }
  for (const name of NUMBERS) {
    const number = members.get(name)
    if (number === undefined) continue
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) {
      throw new Error(`"${name}" is a whole number`)
    }
    fault[name] = number
  }
  for (const name of STRINGS) {
    const text = members.get(name)
    if (text === undefined) continue
    if (typeof text !== 'string') throw new Error(`"${name}" is a string`)
    fault[name] = text
  }
  for (const name of members.keys()) {
    if (![...NUMBERS, ...STRINGS, 'kind'].some((known) => known === name))
      throw new Error(`"${name}" is unknown`)
  }
  return fault
}
