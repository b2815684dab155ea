import mysql2, { type Connection } from 'mysql2/promise'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  type Migration,
  MigrationError,
  MigrationGoesOnError,
  migrate,
} from '../../../scripts/database/migrations.ts'
import type { Db } from '../../../shared/store/db.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnOwnServers, describeOnServers } from '../../support/server-suites.ts'

const migrations: Migration[] = [
  {
    version: 1,
    name: '0001-things.sql',
    checksum: 'a'.repeat(64),
    statements: [
      'create table if not exists things (id int not null, primary key (id)) engine = InnoDB',
    ],
  },
  {
    version: 2,
    name: '0002-size.sql',
    checksum: 'b'.repeat(64),
    statements: [
      `alter table things
        add column size int null`,
    ],
  },
]

/** A migrated database with an older schema, and somebody who holds its table. */
function heldTable(freshDatabase: () => Promise<string>) {
  const opened: Db[] = []
  const held = {
    url: '',
    holder: undefined as unknown as Connection,
    steps: [] as string[],
    open(options: Partial<Parameters<typeof openMySql>[0]> = {}): Db {
      const db = openMySql({ url: held.url, timeoutMs: () => 10_000, ...options })
      opened.push(db)
      return db
    },
    /** As the command opens it. */
    openMigrator: () => held.open({ connections: 2, tableLockWaitSeconds: 1 }),
    migrate: (db: Db, tableWaitMs = 60_000) =>
      migrate(db, { migrations, tableWaitMs, onStep: (step) => held.steps.push(step) }),
    untilTold: (pattern: RegExp) =>
      vi.waitUntil(() => held.steps.find((step) => pattern.test(step)), { timeout: 15_000 }),
  }
  beforeEach(async () => {
    held.url = await freshDatabase()
    held.steps = []
    await migrate(held.open(), { migrations: migrations.slice(0, 1) })
    held.holder = await mysql2.createConnection({ uri: held.url })
  })
  afterEach(async () => {
    held.holder.destroy()
    for (const db of opened.splice(0)) await db.close()
  })
  return held
}

describeOnServers('a migration whose table is held', ({ kind, freshDatabase }) => {
  const held = heldTable(freshDatabase)

  test('by an open transaction says so, lets readers through, and goes on when it is free', async () => {
    await held.holder.query('start transaction')
    await held.holder.query('select id from things')
    let isOver = false
    const migrating = held.migrate(held.openMigrator()).finally(() => {
      isOver = true
    })
    const reader = held.open({ timeoutMs: () => 3000 })
    let reads = 0
    let slowestMs = 0
    const reading = (async () => {
      for (; !isOver; reads++) {
        const startedMs = performance.now()
        await reader.query('select id from things')
        slowestMs = Math.max(slowestMs, performance.now() - startedMs)
      }
    })()
    const told = await held.untilTold(/waiting for things since [2-9] s/)
    expect(told).toContain(`connection ${held.holder.threadId} (miniscore from `)
    const readsBefore = reads
    await vi.waitUntil(() => reads > readsBefore + 20, { timeout: 20_000 })
    await held.holder.query('commit')
    expect(await migrating).toEqual(['0002-size.sql'])
    await reading
    // No longer than the ALTER waits at a time, and then everybody is let through.
    expect(slowestMs).toBeLessThan(2800)
    await reader.query('select size from things')
  })

  test('for too long is given up with nothing applied, and can be run again', async () => {
    await held.holder.query('lock tables things read')
    const db = held.openMigrator()
    const refused = held.migrate(db, 1)
    await expect(refused).rejects.toThrow(MigrationError)
    await expect(refused).rejects.toThrow(
      /^Waited for things since \d s, held by .* was not applied/,
    )
    await held.holder.query('unlock tables')
    expect(await held.migrate(db)).toEqual(['0002-size.sql'])
  })

  // MariaDB looks whether the client of a waiting statement is still there, and ends it.
  test.runIf(kind === 'MySQL')(
    'and whose client gave up is not called failed while the server goes on, and the next run takes it up',
    async () => {
      await held.holder.query('lock tables things read')
      const impatient = held.open({ timeoutMs: () => 1000, tableLockWaitSeconds: 60 })
      const error = await held.migrate(impatient).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(MigrationGoesOnError)
      expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(/has not failed/) })
      const again = held.migrate(held.openMigrator())
      await held.untilTold(/an earlier run began it/)
      await held.holder.query('unlock tables')
      expect(await again).toEqual(['0002-size.sql'])
      expect(held.steps.filter((step) => step.includes('waiting for'))).toEqual([])
      await held.open().query('select size from things')
    },
  )
})

describeOnOwnServers(
  'where the server tells who holds what, a migration',
  (server) => {
    const held = heldTable(() => server().createDatabase())

    test.each([
      ['a table lock', 'lock tables things read'],
      ['a backup’s lock of everything', 'flush tables with read lock'],
    ])('names who holds its table by %s', async (_what, lock) => {
      const db = held.openMigrator()
      await held.holder.query(lock)
      const migrating = held.migrate(db)
      const told = await held.untilTold(/waiting for /)
      expect(told).toContain(`held by connection ${held.holder.threadId} (miniscore from `)
      await held.holder.query('unlock tables')
      expect(await migrating).toEqual(['0002-size.sql'])
    })
  },
  {
    serverOptions: [
      '--performance-schema=ON',
      '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON',
    ],
  },
)
