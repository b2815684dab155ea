/** Everything that can be wrong with a database URL, as codes; the sentence is made from the code. */

/** Behind "the database URL"; `…` stands for the error's detail. */
export const databaseUrlFaults = {
  'not-a-url': 'is not a URL',
  scheme: 'has a scheme no driver is for',
  'other-door': 'needs another driver: build again',
  'no-host': 'names no host',
  'no-user': 'names no user',
  'no-password': 'names no password',
  'no-database': 'names no database',
  'plain-http': 'must use https',
  /** Detail: host, user, password or database. */
  'percent-encoding': 'has a badly percent-encoded …',
  'percent-encoded-credentials': 'has a user or password that needs percent-encoding',
  /** Detail: its name, when that is a word. */
  'unknown-parameter': 'cannot have the parameter …',
  'ssl-value': 'needs ssl=true or false',
  /** Detail: the modes there are. */
  'ssl-mode-value': 'needs an ssl-mode of …',
  'ssl-ca-unused': 'has ssl-ca without ssl-mode=verify_ca',
  'ssl-ca-unreadable': 'has an unreadable ssl-ca',
  'ssl-host-address': 'needs ssl-mode=verify_ca for a host without name',
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
