/** Migrations cut off at every request and at any moment, and what the database looks like after they were run once more. */

import { createHash } from 'node:crypto'
import { type Migration, migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { createOutsideCalls, type OutsideFault } from './outside-calls.ts'

/** What runs migrations: today's, or a broken build of it. */
export interface Migrator {
  migrate: typeof migrate
  openDb: typeof openDb
}

export const ourMigrator: Migrator = { migrate, openDb }

/** Of the release before, with rows in it. */
const FILLED_VERSION = 3

/** The lock of who was killed has run out by then. */
const later = (): number => Date.now() + 120_000

/** A database at the release before, with ratings, people and sessions. */
export async function fill(db: Db, migrations: readonly Migration[]): Promise<void> {
  await migrate(db, { migrations: migrations.slice(0, FILLED_VERSION) })
  const id = (kind: number, index: number) => {
    const bytes = new Uint8Array(16)
    bytes.set([kind, index])
    return bytes
  }
  const hash = new Uint8Array(32)
  for (let index = 0; index < 12; index++) {
    await db.query(
      'insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash) values (?, ?, ?, 1, 2, null, ?, ?, ?, ?, ?, ?)',
      [
        `1380013800${index % 3}`,
        id(1, index),
        id(2, index % 4),
        '很好 😀',
        '',
        'x',
        index,
        `=${index}`,
        hash,
      ],
    )
    await db.query(
      'insert into users (user_id, appid, openid, unionid, created_at, last_login_at) values (?, ?, ?, null, ?, ?)',
      [id(3, index), 'wx', `o${index}`, index, index],
    )
  }
}

/** The tables as the server describes them, and the rows that were there before, as one digest each. */
export async function describeDatabase(db: Db): Promise<{ schema: string; rows: string }> {
  const columns = await db.query(
    `select table_name as t, column_name as c, ordinal_position as p, column_type as k, is_nullable as n, column_default as d, collation_name as l
     from information_schema.columns where table_schema = database() order by table_name, column_name`,
  )
  const keys = await db.query(
    `select table_name as t, index_name as i, seq_in_index as s, column_name as c, non_unique as u
     from information_schema.statistics where table_schema = database() order by table_name, index_name, seq_in_index`,
  )
  const ratings = await db.query(
    'select acc_nbr, hex(id) as i, hex(user_id) as u, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key from ratings order by acc_nbr, id',
  )
  const users = await db.query(
    'select hex(user_id) as u, appid, openid, created_at from users order by user_id',
  )
  const digest = (value: unknown): string =>
    createHash('sha256').update(JSON.stringify(value)).digest('hex')
  return {
    schema: digest([columns.rows, keys.rows]),
    rows: digest([ratings.rows, users.rows]),
  }
}

/** Which steps are not marked as done exactly once. */
async function unmarked(db: Db, migrations: readonly Migration[]): Promise<string[]> {
  const { rows } = await db.query(
    'select name, statements_done, applied_at from schema_migrations order by version',
  )
  return migrations
    .filter(({ name, statements }) => {
      const row = rows.find((each) => each.name === name)
      return row?.statements_done !== statements.length || row.applied_at === null
    })
    .map(({ name }) => `${name} is not marked`)
}

export interface Cut {
  /** At which request, or `undefined` for none. */
  at?: number
  by?: OutsideFault
}

/** A table that says how often each of its two statements ran. */
const counting: Migration = {
  version: 0,
  name: '9999-counting.sql',
  checksum: 'c'.repeat(64),
  statements: [
    'create table if not exists counting (id int not null, primary key (id)) engine = InnoDB',
    'insert into counting (id) values (1) on duplicate key update id = id + 1',
  ],
}

export interface MigrationRun {
  requests: number
  wrong: string[]
}

/** The migrations of today, and one that counts how often it ran. */
export async function drillMigrations(): Promise<Migration[]> {
  const migrations = await readMigrations()
  return [...migrations, { ...counting, version: migrations.length + 1 }]
}

/** Cuts a run off in an empty database at `url`, runs it again, and says what is wrong then. */
export async function runCut(
  url: string,
  {
    cut,
    migrator,
    clean,
  }: { cut: Cut; migrator: Migrator; clean?: Awaited<ReturnType<typeof describeDatabase>> },
): Promise<MigrationRun> {
  const migrations = await drillMigrations()
  const direct = await migrator.openDb(url)
  const outside = createOutsideCalls()
  const wrong: string[] = []
  try {
    await fill(direct, migrations)
    const through = await migrator.openDb(await outside.between('database', url), {
      budgetMs: 5000,
    })
    const { at, by } = cut
    outside.begin(at === undefined || by === undefined ? undefined : { at, by })
    await migrator.migrate(through, { migrations }).catch(() => {})
    const requests = outside.count()
    await through.close()
    await migrator
      .migrate(direct, { migrations, now: later, lockWaitMs: 2000 })
      .catch((error: Error) => wrong.push(`again: ${error.message}`))
    if (wrong.length === 0) wrong.push(...(await unmarked(direct, migrations)))
    if (clean && wrong.length === 0) {
      const { schema, rows } = await describeDatabase(direct)
      if (schema !== clean.schema) wrong.push('the schema is not that of a clean run')
      if (rows !== clean.rows) wrong.push('rows are not what they were')
    }
    return { requests, wrong: wrong.map((each) => `cut at ${at} by ${by}: ${each}`) }
  } finally {
    await outside.close()
    await direct.close()
  }
}

/** Two migrators at once on an empty database at `url`. */
export async function runTwo(url: string, migrator: Migrator): Promise<string[]> {
  const migrations = await drillMigrations()
  const [one, other, direct] = await Promise.all([
    migrator.openDb(url),
    migrator.openDb(url),
    migrator.openDb(url),
  ])
  try {
    const outcomes = await Promise.allSettled([
      migrator.migrate(one, { migrations }),
      migrator.migrate(other, { migrations }),
    ])
    const failed = outcomes.flatMap((each) =>
      each.status === 'rejected' ? [String(each.reason)] : [],
    )
    const { rows } = await direct.query('select id from counting')
    const times = rows.map(({ id }) => Number(id)).join()
    return [...failed, ...(times === '1' ? [] : [`a step ran so often: ${times}`])]
  } finally {
    for (const db of [one, other, direct]) await db.close()
  }
}
