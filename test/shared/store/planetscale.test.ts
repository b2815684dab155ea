import { Client } from '@planetscale/database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StatementFault as Fault } from '../../../scripts/simulators/planetscale/faults.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../scripts/simulators/planetscale/sqlite-engine.ts'
import { type Db, type DbError, isDuplicateKey, type SqlValue } from '../../../shared/store/db.ts'
import { dbFailure } from '../../support/db-failure.ts'
import { openPlanetScale } from '../../support/open-door.ts'

const PHONE = '13800138000'

let server: OfflinePlanetScale
let db: Db
let timeoutMs = 3000

beforeEach(async () => {
  timeoutMs = 3000
  server = await startOfflinePlanetScale({
    engine: await openSqliteEngine(':memory:', { lockWaitMs: 30 }),
  })
  db = openPlanetScale({ url: server.url, timeoutMs: () => timeoutMs })
  await db.query(
    'create table t (k varchar(40) primary key, n bigint null, raw varbinary(99) null, txt text null)',
  )
})
afterEach(async () => {
  await db.close()
  await server.close()
})

function insert(k = PHONE): Promise<unknown> {
  return db.query('insert into t (k, n) values (?, 1)', [k])
}
async function stored(): Promise<number> {
  server.faults.clear()
  timeoutMs = 3000
  return Number((await db.query('select count(*) as n from t')).rows[0]?.n)
}

describe('rows', () => {
  test('hold numbers, bytes, text and null as the door promises', async () => {
    const raw = Uint8Array.from([0, 255, 39, 92])
    const txt = '\ufeffa\0\'"\\😀 '
    await db.query('insert into t (k, n, raw, txt) values (?, ?, ?, ?)', [
      'a',
      2 ** 53 - 1,
      raw,
      txt,
    ])
    await db.query('insert into t (k, n) values (?, ?)', ['b', null])
    const { rows } = await db.query('select n, raw, txt from t order by k')
    expect(rows).toEqual([
      { n: 2 ** 53 - 1, raw, txt },
      { n: null, raw: null, txt: null },
    ])
    expect(rows[0]?.raw?.constructor).toBe(Uint8Array)
  })

  test('give counts, sums and extremes as numbers', async () => {
    await db.query("insert into t (k, n) values ('a', 1), ('b', 2)")
    const { rows } = await db.query('select count(*) as c, sum(n) as s, max(n) as x from t')
    expect(rows).toEqual([{ c: 2, s: 3, x: 2 }])
  })

  test('refuse a whole number beyond 2^53 instead of rounding it', async () => {
    await db.query("insert into t (k, n) values ('a', ?)", [2n ** 53n + 1n])
    expect(await dbFailure(db.query('select n from t'))).toMatchObject({
      failure: 'bad-answer',
      outcome: 'none',
    })
  })

  test('count what a write changed', async () => {
    const nothing = { rows: [], rowsAffected: 0, lastInsertId: 0 }
    expect(await db.query("insert into t (k) values ('a'), ('b')")).toEqual({
      ...nothing,
      rowsAffected: 2,
    })
    expect(await db.query("delete from t where k = 'c'")).toEqual(nothing)
  })
})

describe('parameters', () => {
  const bad: [string, unknown][] = [
    ['an array', ['a', 'b']],
    ['an object', { k: 1 }],
    ['undefined', undefined],
    ['a Date', new Date(0)],
    ['a lone surrogate', 'a\ud800'],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a bigint of 65 bits', 2n ** 63n],
    ['a function', () => 1],
    ['an ArrayBuffer', new ArrayBuffer(1)],
  ]
  test.each(bad)('that are %s are refused before anything is sent', async (_, value) => {
    const before = server.statements()
    const work = db.query('select k from t where k = ?', [value as SqlValue])
    await expect(work).rejects.toThrow(TypeError)
    await expect(
      db.transaction(async (tx) => tx.query('select k from t where k = ?', [value as SqlValue])),
    ).rejects.toThrow(TypeError)
    // Only the BEGIN and ROLLBACK around it.
    expect(server.statements() - before).toBe(2)
  })

  test.each([[['a']], [['a', 'b', 'c']]])(
    'in another number than placeholders are refused: %j',
    async (values) => {
      await expect(db.query('select k from t where k = ? and txt = ?', values)).rejects.toThrow(
        TypeError,
      )
    },
  )

  test('are not confused with question marks inside literals', async () => {
    const { rows } = await db.query("select '?\\'?' as a, ? as b, \"?\" as `c?`", ['x'])
    expect(rows).toEqual([{ a: "?'?", b: 'x', 'c?': '?' }])
  })

  test('that the driver alone would take change the statement: an array finds more rows', async () => {
    await db.query("insert into t (k) values ('a'), ('b')")
    const driver = new Client({ url: server.url })
    const { rows } = await driver.execute('select k from t where k in (?)', [['a', 'b']])
    expect(rows).toHaveLength(2)
  })

  test('are never SQL, whatever they hold', async () => {
    const hostile = "'; drop table t; -- \\"
    await insert(hostile)
    expect((await db.query('select k from t where k = ?', [hostile])).rows).toEqual([
      { k: hostile },
    ])
  })
})

