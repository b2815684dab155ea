import { connect } from '@planetscale/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMariaDbEngine } from '../../../../scripts/simulators/planetscale/mariadb-engine.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'
import { describeOnServers } from '../../../support/server-suites.ts'

const TABLE = `create table kinds (
  id binary(2) not null, t tinyint null, u int null, s smallint null, b bigint not null,
  a varchar(9) character set ascii collate ascii_bin not null, c varchar(9) character set utf8mb4 collate utf8mb4_bin null,
  x text character set utf8mb4 collate utf8mb4_bin null, v varbinary(9) null,
  primary key (id), unique key once (a)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`

describeOnServers('the offline PlanetScale over a server', (suite) => {
  let overServer: OfflinePlanetScale
  let overSqlite: OfflinePlanetScale

  beforeAll(async () => {
    const url = await suite.freshDatabase()
    overServer = await startOfflinePlanetScale({
      engine: await openMariaDbEngine({ url }),
      transactionLimitMs: 20_000,
    })
    overSqlite = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
    for (const { url } of [overServer, overSqlite]) {
      const connection = connect({ url })
      await connection.execute(TABLE)
      await connection.execute(
        "insert into kinds values (x'0001', -128, 2147483647, 3, 9223372036854775807, 'abc', '😀é', '', x'00ff'), (x'0002', null, null, null, -9223372036854775808, 'ABC', null, null, null)",
      )
    }
  })
  afterAll(async () => {
    await overServer?.close()
    await overSqlite?.close()
  })

  test.each([
    'select * from kinds order by id',
    'select k.id, k.c as text, k.t from kinds k join kinds l on l.id = k.id order by k.id',
    'select count(*) as rows_found, count(t) as n from kinds',
    'select max(b) as hi, min(c) as lo, max(v) as bytes from kinds',
    "select 'x' as x, null as missing",
    'select id from kinds where a = ?',
    'select a from kinds where id in (?, ?) order by a desc limit 1',
    'select @@sql_mode as mode',
  ])('%s gives the same rows and types as over SQLite', async (sql) => {
    const parameters = sql.includes('in (?')
      ? [Uint8Array.from([0, 1]), Uint8Array.from([0, 2])]
      : ['abc']
    const [strict, embedded] = await Promise.all(
      [overServer, overSqlite].map(({ url }) =>
        connect({ url }).execute(sql, sql.includes('?') ? parameters : null),
      ),
    )
    expect(embedded?.rows).toEqual(strict?.rows)
    expect(embedded?.types).toEqual(strict?.types)
    expect(embedded?.fields.map(({ charset }) => charset)).toEqual(
      strict?.fields.map(({ charset }) => charset),
    )
  })

  test.each([
    ["insert into kinds (id, b, a) values (x'0001', 1, 'new')", 1062],
    ["insert into kinds (id, b, a) values (x'0003', null, 'new')", 1048],
    ["insert into kinds (id, b, a) values (x'0003', 1, 'far too long')", 1406],
    ["insert into kinds (id, b, a, t) values (x'0003', 1, 'new', 128)", 1264],
    ["insert into kinds (id, b, a) values (x'0003', 1, 'é')", 1366],
    ['select * from nowhere', 1146],
    ['select missing from kinds', 1054],
    ['selec 1', 1064],
  ])('%s is refused with %i by both', async (sql, errno) => {
    for (const { url } of [overServer, overSqlite]) {
      await expect(connect({ url }).execute(sql)).rejects.toThrow(`(errno ${errno}) (sqlstate `)
    }
  })

  test('an UPDATE counts the rows it found, changed or not, on both', async () => {
    for (const { url } of [overServer, overSqlite]) {
      const { rowsAffected } = await connect({ url }).execute(
        "update kinds set b = b where a = 'abc'",
      )
      expect(rowsAffected).toBe(1)
    }
  })

  test('a transaction is pinned to its session and read by nobody else before COMMIT', async () => {
    const { url } = overServer
    const [one, other] = [connect({ url }), connect({ url })]
    await one.execute('begin')
    await one.execute("insert into kinds (id, b, a) values (x'0009', 1, 'pinned')")
    const find = "select b from kinds where a = 'pinned'"
    expect((await one.execute(find)).rows).toHaveLength(1)
    expect((await other.execute(find)).rows).toHaveLength(0)
    await one.execute('rollback')
    expect((await one.execute(find)).rows).toHaveLength(0)
    expect(overServer.transactions()).toBe(0)
  })

  test('ONLY_FULL_GROUP_BY is on, which SQLite would not notice', async () => {
    const work = connect({ url: overServer.url }).execute('select a, count(*) from kinds')
    await expect(work).rejects.toThrow('(errno 1140)')
  })

  test('a deadlock is answered 1213 and the session can go on', async () => {
    const { url } = overServer
    const [one, other] = [connect({ url }), connect({ url })]
    await one.execute('begin')
    await other.execute('begin')
    await one.execute("update kinds set s = 1 where a = 'abc'")
    await other.execute("update kinds set s = 1 where a = 'ABC'")
    const outcomes = await Promise.allSettled([
      one.execute("update kinds set s = 2 where a = 'ABC'"),
      other.execute("update kinds set s = 2 where a = 'abc'"),
    ])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(String(refused[0]?.reason)).toContain('(errno 1213) (sqlstate 40001)')
    await Promise.all([one.execute('rollback'), other.execute('rollback')])
  })

  test('a transaction over its limit loses its connection and what it wrote', async () => {
    const url = await suite.freshDatabase()
    const server = await startOfflinePlanetScale({
      engine: await openMariaDbEngine({ url }),
      transactionLimitMs: 500,
    })
    try {
      const connection = connect({ url: server.url })
      await connection.execute('create table t (a int)')
      await connection.execute('begin')
      await connection.execute('insert into t values (1)')
      await expect.poll(() => server.transactions()).toBe(0)
      await expect(connection.execute('commit')).rejects.toThrow('exceeded timeout')
      expect((await connect({ url: server.url }).execute('select a from t')).rows).toEqual([])
    } finally {
      await server.close()
    }
  })

  test('an unreachable database is said at start, without credentials', async () => {
    const opening = openMariaDbEngine({ url: 'mysql://someone:secret@127.0.0.1:1/db' })
    const message = await opening.then(() => '', String)
    expect(message).toMatch(/cannot be reached \(errno 2003\)/)
    expect(message).not.toMatch(/secret|someone/)
  })
})
