/** The audit: rows that are added, read by a command and deleted by their age (`maintenance.ts`), and never changed. */

import { v7 as uuidV7 } from 'uuid'
import type { Audit, AuditedEvent, Pseudonyms } from '../ports.ts'
import { DATABASE_MS } from './database-clock.ts'
import { type Db, DbError } from './db.ts'
import { BEFORE_FIRST_ID } from './id-range.ts'
import { bytes, integer, text, uuidToBytes } from './rows.ts'

/** An audit in a database, in which people have the names that the log has for them. */
export function createAudit(db: Db, pseudonyms: Pseudonyms): Audit {
  return {
    async record(event, { userId, requestId }) {
      const { rowsAffected } = await db.query(
        `insert into audit_events (event_id, occurred_at, event, person, request) values (?, ${DATABASE_MS}, ?, ?, ?)`,
        [uuidToBytes(uuidV7()), event, pseudonyms.of('person', userId), requestId],
      )
      if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
    },
  }
}

/** A row of the audit. */
export interface AuditRow {
  atMs: number
  event: AuditedEvent
  /** Pseudonym of who acted. */
  person: string
  requestId: string
}

const ROWS_AT_A_TIME = 1000

/** What was recorded at `sinceMs` and later, oldest first, in pages. */
export async function* auditPages(db: Db, sinceMs: number): AsyncGenerator<AuditRow[]> {
  let last: { atMs: number; id: Uint8Array } = { atMs: sinceMs - 1, id: BEFORE_FIRST_ID }
  for (;;) {
    const { rows } = await db.query(
      `select event_id, occurred_at, event, person, request from audit_events
       where occurred_at >= ? and (occurred_at > ? or event_id > ?) order by occurred_at, event_id limit ?`,
      [last.atMs, last.atMs, last.id, ROWS_AT_A_TIME],
    )
    const end = rows.at(-1)
    if (!end) return
    yield rows.map((row) => ({
      atMs: integer(row, 'occurred_at'),
      event: text(row, 'event') as AuditedEvent,
      person: text(row, 'person'),
      requestId: text(row, 'request'),
    }))
    if (rows.length < ROWS_AT_A_TIME) return
    last = { atMs: integer(end, 'occurred_at'), id: bytes(end, 'event_id') }
  }
}
