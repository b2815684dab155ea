/**
 * The sessions of the offline PlanetScale. A session is kept only while it is in a transaction, for
 * at most `transactionLimitMs`; the client carries everything else in the signed session value.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Engine, EngineSession } from './engine.ts'

/** What the driver sends back unread with its next statement. */
interface WireSession {
  signature: string
  vitessSession: { SessionUUID: string; autocommit: boolean; inTransaction?: true }
}

export interface SessionState {
  id: string
  inTransaction: boolean
}

interface OpenSession {
  engine: EngineSession
  timer: NodeJS.Timeout
  /** Resolves when the statements given to it so far have ended. */
  busy: Promise<unknown>
}

export class VitessSessions {
  readonly #engine: Engine
  readonly #transactionLimitMs: number
  readonly #key = randomBytes(32)
  readonly #open = new Map<string, OpenSession>()

  constructor(engine: Engine, transactionLimitMs: number) {
    this.#engine = engine
    this.#transactionLimitMs = transactionLimitMs
  }

  /** How many are in a transaction. */
  get open(): number {
    return this.#open.size
  }

  /** The value a client sends with its next statement. */
  sign(id: string, inTransaction: boolean): WireSession {
    const signature = createHmac('sha256', this.#key).update(`${id} ${inTransaction}`)
    const vitessSession = { SessionUUID: id, autocommit: !inTransaction }
    return {
      signature: signature.digest('base64'),
      vitessSession: inTransaction ? { ...vitessSession, inTransaction } : vitessSession,
    }
  }

  newSession(): SessionState {
    return { id: randomUUID(), inTransaction: false }
  }

  /** A new session for `null`; undefined for a value that this server did not sign. */
  verify(value: unknown): SessionState | undefined {
    if (value === null) return this.newSession()
    const id = String((value as Partial<WireSession>).vitessSession?.SessionUUID)
    const states = [true, false].map((inTransaction) => ({ id, inTransaction }))
    return states.find(({ inTransaction }) =>
      isDeepStrictEqual(value, this.sign(id, inTransaction)),
    )
  }

  /**
   * Runs `work` on the session, one piece of work at a time. Answers undefined when the client believes to be in
   * a transaction that is no longer open.
   */
  async use<T>(
    { id, inTransaction }: SessionState,
    work: (session: EngineSession) => Promise<T>,
  ): Promise<{ value: T } | undefined> {
    const kept = this.#open.get(id)
    if (kept === undefined) return inTransaction ? undefined : this.#useOnce(id, work)
    const turn = kept.busy.then(async () => {
      if (this.#open.get(id) !== kept) return undefined
      try {
        return { value: await work(kept.engine) }
      } finally {
        if (!kept.engine.inTransaction) this.#forget(id)
      }
    })
    kept.busy = turn.catch(() => undefined)
    return turn
  }

  isInTransaction(id: string): boolean {
    return this.#open.has(id)
  }

  async close(): Promise<void> {
    const sessions = [...this.#open]
    for (const [id] of sessions) this.#forget(id)
    await Promise.all(sessions.map(([, { engine }]) => engine.close()))
  }

  async #useOnce<T>(
    id: string,
    work: (session: EngineSession) => Promise<T>,
  ): Promise<{ value: T }> {
    const engine = this.#engine.openSession()
    try {
      return { value: await work(engine) }
    } finally {
      if (engine.inTransaction) this.#keep(id, engine)
      else await engine.close()
    }
  }

  #keep(id: string, engine: EngineSession): void {
    const timer = setTimeout(() => {
      this.#forget(id)
      void engine.close()
    }, this.#transactionLimitMs)
    this.#open.set(id, { engine, timer, busy: Promise.resolve() })
  }

  #forget(id: string): void {
    clearTimeout(this.#open.get(id)?.timer)
    this.#open.delete(id)
  }
}
