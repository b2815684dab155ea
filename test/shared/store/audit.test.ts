import { randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteOldAudit } from '../../../scripts/database/maintenance.ts'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import { createPseudonyms } from '../../../shared/session/pseudonym.ts'
import { type AuditRow, auditPages, createAudit } from '../../../shared/store/audit.ts'
import type { Db } from '../../../shared/store/db.ts'
import { AUDIT_KEEP_DAYS } from '../../../shared/store/maintenance.ts'
import { createPersonStore } from '../../../shared/store/people.ts'
import { uuidToBytes } from '../../../shared/store/rows.ts'
import { type Door, doors } from '../../support/store-doors.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const pseudonyms = createPseudonyms({ key: randomBytes(32) })

describe.each(doors.filter(({ isAvailable }) => isAvailable))('the audit on $name', ({ open }) => {
  let door: Door
  let db: Db
  beforeAll(async () => {
    door = await open()
    db = door.db
    await migrate(db, { migrations: await readMigrations() })
  })
  afterAll(() => door?.close())

  const read = async (sinceMs = 0): Promise<AuditRow[]> => {
    const rows: AuditRow[] = []
    for await (const page of auditPages(db, sinceMs)) rows.push(...page)
    return rows
  }
  const insert = async (count: number, atMs: number): Promise<void> => {
    for (let left = count; left > 0; left -= 500) {
      const some = Math.min(left, 500)
      await db.query(
        `insert into audit_events (event_id, occurred_at, event, person, request) values ${Array(some).fill('(?, ?, ?, ?, ?)').join(', ')}`,
        Array.from({ length: some }, () => [
          uuidToBytes(uuidV7()),
          atMs,
          'operator-read',
          'sixteen-letters-',
          uuidV7(),
        ]).flat(),
      )
    }
  }

  test('keeps who did what in which request, at the database’s time, and outlives the person', async () => {
    const people = createPersonStore(db)
    const userId = await people.identify({ appid: 'wxapp', openid: 'oOne', atMs: Date.now() })
    const requestId = uuidV7()
    await createAudit(db, pseudonyms).record('person-forgotten', { userId, requestId })
    await people.leave(userId, Date.now())
    await people.erase(userId)
    await people.eraseLast(userId)
    const [row, ...others] = await read()
    expect(others).toEqual([])
    expect(row).toMatchObject({
      event: 'person-forgotten',
      person: pseudonyms.of('person', userId),
      requestId,
    })
    expect(Math.abs((row?.atMs ?? 0) - Date.now())).toBeLessThan(30_000)
    const { rows } = await db.query('select * from audit_events')
    expect(Object.keys(rows[0] ?? {}).sort()).toEqual([
      'event',
      'event_id',
      'occurred_at',
      'person',
      'request',
    ])
  })

  test('is read page by page, none twice and none left out, however many share a second', async () => {
    const atMs = Date.now() + DAY_MS
    await insert(1500, atMs)
    await insert(1, atMs + 1000)
    const rows = await read(atMs)
    expect(rows).toHaveLength(1501)
    expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(1501)
    expect(rows.at(-1)?.atMs).toBe(atMs + 1000)
  })

  test('loses what is three years old to retention, and nothing else', async () => {
    const nowMs = Date.now()
    const before = (await read()).length
    await insert(1200, nowMs - (AUDIT_KEEP_DAYS + 1) * DAY_MS)
    await insert(3, nowMs - (AUDIT_KEEP_DAYS - 1) * DAY_MS)
    expect(await deleteOldAudit(db, nowMs)).toBe(1200)
    expect(await deleteOldAudit(db, nowMs)).toBe(0)
    expect(await read()).toHaveLength(before + 3)
  })
})
