import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Migration,
  migrate,
  pendingMigrations,
  readMigrations,
} from '../../../scripts/database/migrations.ts'
import { type Db, DbError } from '../../../shared/store/db.ts'
import { type Door, doors } from '../../support/store-doors.ts'

describe.each(doors.filter(({ isAvailable }) => isAvailable))('migrations on $name', ({ open }) => {
  let door: Door
  let migrations: Migration[]
  beforeEach(async () => {
    door = await open()
    migrations = await readMigrations()
  })
  afterEach(() => door.close())

  const second: Migration = {
    version: 0,
    name: '9999-second.sql',
    checksum: 'c'.repeat(64),
    statements: [
      'create table if not exists extra (id int not null, primary key (id)) engine = InnoDB',
      'insert into extra (id) values (1)',
      'insert into extra (id) values (2)',
    ],
  }
  const withSecond = (): Migration[] => [
    ...migrations,
    { ...second, version: migrations.length + 1 },
  ]

  test('everything is applied once, in order', async () => {
    const steps: string[] = []
    const onStep = (step: string) => steps.push(step)
    expect(await pendingMigrations(door.db, migrations)).toHaveLength(migrations.length)
    expect(await migrate(door.db, { migrations, onStep })).toEqual(
      migrations.map(({ name }) => name),
    )
    expect(steps.length).toBe(migrations.flatMap(({ statements }) => statements).length)
    expect(await migrate(door.db, { migrations })).toEqual([])
    expect(await pendingMigrations(door.db, migrations)).toEqual([])
  })

  test('a later version adds only what is new', async () => {
    await migrate(door.db, { migrations })
    expect(await migrate(door.db, { migrations: withSecond() })).toEqual([second.name])
  })

  test('every earlier version is brought up to date', async () => {
    for (let version = 1; version < migrations.length; version++) {
      const fresh = await open()
      await migrate(fresh.db, { migrations: migrations.slice(0, version) })
      const newer = migrations.slice(version).map(({ name }) => name)
      expect(await migrate(fresh.db, { migrations })).toEqual(newer)
      await fresh.close()
    }
  })

  test('an applied file that was changed is refused, by name', async () => {
    await migrate(door.db, { migrations })
    const [first, ...others] = migrations
    const changed = [{ ...(first as Migration), checksum: 'd'.repeat(64) }, ...others]
    await expect(migrate(door.db, { migrations: changed })).rejects.toThrow(/0001.*was changed/)
    await expect(pendingMigrations(door.db, changed)).rejects.toThrow(/was changed/)
  })

  test('an applied file that is gone is refused', async () => {
    await migrate(door.db, { migrations: withSecond() })
    await expect(migrate(door.db, { migrations })).rejects.toThrow(/9999-second.sql.*gone/)
  })

  test('a run cut off anywhere is continued, and ends with the same schema', async () => {
    const two: Migration[] = [
      {
        version: 1,
        name: '0001-first.sql',
        checksum: 'a'.repeat(64),
        statements: [
          'create table if not exists things (id int not null, primary key (id)) engine = InnoDB',
        ],
      },
      {
        version: 2,
        name: '0002-second.sql',
        checksum: 'b'.repeat(64),
        statements: [
          'alter table things add column size int null',
          'create table if not exists others (id int not null, primary key (id)) engine = InnoDB',
        ],
      },
    ]
    for (let cutAfter = 1; ; cutAfter++) {
      const fresh = await open()
      const wasCut = await migrate(cutOff(fresh.db, cutAfter), { migrations: two }).then(
        () => false,
        () => true,
      )
      await migrate(fresh.db, { migrations: two, now: () => Date.now() + 120_000 })
      expect(await pendingMigrations(fresh.db, two)).toEqual([])
      expect((await fresh.db.query('select id, size from things')).rows).toEqual([])
      expect((await fresh.db.query('select id from others')).rows).toEqual([])
      await fresh.close()
      if (!wasCut) break
      expect(cutAfter).toBeLessThan(60)
    }
  })

  test('two migrators at once apply everything once', async () => {
    const other = await door.again()
    const applied = await Promise.all([
      migrate(door.db, { migrations: withSecond() }),
      migrate(other, { migrations: withSecond() }),
    ])
    expect(applied.flat().sort()).toEqual(
      withSecond()
        .map(({ name }) => name)
        .sort(),
    )
    expect((await door.db.query('select id from extra')).rows).toHaveLength(2)
  })

  test('a migrator that finds the lock taken says so and gives up', async () => {
    await migrate(door.db, { migrations })
    await door.db.query("update schema_lock set holder = 'x', expires_at = ? where id = 1", [
      Date.now() + 60_000,
    ])
    await expect(migrate(door.db, { migrations, lockWaitMs: 1 })).rejects.toThrow(
      /Another migrator/,
    )
  })
})

/** A door whose statements fail after the first `count`, as if the process had been killed there. */
function cutOff(db: Db, count: number): Db {
  let left = count
  return {
    ...db,
    query: (sql, parameters) => {
      if (left-- <= 0) return Promise.reject(new DbError('unreachable', { outcome: 'none' }))
      return db.query(sql, parameters)
    },
  }
}
