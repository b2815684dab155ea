/** Everything that can be wrong with a database URL, as codes; the sentence is made from the code. */

/** Behind "the database URL"; `…` stands for the error's detail. */
export const databaseUrlFaults = {
  'not-a-url': 'is not a URL',
  scheme: 'must start with …',
  'other-door': 'needs another driver than this bundle, built for …, carries: build again',
  'no-host': 'names no host',
  'no-user': 'names no user',
  'no-password': 'names no password',
  'no-database': 'names no database',
  'plain-http': 'must use https: plain http is for loopback only',
  /** Detail: host, user, password or database. */
  'percent-encoding': 'has a … that is not percent-encoded correctly',
  'percent-encoded-credentials':
    'may not need percent-encoding in user name or password here: choose others',
  /** Detail: its name, when that is a word. */
  'unknown-parameter': 'has a parameter it cannot have: …',
  'ssl-value': 'has an ssl that is neither true nor false',
  /** Detail: the modes there are. */
  'ssl-mode-value': 'has an ssl-mode that is none of …',
  'ssl-ca-unused': 'has an ssl-ca, which needs ssl-mode=verify_ca',
  'ssl-ca-unreadable': 'has an ssl-ca that leads to no file that can be read',
  'ssl-host-address':
    'gives the host by its address, which has no name to check: use ssl-mode=verify_ca',
} as const

/** One of the faults. */
export type DatabaseUrlFault = keyof typeof databaseUrlFaults

/** A database URL that cannot be used. Neither message nor detail hold anything secret of it. */
export class DatabaseUrlError extends Error {
  readonly code: DatabaseUrlFault
  /** What the sentence has in its gap; empty when it has none. */
  readonly detail: string

  constructor(code: DatabaseUrlFault, detail = '') {
    super(`the database URL ${databaseUrlFaults[code].replace('…', detail)}`)
    this.name = 'DatabaseUrlError'
    this.code = code
    this.detail = detail
  }
}
