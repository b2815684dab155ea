/** What the server of the page tells it, as JSON. */

/** Somebody whose phone it may be. */
export interface Person {
  openid: string
  name: string
  /** What they are to the service. */
  role: string
}

/** `GET /try-it/about` */
export interface About {
  people: Person[]
  links: { href: string; text: string }[]
}

/** A request that a function answered. */
export interface Exchange {
  /** From 1, in the order of their answers. */
  number: number
  atMs: number
  method: string
  /** With its query. */
  path: string
  /** phone, this page, curl, DevTools, or the program as it calls itself. */
  sender: string
  /** The openid of whose phone it was; absent for other senders. */
  person?: string
  status: number
  durationMs: number
  requestId: string
  /** Asks the same again; absent for a body that is no text. */
  curl?: string
  answer: string
  /** What the function wrote meanwhile. */
  lines: string[]
}

/** `GET /try-it/news?run=…&after=…`: what changed since. */
export interface News {
  /** Another one than before: everything is told from the start. */
  run: string
  version: number
  exchanges: Exchange[]
  /** What functions wrote outside a request: the newest lines, all of them whenever one came. */
  otherLines?: string[]
}

export interface Cell {
  text: string
  kind: 'text' | 'number' | 'time' | 'id' | 'digest' | 'sealed' | 'null'
}

/** `GET /try-it/rows` */
export interface Table {
  name: string
  columns: string[]
  rows: Cell[][]
  /** Why it cannot be read. */
  problem?: string
}