describe('failures', () => {
  const table: [string, Fault & { timeoutMs?: number }, Partial<DbError>, rows: number][] = [
    [
      'no answer in time',
      { kind: 'hang', timeoutMs: 50 },
      { failure: 'timeout', outcome: 'unknown' },
      0,
    ],
    [
      'a slow answer',
      { kind: 'slow', delayMs: 500, timeoutMs: 50 },
      { failure: 'timeout', outcome: 'unknown' },
      1,
    ],
    [
      'an answer cut off',
      { kind: 'cut', afterBytes: 20 },
      { failure: 'unreachable', outcome: 'unknown' },
      1,
    ],
    ['an answer that is {}', { kind: 'empty' }, { failure: 'bad-answer', outcome: 'unknown' }, 0],
    [
      'an HTML page with 502',
      { kind: 'http-error', status: 502 },
      { failure: 'bad-answer', outcome: 'unknown' },
      0,
    ],
    [
      'an HTML page with 200',
      { kind: 'http-error', status: 200 },
      { failure: 'bad-answer', outcome: 'unknown' },
      0,
    ],
    [
      'a redirect',
      { kind: 'http-error', status: 302 },
      { failure: 'bad-answer', outcome: 'none' },
      0,
    ],
    [
      'a refusal',
      { kind: 'sql-error', errno: 1290, sqlState: 'HY000' },
      { failure: 'refused', errno: 1290, outcome: 'none' },
      0,
    ],
    [
      'a lost connection behind the service',
      { kind: 'sql-error', errno: 2013 },
      { failure: 'refused', errno: 2013, outcome: 'unknown' },
      0,
    ],
  ]
  test.each(table)('of a write: %s', async (_, fault, expected, rows) => {
    timeoutMs = fault.timeoutMs ?? 3000
    server.faults.add({ ...fault, match: '^insert' })
    expect(await dbFailure(insert())).toMatchObject(expected)
    await expect.poll(stored).toBe(rows)
  })

  test.each(table)('of a read leave nothing in doubt: %s', async (_, fault, expected) => {
    timeoutMs = fault.timeoutMs ?? 3000
    server.faults.add({ ...fault, match: '^select' })
    const error = await dbFailure(db.query('select k from t'))
    expect(error).toMatchObject({ failure: expected.failure, outcome: 'none' })
  })

  test('a server that is not there has certainly applied nothing', async () => {
    await server.close()
    expect(await dbFailure(insert())).toMatchObject({ failure: 'unreachable', outcome: 'none' })
    server = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  })

  test('a deadline that is already over sends nothing', async () => {
    const before = server.statements()
    for (const noTimeMs of [0, -5, Number.NaN]) {
      timeoutMs = noTimeMs
      expect(await dbFailure(insert())).toMatchObject({ failure: 'timeout', outcome: 'none' })
    }
    expect(server.statements()).toBe(before)
  })

  test('the next statement is fine again', async () => {
    server.faults.add({ kind: 'close', match: '^insert', times: 2 })
    await dbFailure(insert('a'))
    await insert('b')
    expect(await stored()).toBe(1)
  })

  test('a wrong password is 1045', async () => {
    const url = server.url.replace('offline:', 'somebody:')
    const other = openPlanetScale({ url, timeoutMs: () => 3000 })
    expect(await dbFailure(other.query('select 1'))).toMatchObject({
      failure: 'refused',
      errno: 1045,
      sqlState: '28000',
      outcome: 'none',
    })
    await other.close()
  })

  test('a duplicate key is recognised', async () => {
    await insert()
    const error = await dbFailure(insert())
    expect(isDuplicateKey(error)).toBe(true)
    expect(error).toMatchObject({ sqlState: '23000', outcome: 'none' })
  })

  test('carry nothing of the statement, its values or the password', async () => {
    await insert()
    const failures = [await dbFailure(insert())]
    for (const kind of ['empty', 'cut', 'http-error', 'sql-error'] as const) {
      server.faults.add({ kind, match: '^insert' })
      failures.push(await dbFailure(insert()))
    }
    for (const error of failures) {
      const everything = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
      expect(error.cause).toBeUndefined()
      expect(everything).not.toContain(PHONE)
      expect(everything).not.toContain('insert into')
      expect(everything).not.toContain('pscale_pw')
    }
  })

  test('what the driver itself throws does carry them, so the check above can fail', async () => {
    await insert()
    const driver = new Client({ url: server.url })
    const work = driver.execute('insert into t (k, n) values (?, 1)', [PHONE])
    await expect(work).rejects.toThrow(PHONE)
  })

  test('the driver alone takes {} for success, which is why answers are checked', async () => {
    server.faults.add({ kind: 'empty', match: '^insert', times: 2 })
    const driver = new Client({ url: server.url })
    expect((await driver.execute('insert into t (k) values (?)', [PHONE])).rowsAffected).toBe(0)
    expect((await dbFailure(insert())).failure).toBe('bad-answer')
  })
})

describe('connections', () => {
  test('are kept and used again', async () => {
    const before = server.connections()
    for (const k of ['a', 'b', 'c']) await insert(k)
    expect(server.connections()).toBe(before)
  })

  test('that went stale are replaced by one retry, for a statement and for BEGIN', async () => {
    server.faults.add({ kind: 'close', match: '^insert' })
    await insert('a')
    server.faults.add({ kind: 'close', match: '^begin' })
    await db.transaction((tx) => tx.query("insert into t (k) values ('b')"))
    expect(await stored()).toBe(2)
  })

  test('are not retried a second time', async () => {
    server.faults.add({ kind: 'close', match: '^insert', times: 2 })
    expect(await dbFailure(insert())).toMatchObject({ failure: 'unreachable', outcome: 'unknown' })
    expect(server.faults.left).toBe(0)
  })

  test('are not retried once a byte of the answer has come', async () => {
    server.faults.add({ kind: 'cut', afterBytes: 1, match: '^insert' })
    const before = server.statements()
    await dbFailure(insert())
    expect(server.statements() - before).toBe(1)
  })

  test('that the server closed while idle do not disturb the next statement', async () => {
    await insert('a')
    server.dropConnections()
    await insert('b')
    expect(await stored()).toBe(2)
  })
})
