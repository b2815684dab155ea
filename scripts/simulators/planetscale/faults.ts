/** Faults on demand: what a network and a database do at the worst moment, for the next n matching statements. */

export interface StatementFault {
  kind:
    | 'slow' // answer after `delayMs`
    | 'hang' // never answer
    | 'cut' // end the connection after `afterBytes` of the answer's body
    | 'empty' // answer `{}`
    | 'drop-answer' // run the statement, then end the connection without an answer (a lost COMMIT)
    | 'close' // end the connection without running the statement
    | 'http-error' // an HTML page with `status`
    | 'sql-error' // refuse with `errno` and `sqlState`
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

export class FaultSwitch {
  #faults: { fault: StatementFault; pattern: RegExp; left: number }[] = []

  /** @throws {SyntaxError} when `match` is no regular expression */
  add(fault: StatementFault): void {
    const pattern = new RegExp(fault.match ?? '', 'i')
    this.#faults.push({ fault, pattern, left: fault.times ?? 1 })
  }

  clear(): void {
    this.#faults = []
  }

  /** The fault that hits this statement, which thereby has one hit fewer left. */
  take(statement: string): StatementFault | undefined {
    const entry = this.#faults.find(({ pattern, left }) => left > 0 && pattern.test(statement))
    if (entry) entry.left--
    return entry?.fault
  }

  /** How many faults are still to come. */
  get left(): number {
    return this.#faults.reduce((sum, { left }) => sum + left, 0)
  }
}
