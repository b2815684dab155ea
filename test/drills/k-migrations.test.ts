import { expect, test } from 'vitest'
import { type Migration, migrate } from '../../scripts/database/migrations.ts'
import {
  createDatabase,
  dropDatabase,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import {
  describeDatabase,
  drillMigrations,
  fill,
  type Migrator,
  ourMigrator,
  runCut,
  runTwo,
} from '../support/migration-drill.ts'
import type { OutsideFault } from '../support/outside-calls.ts'
import { type BrokenBuild, loadPatched } from '../support/patched-bundle.ts'
import { previousRelease, runPreviousRelease } from '../support/previous-release.ts'
import { describeOnOwnServers } from '../support/server-suites.ts'

/** Moments at which the database itself is killed. */
const KILLS = isFullDrill ? 100 : 3
/** Every so many requests the migrator is killed, in turn before and after the server had the request. */
const STEP = isFullDrill ? 1 : 3

async function inDatabase<T>(adminUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const url = await createDatabase(adminUrl)
  try {
    return await work(url)
  } finally {
    await dropDatabase(url)
  }
}

async function cleanRun(adminUrl: string) {
  return inDatabase(adminUrl, async (url) => {
    const db = await ourMigrator.openDb(url)
    const migrations = await drillMigrations()
    await fill(db, migrations)
    const before = await describeDatabase(db)
    await migrate(db, { migrations })
    const after = await describeDatabase(db)
    await db.close()
    return { before, after }
  })
}

const MIGRATIONS = 'scripts/database/migrations.ts'
const broken: readonly (BrokenBuild & { cutBy?: OutsideFault })[] = [
  {
    name: 'the knowledge that a statement ran already',
    cutBy: 'lost',
    patches: [
      {
        file: 'scripts/database/definitions.ts',
        find: 'new Set([1050, 1060, 1061, 1091])',
        put: 'new Set([9999])',
      },
    ],
  },
  {
    name: 'the mark of the last statement',
    cutBy: 'reset',
    patches: [
      {
        file: MIGRATIONS,
        find: "'update schema_migrations set applied_at = ? where version = ?'",
        put: "'update schema_migrations set applied_at = ? where version = -version - ?'",
      },
    ],
  },
  {
    name: 'the lock',
    patches: [
      {
        file: MIGRATIONS,
        find: 'return rows[0]?.holder === holder',
        put: 'return rows[0] !== undefined',
      },
    ],
  },
]

describeOnOwnServers('migrations', (server, kind) => {
  test('cut off at any request or by a dying database, run once more, end as a clean run does', async () => {
    const { before, after } = await cleanRun(server().url)
    expect(after.rows).toBe(before.rows)
    const wrong: string[] = []
    const cutAt = (at?: number, by: OutsideFault = 'lost') =>
      inDatabase(server().url, (url) =>
        runCut(url, {
          cut: at === undefined ? {} : { at, by },
          migrator: ourMigrator,
          clean: after,
        }),
      )
    const { requests } = await cutAt()
    let cuts = 0
    for (let at = 1; at <= requests; at += STEP) {
      const kinds: OutsideFault[] = isFullDrill
        ? ['lost', 'reset']
        : [cuts % 2 === 0 ? 'lost' : 'reset']
      for (const by of kinds) {
        wrong.push(...(await cutAt(at, by)).wrong)
        cuts++
      }
    }
    for (let kill = 0; kill < KILLS; kill++) {
      wrong.push(...(await killedAt(Math.floor((kill * 1700) / KILLS) % 400, after)))
    }
    const two = await inDatabase(server().url, (url) => runTwo(url, ourMigrator))
    wrong.push(...two)
    const previous = await inDatabase(server().url, async (url) => {
      const db = await ourMigrator.openDb(url)
      await migrate(db, { migrations: await drillMigrations() })
      const different = await runPreviousRelease(db)
      await db.close()
      return different
    })
    const figures = {
      requests,
      cuts,
      kills: KILLS,
      wrong: wrong.length,
      previous: `${previousRelease.statements.length - previous.length}/${previousRelease.statements.length}`,
    }
    const passed = wrong.length + previous.length === 0
    await reportDrill({ drill: 'K', on: kind, figures, passed })
    expect(wrong).toEqual([])
    expect(previous).toEqual([])
  }, 900_000)

  async function killedAt(
    afterMs: number,
    clean: { schema: string; rows: string },
  ): Promise<string[]> {
    const url = await createDatabase(server().url)
    const migrations = await drillMigrations()
    const first = await ourMigrator.openDb(url)
    await fill(first, migrations)
    const running = migrate(first, { migrations }).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    await server().kill()
    await running
    await server().restart()
    await first.close().catch(() => {})
    const second = await ourMigrator.openDb(url)
    try {
      await migrate(second, { migrations, now: () => Date.now() + 120_000 })
      const { schema, rows } = await describeDatabase(second)
      return schema === clean.schema && rows === clean.rows
        ? []
        : [`killed after ${afterMs} ms: not as after a clean run`]
    } catch (error) {
      return [`killed after ${afterMs} ms: ${error}`]
    } finally {
      await second.close()
      await dropDatabase(url)
    }
  }

  test.each(broken)('a migrator without $name is found', async ({ name, patches, cutBy }) => {
    const migrator = await loadPatched<Migrator>([MIGRATIONS, 'shared/wiring/database.ts'], patches)
    let wrong: string[] = []
    if (cutBy === undefined) {
      // Who comes first is chance.
      for (let run = 0; run < 5 && wrong.length === 0; run++) {
        wrong = await inDatabase(server().url, (url) => runTwo(url, migrator))
      }
    } else {
      for (let at = 12; at < 60 && wrong.length === 0; at++) {
        const cut = { at, by: cutBy }
        const run = await inDatabase(server().url, (url) => runCut(url, { cut, migrator }))
        wrong = run.wrong
      }
    }
    await reportBrokenVariant({ drill: 'K', on: kind, variant: name, caught: wrong.length > 0 })
    expect(wrong).not.toEqual([])
  })

  test('a migration that takes away what the release before reads is found', async () => {
    const migrations = await drillMigrations()
    const cruel: Migration = {
      version: migrations.length + 1,
      name: '9999-cruel.sql',
      checksum: 'd'.repeat(64),
      statements: ['alter table users drop column last_login_at'],
    }
    const different = await inDatabase(server().url, async (url) => {
      const db = await ourMigrator.openDb(url)
      await migrate(db, { migrations: [...migrations, cruel] })
      const found = await runPreviousRelease(db)
      await db.close()
      return found
    })
    const variant = 'a column of the release before'
    await reportBrokenVariant({ drill: 'K', on: kind, variant, caught: different.length > 0 })
    expect(different).not.toEqual([])
  })
})
