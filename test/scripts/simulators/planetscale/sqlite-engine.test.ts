import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineResult } from '../../../../scripts/simulators/planetscale/engine.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'

/** Runs one autocommitted statement. */
async function run(engine: Engine, sql: string): Promise<EngineResult> {
  const session = engine.openSession()
  try {
    return await session.execute(sql)
  } finally {
    await session.close()
  }
}

async function cells(engine: Engine, sql: string): Promise<(string | null)[][]> {
  const { rows } = await run(engine, sql)
  return rows.map((row) =>
    row.map((value) => (value === null ? null : Buffer.from(value).toString())),
  )
}

const TABLE = `create table if not exists t (
  k varchar(4) character set ascii collate ascii_bin not null,
  id binary(2) null, n tinyint not null default 0, b bigint null,
  txt varchar(3) character set utf8mb4 collate utf8mb4_bin not null default '', v varbinary(3) null,
  primary key (k), unique key by_id (id), key by_n (n, k)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`

describe('MySQL statements on SQLite', () => {
  let engine: Engine
  beforeEach(async () => {
    engine = await openSqliteEngine(':memory:', { lockWaitMs: 50 })
    await run(engine, TABLE)
  })
  afterEach(() => engine.close())

  test.each([
    ['a duplicate primary key', "insert into t (k) values ('a'), ('a')", 1062, '23000'],
    [
      'a duplicate unique key',
      "insert into t (k, id) values ('a', x'0102'), ('b', x'0102')",
      1062,
      '23000',
    ],
    ['NULL where none may be', 'insert into t (k) values (null)', 1048, '23000'],
    ['a text that is too long', "insert into t (k, txt) values ('a', '😀😀😀😀')", 1406, '22001'],
    ['bytes that are too long', "insert into t (k, v) values ('a', x'01020304')", 1406, '22001'],
    ['bytes of another fixed length', "insert into t (k, id) values ('a', x'01')", 1406, '22001'],
    ['a number out of range', "insert into t (k, n) values ('a', 128)", 1264, '22003'],
    ['a number below range', "insert into t (k, n) values ('a', -129)", 1264, '22003'],
    [
      'a number beyond 64 bits',
      "insert into t (k, b) values ('a', 9223372036854775808)",
      1264,
      '22003',
    ],
    ['text outside ASCII in an ASCII column', "insert into t (k) values ('é')", 1366, 'HY000'],
    ['an unknown table', 'select * from nowhere', 1146, '42S02'],
    ['an unknown column', 'select missing from t', 1054, '42S22'],
    ['an unknown quoted column', 'select `missing` from t', 1054, '42S22'],
    ['an unknown column of an INSERT', 'insert into t (missing) values (1)', 1054, '42S22'],
    ['too few values', "insert into t (k, n) values ('a')", 1136, '21S01'],
    ['an existing table', 'create table t (a int)', 1050, '42S01'],
    ['an existing index', 'alter table t add key by_n (k)', 1061, '42000'],
    ['an index that is not there', 'alter table t drop key missing', 1091, '42000'],
    ['MODIFY of a column that is not there', 'alter table t modify x int null', 1054, '42S22'],
    ['MODIFY in a table that is not there', 'alter table x modify k int null', 1146, '42S02'],
    ['an existing column', 'alter table t add column n int', 1060, '42S21'],
    ['an unclosed bracket', 'select (1', 1064, '42000'],
    ['a word that is no statement', 'selec 1', 1064, '42000'],
    ['hex that is none', "select x'0g'", 1064, '42000'],
    ['half a statement', 'insert into t', 1064, '42000'],
    ['REPLACE', "replace into t (k) values ('a')", 1064, '42000'],
  ])('%s is refused as MySQL refuses it', async (_, sql, errno, sqlState) => {
    await expect(run(engine, sql)).rejects.toMatchObject({ errno, sqlState })
    expect(await cells(engine, 'select count(*) from t')).toEqual([['0']])
  })

  test.each([
    ['a foreign key', 'create table c (a int, foreign key (a) references t (n))', 'foreign key'],
    ['an unknown type', 'create table c (a point)', '"a point"'],
    ['AUTO_INCREMENT', 'create table c (a int auto_increment primary key)', 'auto_increment'],
    ['a text without its length', 'create table c (a varchar null)', '"a varchar null"'],
    ['unsigned', 'create table c (a int unsigned not null)', 'unsigned'],
    ['partitions', 'create table c (a int) partition by hash (a)', 'partition by'],
    ['another engine option', 'create table c (a int) comment = 5', 'comment = 5'],
    ['a key of a prefix', 'alter table t add key by_txt (txt(2))', 'by_txt'],
    ['RENAME', 'alter table t rename to u', 'rename to u'],
    ['CREATE VIEW', 'create view w as select 1', 'create view w'],
    ['a user variable', 'select @a', null],
    ['an unknown variable', 'select @@tidb_version', '@@tidb_version'],
    ['a comment', 'select 1 -- one', 'comments'],
    ['a hint', 'select /*+ NO_INDEX */ 1', 'comments'],
    ['an unknown function', 'select missing(1)', 'missing(…)'],
    ['a function SQLite has otherwise', 'select length(txt) from t', 'length(…)'],
    ['a mean, which MySQL rounds', 'select avg(n) from t', 'avg(…)'],
    ['a server clock', 'select now()', 'now(…)'],
    ['division', 'select 7 / 2', '/'],
    ['the or of MySQL', 'select 1 || 0', '|'],
    ['LIKE', "select k from t where k like 'a%'", 'like'],
    ['a collation', "select k from t where k collate utf8mb4_bin = 'a'", 'collate'],
    ['a savepoint', 'rollback to savepoint a', 'savepoint'],
    ['reading a column assigned before', 'update t set n = n + 1, b = n', 'assigned before'],
    [
      'the same in an upsert',
      "insert into t (k) values ('a') on duplicate key update n = n + 1, b = n",
      'assigned before',
    ],
    [
      'an upsert from a SELECT',
      'insert into t (k) select k from t on duplicate key update n = values(n)',
      'upsert',
    ],
  ])('%s is refused in a sentence that names it and the way out', async (_, sql, named) => {
    const refused = await run(engine, sql).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({
      errno: named === null ? 1064 : 1235,
      sqlState: '42000',
      message: expect.stringContaining(named ?? "'@a'"),
    })
    expect(String(refused)).toContain('the rest needs a real MySQL')
  })

  test('limits count characters for text and bytes for bytes, and the extremes fit', async () => {
    await run(
      engine,
      "insert into t (k, txt, v, n, b) values ('a', '😀😀😀', x'010203', 127, -9223372036854775808)",
    )
    expect(await cells(engine, 'select txt, n, b from t')).toEqual([
      ['😀😀😀', '127', '-9223372036854775808'],
    ])
  })

  test('text compares by its bytes: case, accents, emoji and trailing spaces tell apart', async () => {
    await run(
      engine,
      "insert into t (k, txt) values ('a', 'a'), ('b', 'A'), ('c', 'á'), ('d', '😀'), ('e', 'a ')",
    )
    expect(await cells(engine, "select k from t where txt = 'a'")).toEqual([['a']])
    expect(await cells(engine, "select k from t where txt = 'A'")).toEqual([['b']])
    expect(await cells(engine, "select k from t where txt = '😁'")).toEqual([])
  })

  test('an upsert inserts, then updates from the values and the row', async () => {
    const upsert =
      "insert into t (k, n, b) values ('a', 2, 5) on duplicate key update n = n + values(n), b = if(b > values(b), b, coalesce(values(b), 0))"
    for (const _ of [1, 2, 3]) await run(engine, upsert)
    expect(await cells(engine, 'select n, b from t')).toEqual([['6', '5']])
  })

  test('INSERT IGNORE leaves what is there and counts nothing', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1)")
    expect(await run(engine, "insert ignore into t (k, n) values ('a', 2)")).toMatchObject({
      rowsAffected: 0,
    })
    expect(await cells(engine, 'select n from t')).toEqual([['1']])
  })

  test('counts, sums and extremes are those of MySQL', async () => {
    expect(await cells(engine, 'select count(*), sum(n), max(n) from t')).toEqual([
      ['0', null, null],
    ])
    await run(engine, "insert into t (k, n) values ('a', 1), ('b', 4)")
    const sql = 'select count(*), sum(n), min(n), max(n) from t'
    expect(await cells(engine, sql)).toEqual([['2', '5', '1', '4']])
  })

  test('answers a strict sql_mode', async () => {
    const [row] = await cells(engine, 'select @@session.sql_mode as value')
    expect(row?.[0]).toMatch(/ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES/)
  })

  test('index hints and row locks change nothing', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1)")
    for (const hint of ['use index (by_n)', 'force index (primary, by_n)', 'ignore key (by_n)']) {
      const sql = `select t.k from t ${hint} left join t u on u.k = t.k where t.k in ('a', 'b') for update`
      expect(await cells(engine, sql)).toEqual([['a']])
    }
  })

  test('ALTER adds and drops columns and keys, and a key may have the same name in two tables', async () => {
    await run(engine, 'create table other (a int, key by_n (a))')
    await run(
      engine,
      'alter table t add column extra varchar(2) null after n, add unique key one (extra)',
    )
    await run(engine, "insert into t (k, extra) values ('a', 'x')")
    await expect(run(engine, "insert into t (k, extra) values ('b', 'x')")).rejects.toMatchObject({
      errno: 1062,
    })
    await run(engine, 'alter table t drop key one, drop column extra')
    await run(engine, 'alter table other drop index by_n, add key by_a (a)')
    await run(engine, 'drop table if exists nowhere')
    await run(engine, 'drop table other')
    await expect(run(engine, 'select a from other')).rejects.toMatchObject({ errno: 1146 })
  })

  test('MODIFY changes a column, keeps rows and keys, and fails on rows that do not fit', async () => {
    await run(engine, "insert into t (k, n, txt, id) values ('a', 1, 'abc', x'0102')")
    await run(engine, 'alter table t modify column txt varchar(9) not null, modify n int not null')
    await run(engine, "insert into t (k, n, txt) values ('b', 1000, 'abcdefghi')")
    await expect(
      run(engine, "insert into t (k, n, txt) values ('c', 1, '0123456789')"),
    ).rejects.toThrow(/too long/)
    await expect(
      run(engine, "insert into t (k, n, txt, id) values ('c', 1, '', x'0102')"),
    ).rejects.toMatchObject({ errno: 1062 })
    await expect(run(engine, 'alter table t modify n tinyint not null')).rejects.toMatchObject({
      errno: 1264,
    })
    expect(await cells(engine, 'select k, n, txt from t force index (by_n) order by k')).toEqual([
      ['a', '1', 'abc'],
      ['b', '1000', 'abcdefghi'],
    ])
  })

  test('a definition that fails halfway leaves nothing behind', async () => {
    await expect(
      run(engine, 'alter table t add column a int, add column n int'),
    ).rejects.toMatchObject({ errno: 1060 })
    await expect(run(engine, 'select a from t')).rejects.toMatchObject({ errno: 1054 })
  })

  test('a session that ends while it waits does not run its statement later', async () => {
    const [holder, waiter] = [engine.openSession(), engine.openSession()]
    await holder.execute('begin')
    await holder.execute("insert into t (k) values ('a')")
    await waiter.execute('begin')
    const waiting = waiter.execute("insert into t (k) values ('b')")
    await waiter.close()
    await holder.execute('commit')
    await expect(waiting).rejects.toMatchObject({ errno: 1317 })
    expect(await cells(engine, 'select k from t')).toEqual([['a']])
  })
})
