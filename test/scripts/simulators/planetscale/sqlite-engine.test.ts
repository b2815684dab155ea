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
  k varchar(4) character set ascii collate ascii_bin not null comment 'a key, of (4)',
  id binary(2) null, n tinyint unsigned not null default 0, b bigint null,
  txt varchar(3) character set utf8mb4 collate utf8mb4_bin not null default '', v varbinary(3) null,
  primary key (k), unique key by_id (id), key by_n (n, k)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin comment = 'x'`

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
    ['a number out of range', "insert into t (k, n) values ('a', 256)", 1264, '22003'],
    ['a number below range', "insert into t (k, n) values ('a', -1)", 1264, '22003'],
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
    ['an unknown function', 'select missing(1)', 1305, '42000'],
    ['too few values', "insert into t (k, n) values ('a')", 1136, '21S01'],
    ['an existing table', 'create table t (a int)', 1050, '42S01'],
    ['an existing index', 'create index by_n on t (k)', 1061, '42000'],
    ['an existing column', 'alter table t add column n int', 1060, '42S21'],
    ['an unclosed bracket', 'select (1', 1064, '42000'],
    ['a word that is no statement', 'selec 1', 1064, '42000'],
    ['half a statement', 'insert into t', 1064, '42000'],
    ['a foreign key', 'create table c (a int, foreign key (a) references t (n))', 1235, '42000'],
    ['a user variable', 'select @a', 1235, '42000'],
    ['an unknown type', 'create table c (a point)', 1235, '42000'],
    ['AUTO_INCREMENT', 'create table c (a int auto_increment primary key)', 1235, '42000'],
    ['reading a column assigned before', 'update t set n = n + 1, b = n', 1235, '42000'],
    ['REPLACE', "replace into t (k) values ('a')", 1064, '42000'],
  ])('%s is refused as MySQL refuses it', async (_, sql, errno, sqlState) => {
    await expect(run(engine, sql)).rejects.toMatchObject({ errno, sqlState })
    expect(await cells(engine, 'select count(*) from t')).toEqual([['0']])
  })

  test('limits count characters for text and bytes for bytes, and the extremes fit', async () => {
    await run(
      engine,
      "insert into t (k, txt, v, n, b) values ('a', '😀😀😀', x'010203', 255, -9223372036854775808)",
    )
    expect(await cells(engine, 'select txt, n, b from t')).toEqual([
      ['😀😀😀', '255', '-9223372036854775808'],
    ])
  })

  test('text compares by its bytes: case, accents, emoji and trailing spaces tell apart', async () => {
    await run(
      engine,
      "insert into t (k, txt) values ('a', 'a'), ('b', 'A'), ('c', 'á'), ('d', '😀'), ('e', 'a ')",
    )
    expect(await cells(engine, "select k from t where txt = 'a'")).toEqual([['a']])
    expect(await cells(engine, "select k from t where txt like 'A%'")).toEqual([['b']])
    expect(await cells(engine, "select k from t where txt = '😁'")).toEqual([])
  })

  test('an upsert inserts, then updates from the values and the row', async () => {
    const upsert =
      "insert into t (k, n, b) values ('a', 2, 5) on duplicate key update n = n + values(n), b = greatest(b, values(b))"
    for (const _ of [1, 2, 3]) await run(engine, upsert)
    expect(await cells(engine, 'select n, b from t')).toEqual([['6', '5']])
  })

  test('an upsert from a SELECT works', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1)")
    await run(
      engine,
      'insert into t (k, n) select k, n from t on duplicate key update n = t.n + values(n)',
    )
    expect(await cells(engine, 'select n from t')).toEqual([['2']])
  })

  test('INSERT IGNORE leaves what is there and counts nothing', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1)")
    expect(await run(engine, "insert ignore into t (k, n) values ('a', 2)")).toMatchObject({
      rowsAffected: 0,
    })
    expect(await cells(engine, 'select n from t')).toEqual([['1']])
  })

  test('UPDATE and DELETE stop at their LIMIT, in order', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1), ('b', 2), ('c', 3)")
    expect(await run(engine, 'delete from t where n < 3 order by n desc limit 1')).toMatchObject({
      rowsAffected: 1,
    })
    expect(await run(engine, 'update t set n = n + 10 order by k desc limit 1')).toMatchObject({
      rowsAffected: 1,
    })
    expect(await cells(engine, 'select k, n from t order by k')).toEqual([
      ['a', '1'],
      ['c', '13'],
    ])
  })

  test.each([
    ["concat('a', null)", null],
    ["concat('a', 1, 'b')", 'a1b'],
    ['if(1 < 2, 3, 4)', '3'],
    ['greatest(1, 3, 2)', '3'],
    ['least(1, 3, 2)', '1'],
    ['greatest(1, null)', null],
    ["length('é')", '2'],
    ["char_length('é😀')", '2'],
    ["hex(x'00ff')", '00FF'],
    ["hex(unhex('00FF'))", '00FF'],
    ['hex(255)', 'FF'],
    ['hex(null)', null],
    ['7 / 2', '3.5000'],
    ['7 div 2', '3'],
    ["'a' or 0", '0'],
    ['1 || 0', '1'],
    ['null <=> null', '1'],
    ["left('abc', 2)", 'ab'],
    ["substring('abc', 2)", 'bc'],
    ['cast(7.9 as char)', '7.9'],
    ["cast('7' as unsigned) + 1", '8'],
    ['coalesce(null, 5)', '5'],
    ["case when 1 then 'x' else 'y' end", 'x'],
    ["concat('a', '%') like 'a\\%'", '1'],
    ["'ab' like 'a\\%'", '0'],
  ])('select %s is %s', async (expression, value) => {
    expect(await cells(engine, `select ${expression}`)).toEqual([[value]])
  })

  test('names columns as MySQL does', async () => {
    const { fields } = await run(
      engine,
      "select count( * ), max(n) as Most, t.K, 'x', @@sql_mode, t.n m from t where n is null",
    )
    expect(fields.map(({ name }) => name)).toEqual([
      'count( * )',
      'Most',
      'K',
      'x',
      '@@sql_mode',
      'm',
    ])
  })

  test('answers a strict sql_mode', async () => {
    const [row] = await cells(engine, 'select @@session.sql_mode')
    expect(row?.[0]).toMatch(/ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES/)
  })

  test('index hints, row locks, collations and comments change nothing', async () => {
    await run(engine, "insert into t (k, n) values ('a', 1)")
    const sql =
      "select t.k /* why */ from t use index (by_n) where k collate utf8mb4_bin = 'a' and (k, n) in (('a', 1)) for update -- end"
    expect(await cells(engine, sql)).toEqual([['a']])
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
    await run(engine, 'drop index by_n on other')
    await run(engine, 'drop table if exists other, nowhere')
    expect(await cells(engine, 'show tables')).toEqual([['t']])
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
