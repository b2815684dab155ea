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

/** The events of one call, and whom it is about. */
export interface CallSecurityLog extends SecurityLog {
  /** The pseudonym for the request line. */
  readonly person: string | undefined
}

/** Makes the security log of each call of an instance; `facts` tells what is known of the call by then. */
export function createSecurityLogs({
  log,
  pseudonyms,
  now,
}: {
  log: Logger
  pseudonyms: Pseudonyms
  now: () => number
}): (facts: () => Pick<LogEvent, 'requestId' | 'route' | 'transport'>) => CallSecurityLog {
  const isFirstThisMinute = createReminder(now)
  return (facts) => {
    let person: string | undefined
    return {
      get person() {
        return person
      },
      identify(userId) {
        person = pseudonyms.of('person', userId)
      },
      note(event, { userId, acc_nbr } = {}) {
        const about = userId === undefined ? person : pseudonyms.of('person', userId)
        const { requestId, route, transport } = facts()
        // Whoever goes on at a limit would write two lines for every refusal.
        if (event === 'limit-reached' && !isFirstThisMinute(`${about} ${route}`)) return
        const account = acc_nbr === undefined ? undefined : pseudonyms.of('account', acc_nbr)
        log.write({
          event,
          level: LEVELS[event],
          requestId,
          route,
          transport,
          person: about,
          account,
        })
      },
    }
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
