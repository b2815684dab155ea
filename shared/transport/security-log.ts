/** Security events of a call: log lines of their own, beside its request line, with pseudonyms for whom they are about. */

import type { LogEvent, Logger, Pseudonyms, SecurityEvent, SecurityLog } from '../ports.ts'

/** What each event is worth, see functions/README.md: a warning is to be looked into. */
const LEVELS: Record<SecurityEvent, LogEvent['level']> = {
  'token-forged': 'warn',
  'refresh-token-reused': 'warn',
  'session-ended-by-reuse': 'warn',
  'number-taken-over': 'warn',
  'limit-reached': 'info',
  'operator-read': 'info',
  'person-forgotten': 'info',
  'forgetting-unfinished': 'warn',
}

const MINUTE_MS = 60_000

type LineFacts = Pick<LogEvent, 'requestId' | 'route' | 'transport'>

interface SecurityLogOptions {
  log: Logger
  pseudonyms: Pseudonyms
  now: () => number
}

/** Makes the security log of each call of an instance; `facts` tells what is known of the call by then. */
export function createSecurityLogs(
  options: SecurityLogOptions,
): (facts: () => LineFacts) => CallSecurityLog {
  const isFirstThisMinute = createReminder(options.now)
  return (facts) => new CallSecurityLog(facts, isFirstThisMinute, options)
}

/** The events of one call, and whom it is about. A class, because V8 makes an object with a getter slowly. */
export class CallSecurityLog implements SecurityLog {
  /** The pseudonym for the request line. */
  person: string | undefined = undefined
  readonly #facts: () => LineFacts
  readonly #isFirstThisMinute: (text: string) => boolean
  readonly #options: SecurityLogOptions

  constructor(
    facts: () => LineFacts,
    isFirstThisMinute: (text: string) => boolean,
    options: SecurityLogOptions,
  ) {
    this.#facts = facts
    this.#isFirstThisMinute = isFirstThisMinute
    this.#options = options
  }

  identify(userId: string): void {
    this.person = this.#options.pseudonyms.of('person', userId)
  }

  note(
    event: SecurityEvent,
    { userId, acc_nbr }: { userId?: string; acc_nbr?: string } = {},
  ): void {
    const { log, pseudonyms } = this.#options
    const person = userId === undefined ? this.person : pseudonyms.of('person', userId)
    const { requestId, route, transport } = this.#facts()
    // Whoever goes on at a limit would write two lines for every refusal.
    if (event === 'limit-reached' && !this.#isFirstThisMinute(`${person} ${route}`)) return
    const account = acc_nbr === undefined ? undefined : pseudonyms.of('account', acc_nbr)
    log.write({ event, level: LEVELS[event], requestId, route, transport, person, account })
  }
}

/** Says of each text whether it is asked for the first time in this minute of the clock. */
function createReminder(now: () => number): (text: string) => boolean {
  let minute = 0
  let seen = new Set<string>()
  return (text) => {
    const current = Math.floor(now() / MINUTE_MS)
    if (current !== minute) {
      minute = current
      seen = new Set()
    }
    if (seen.has(text)) return false
    seen.add(text)
    return true
  }
}
