/**
 * The sessions of the offline PlanetScale. A session is kept only while it is in a transaction, for
 * at most `transactionLimitMs`; the client carries everything else in the signed session value.
 */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Engine, EngineSession } from './engine.ts'

/** What the driver sends back unread with its next statement. */
export interface WireSession {
  signature: string
  vitessSession: { SessionUUID: string; autocommit: boolean; inTransaction?: boolean }
}

export interface OpenSession {
  id: string
  engine: EngineSession
}

export class Sessions {
  private readonly engine: Engine
  private readonly transactionLimitMs: number
  private readonly key = randomBytes(32)
  private readonly open = new Map<
    string,
    OpenSession & { timer: NodeJS.Timeout; busy: Promise<void> }
  >()

  constructor(engine: Engine, transactionLimitMs: number) {
    this.engine = engine
    this.transactionLimitMs = transactionLimitMs
  }

  get inTransaction(): number {
    return this.open.size
  }

  /** A session value for the wire. */
  sign(id: string, inTransaction: boolean): WireSession {
    const vitessSession = {
      SessionUUID: id,
      autocommit: !inTransaction,
      ...(inTransaction ? { inTransaction } : {}),
    }
    return { signature: this.signature(id, inTransaction), vitessSession }
  }

  newId(): string {
    return randomUUID()
  }

  /** The identity in a session value, or undefined when this server did not sign it. */
  verify(value: unknown): { id: string; inTransaction: boolean } | undefined {
    const session = value as Partial<WireSession> | null
    const id = session?.vitessSession?.SessionUUID
    const inTransaction = session?.vitessSession?.inTransaction === true
    if (typeof id !== 'string' || typeof session?.signature !== 'string') return undefined
    const expected = Buffer.from(this.signature(id, inTransaction))
    const given = Buffer.from(session.signature)
    return expected.length === given.length && timingSafeEqual(expected, given)
      ? { id, inTransaction }
      : undefined
  }

  /**
   * Runs `work` on the session of this id, one piece of work at a time. Answers undefined when the
   * client believes to be in a transaction that is no longer open.
   */
  async use<T>(
    id: string,
    expectTransaction: boolean,
    work: (session: EngineSession) => Promise<T>,
  ): Promise<{ value: T; inTransaction: boolean } | undefined> {
    const kept = this.open.get(id)
    if (kept === undefined) {
      return expectTransaction ? undefined : this.useOnce(id, work)
    }
    const turn = kept.busy.then(async () => {
      if (this.open.get(id) !== kept) return undefined
      try {
        return await work(kept.engine).then((value) => ({ value }))
      } finally {
        if (!kept.engine.inTransaction) this.forget(id)
      }
    })
    kept.busy = turn.then(
      () => undefined,
      () => undefined,
    )
    const outcome = await turn
    return outcome && { ...outcome, inTransaction: kept.engine.inTransaction }
  }

  isInTransaction(id: string): boolean {
    return this.open.has(id)
  }

  async close(): Promise<void> {
    const sessions = [...this.open.values()]
    for (const { id } of sessions) this.forget(id)
    await Promise.all(sessions.map(({ engine }) => engine.close()))
  }

  private async useOnce<T>(
    id: string,
    work: (session: EngineSession) => Promise<T>,
  ): Promise<{ value: T; inTransaction: boolean }> {
    const engine = this.engine.openSession()
    let keep = false
    try {
      const value = await work(engine)
      keep = engine.inTransaction
      if (keep) this.keep(id, engine)
      return { value, inTransaction: keep }
    } finally {
      if (!keep) await engine.close()
    }
  }

  private keep(id: string, engine: EngineSession): void {
    const expire = (): void => {
      this.forget(id)
      void engine.close()
    }
    const timer = setTimeout(expire, this.transactionLimitMs)
    this.open.set(id, { id, engine, timer, busy: Promise.resolve() })
  }

  private forget(id: string): void {
    clearTimeout(this.open.get(id)?.timer)
    this.open.delete(id)
  }

  private signature(id: string, inTransaction: boolean): string {
    return createHmac('sha256', this.key).update(`${id} ${inTransaction}`).digest('base64')
  }
}
