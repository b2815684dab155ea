import { beforeAll, describe, expect, test } from 'vitest'
import { type Migration, migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import { openMySql } from '../../support/open-door.ts'
import {
  columnsOf,
  FOREIGN_DEFINITIONS,
  judgeColumn,
  judgeKey,
  keysOf,
} from '../../support/schema-rules.ts'
import { describeOnServers } from '../../support/server-suites.ts'
import { shardKeys } from '../../support/statement-rules.ts'

describe('the migrations', () => {
  let migrations: Migration[]
  beforeAll(async () => {
    migrations = await readMigrations()
  })

  test('give every table a shard key, and every statement rule a table', () => {
    const tables = new Set(columnsOf(migrations).map(({ table }) => table))
    expect([...tables].sort()).toEqual(Object.keys(shardKeys).sort())
  })

  test('keep identifiers in ascii_bin, texts in utf8mb4_bin, times in bigint, ids and digests in binary', () => {
    expect(columnsOf(migrations).length).toBeGreaterThan(50)
    expect(columnsOf(migrations).flatMap(judgeColumn)).toEqual([])
  })

  test('make nothing unique that a single shard could not see to', () => {
    const keys = keysOf(migrations)
    expect(
      keys
        .filter(({ kind }) => kind === 'primary')
        .map(({ table }) => table)
        .sort(),
    ).toEqual(Object.keys(shardKeys).sort())
    expect(keys.flatMap(judgeKey)).toEqual([])
  })

  test('use nothing that not every database has', () => {
    for (const { name, statements } of migrations) {
      for (const statement of statements) expect(statement, name).not.toMatch(FOREIGN_DEFINITIONS)
    }
  })

  test.each([
    ['an openid under the default collation', 'openid varchar(64) not null'],
    [
      'an openid that takes 😀',
      'openid varchar(64) character set utf8mb4 collate utf8mb4_bin not null',
    ],
    [
      'a text that folds case',
      'txt1 text character set utf8mb4 collate utf8mb4_general_ci not null',
    ],
    ['a time as timestamp', 'insert_time timestamp not null'],
    ['a time as int', 'ended_at int null'],
    ['a counted id', 'session_id bigint not null'],
    ['a digest as text', 'phone_digest varchar(64) character set ascii collate ascii_bin not null'],
    ['a grade as decimal', 'grade1 decimal(5,2) not null'],
  ])('would be refused with %s', (_what, definition) => {
    const statements = [
      `create table if not exists ratings (\n  ${definition},\n  primary key (acc_nbr, id)\n) engine = InnoDB`,
    ]
    expect(columnsOf([{ statements }])).toHaveLength(1)
    expect(columnsOf([{ statements }]).flatMap(judgeColumn)).not.toEqual([])
  })

  test.each(['primary key (id)', 'unique key by_key (user_id, idempotency_key)'])(
    'would be refused with %s',
    (definition) => {
      const statements = [
        `create table if not exists ratings (\n  ${definition}\n) engine = InnoDB`,
      ]
      expect(keysOf([{ statements }]).flatMap(judgeKey)).not.toEqual([])
    },
  )

  test.each([
    'id bigint auto_increment',
    'foreign key (user_id) references users (user_id)',
    'at timestamp default current_timestamp',
    "kind enum('a')",
  ])('would be refused with %s', (definition) => {
    expect(definition).toMatch(FOREIGN_DEFINITIONS)
  })
})

describeOnServers('a migrated database', ({ freshDatabase }) => {
  test('has the columns and collations the migrations say, no counted id and no foreign key', async () => {
    const url = await freshDatabase()
    const migrations = await readMigrations()
    const db = openMySql({ url, connections: 1, timeoutMs: () => 10_000 })
    try {
      await migrate(db, { migrations })
      const { rows } = await db.query(
        `select table_name as t, column_name as c, data_type as d, column_type as ct, collation_name as co, extra as x
         from information_schema.columns where table_schema = database() and table_name not like 'schema\\_%'`,
      )
      const there = rows.map((row) => ({
        table: String(row.t),
        column: String(row.c),
        type: row.d === 'binary' ? String(row.ct) : String(row.d),
        collation: row.co === null ? undefined : String(row.co),
      }))
      expect(there.flatMap(judgeColumn)).toEqual([])
      expect(new Set(there.map(({ table, column }) => `${table}.${column}`))).toEqual(
        new Set(columnsOf(migrations).map(({ table, column }) => `${table}.${column}`)),
      )
      expect(new Set(rows.map(({ x }) => x))).toEqual(new Set(['']))
      const references = await db.query(
        'select constraint_name from information_schema.referential_constraints where constraint_schema = database()',
      )
      expect(references.rows).toEqual([])
    } finally {
      await db.close()
    }
  })
})
