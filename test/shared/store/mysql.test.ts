import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import type { Db, SqlValue } from '../../../shared/store/db.ts'
import { dbFailure as failure } from '../../support/db-failure.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnServers } from '../../support/server-suites.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

const HOSTILE_TEXTS = [
  `'; drop table t; --`,
  `\\'; drop table t; --`,
  `\\\\' or 1=1 #`,
  `" or ""="`,
  '`;--',
  `\u0000'\u001a\\%_`,
  '😀😁 e\u0301 é',
  'trailing  ',
]
const { cases } = JSON.parse(
  readFileSync(new URL('../../vectors/texts-extra.json', import.meta.url), 'utf8'),
) as { cases: { s: string; expect: string }[] }

function isStored({ expect }: { expect: string }) {
  return !expect.startsWith('reject')
}

describeOnServers('the MySQL door', (suite) => {
  const doors: Db[] = []
  afterEach(async () => {
    for (const door of doors.splice(0)) await door.close()
  })
  const open = (url: string, connections = 1, timeoutMs = 5000) => {
    const db = openMySql({ url, connections, timeoutMs: () => timeoutMs })
    doors.push(db)
    return db
  }
  const openFresh = async (connections = 1) => open(await suite.freshDatabase(), connections)

  test('gives numbers, text and bytes as themselves', async () => {
    const db = await openFresh()
    await db.query(
      'create table t (id binary(3) primary key, small tinyint, big bigint, huge bigint unsigned, text_ text, real_ double, bytes blob)',
    )
    await db.query('insert into t values (?, ?, ?, ?, ?, ?, ?)', [
      new Uint8Array([0, 255, 39]),
      true,
      -9007199254740991,
      9223372036854775807n,
      '😀',
      0.1,
      new Uint8Array(),
    ])
    const { rows } = await db.query('select * from t where big = ? limit ?', [
      -9007199254740991n,
      1,
    ])
    expect(rows).toEqual([
      {
        id: new Uint8Array([0, 255, 39]),
        small: 1,
        big: -9007199254740991,
        huge: '9223372036854775807',
        text_: '😀',
        real_: 0.1,
        bytes: new Uint8Array(),
      },
    ])
    expect(rows[0]?.id).not.toBeInstanceOf(Buffer)
    // As a DOUBLE it would be 9.007199254740991e15, and LIMIT would refuse it on MySQL.
    const { rows: integers } = await db.query('select concat(?, ?) a', [9007199254740991, -7n])
    expect(integers).toEqual([{ a: '9007199254740991-7' }])
    const totals = await db.query('select count(*) n, sum(small) s, sum(big) b, max(null) x from t')
    expect(totals.rows).toEqual([{ n: 1, s: 1, b: -9007199254740991, x: null }])
  })

  test('stores hostile and odd texts exactly, and none of them becomes SQL', async () => {
    const db = await openFresh()
    await db.query('create table t (n int primary key, text_ text not null)')
    const texts = [...HOSTILE_TEXTS, ...cases.filter(isStored).map(({ s }) => s)]
    for (const [n, text] of texts.entries()) {
      await db.query('insert into t values (?, ?)', [n, text])
    }
    const { rows } = await db.query('select text_ from t order by n')
    expect(rows.map((row) => row.text_)).toEqual(texts)
    for (const [n, text] of texts.entries()) {
      const found = await db.query('select n from t where text_ = ? and n = ?', [text, n])
      expect(found.rows).toEqual([{ n }])
    }
  })

  test.each<[string, unknown]>([
    ['a lone surrogate', 'a\ud800'],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['more than 64 bits', 2n ** 63n],
    ['undefined', undefined],
    ['an array', ['x']],
    ['an object', { toJSON: () => 'x' }],
    ['a Date', new Date(0)],
  ])('refuses %s as a parameter before it connects', async (_name, value) => {
    const db = open('mysql://u:p@127.0.0.1:1/db')
    await expect(db.query('select ?', [value as SqlValue])).rejects.toThrow(TypeError)
  })

  test('refuses a statement with too few or too many parameters', async () => {
    const db = await openFresh()
    await expect(db.query('select ?, ?', ['x'])).rejects.toThrow('2 parameters, not 1')
    await expect(db.query('select 1', ['x'])).rejects.toThrow('0 parameters, not 1')
  })

  test('tells a refusal by its number, with nothing of the statement, its values or the login', async () => {
    const url = await suite.freshDatabase()
    const db = open(url)
    const missing = await failure(
      db.query('select secret_column from secret_table where a = ?', ['13800138000']),
    )
    expect(missing).toMatchObject({
      failure: 'refused',
      errno: 1146,
      sqlState: '42S02',
      outcome: 'none',
    })
    await db.query('create table t (a varchar(20) primary key)')
    await db.query('insert into t values (?)', ['13800138000'])
    const duplicate = await failure(db.query('insert into t values (?)', ['13800138000']))
    expect(duplicate).toMatchObject({ failure: 'refused', errno: 1062, outcome: 'none' })
    const told = inspect([missing, duplicate], { showHidden: true, depth: null })
    const { username, password, pathname } = new URL(url)
    for (const secret of ['secret_', '13800138000', `${username}'`, password, pathname.slice(1)]) {
      expect(told).not.toContain(secret)
    }
  })

  test('tells a wrong password and an unknown database by their numbers', async () => {
    const url = new URL(await suite.freshDatabase())
    const wrongPassword = new URL(url)
    wrongPassword.password = 'wrong'
    expect(await failure(open(wrongPassword.href).query('select 1'))).toMatchObject({
      failure: 'refused',
      errno: 1045,
      outcome: 'none',
    })
    url.pathname = '/no_such_database'
    expect(await failure(open(url.href).query('select 1'))).toMatchObject({
      errno: 1049,
      outcome: 'none',
    })
  })

  test('opens no more connections than it may, however many ask at once', async () => {
    const url = new URL(await suite.freshDatabase())
    const proxy = await startTcpProxy({ targetPort: Number(url.port) })
    try {
      url.port = `${proxy.port}`
      const db = open(url.href, 2)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => db.query('select ? as n', [n])),
      )
      expect(answers.map(({ rows }) => rows[0]?.n)).toEqual([...Array(20).keys()])
      expect(proxy.accepted).toBe(2)
    } finally {
      await proxy.close()
    }
  })

  test('waits for a free connection no longer than the deadline', async () => {
    const db = open(await suite.freshDatabase(), 1, 300)
    const slow = failure(db.query('select sleep(5)'))
    const queued = await failure(db.query('select 1'))
    expect(queued).toMatchObject({ failure: 'timeout', outcome: 'none' })
    expect(await slow).toMatchObject({ failure: 'timeout', outcome: 'unknown' })
    expect((await db.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  })

  test('with no time left sends nothing', async () => {
    const db = open(await suite.freshDatabase(), 1, 0)
    expect(await failure(db.query('select 1'))).toMatchObject({
      failure: 'timeout',
      outcome: 'none',
    })
  })

  test('after close refuses statements and lets waiting ones fail', async () => {
    const db = await openFresh()
    const running = db.query('select 1 as n')
    const queued = failure(db.query('select 2'))
    await db.close()
    expect((await running).rows).toEqual([{ n: 1 }])
    expect(await queued).toMatchObject({ failure: 'unreachable', outcome: 'none' })
    expect(await failure(db.query('select 3'))).toMatchObject({ failure: 'unreachable' })
  })

  test('runs both transactions of a deadlock to their end', async () => {
    const url = await suite.freshDatabase()
    const db = open(url, 2)
    await db.query('create table t (id int primary key, n int not null)')
    await db.query('insert into t values (1, 0), (2, 0)')
    let attempts = 0
    let holders = 0
    let release: (() => void) | undefined
    const bothHoldOne = new Promise<void>((resolve) => {
      release = resolve
    })
    const inOrder = (first: number, second: number) =>
      db.transaction(async (transaction) => {
        attempts += 1
        await transaction.query('update t set n = n + 1 where id = ?', [first])
        holders += 1
        if (holders === 2) release?.()
        await bothHoldOne
        await transaction.query('update t set n = n + 1 where id = ?', [second])
      })
    await Promise.all([inOrder(1, 2), inOrder(2, 1)])
    expect(attempts).toBe(3)
    expect((await db.query('select n from t order by id')).rows).toEqual([{ n: 2 }, { n: 2 }])
  })

  test('repeats a transaction that waited too long for a lock, whatever its caller made of that', async () => {
    const db = await openFresh(2)
    await db.query('create table t (id int primary key, n int not null)')
    await db.query('insert into t values (1, 0), (2, 0)')
    let attempts = 0
    await db.transaction(async (holder) => {
      await holder.query('update t set n = 10 where id = 1')
      const waiting = db.transaction(async (transaction) => {
        attempts += 1
        if (attempts < 3) await transaction.query('set session innodb_lock_wait_timeout = 0')
        await transaction.query('update t set n = n + 1 where id = 2')
        try {
          const id = attempts < 3 ? 1 : 2
          await transaction.query('update t set n = n + 1 where id = ?', [id])
        } catch {
          // Carrying on to COMMIT would keep the first half; so would taking the new error for the reason.
          if (attempts === 2) throw new Error('something of the caller')
        }
      })
      await waiting
    })
    expect(attempts).toBe(3)
    expect((await db.query('select n from t order by id')).rows).toEqual([{ n: 10 }, { n: 2 }])
  })

  test('gives up a lock after three attempts, with the number of the refusal and nothing applied', async () => {
    const db = await openFresh(2)
    await db.query('create table t (id int primary key, n int not null)')
    await db.query('insert into t values (1, 0), (2, 0)')
    let attempts = 0
    const refused = await db.transaction(async (holder) => {
      await holder.query('update t set n = 1 where id = 1')
      return failure(
        db.transaction(async (transaction) => {
          attempts += 1
          await transaction.query('set session innodb_lock_wait_timeout = 0')
          await transaction.query('update t set n = 1 where id = 2')
          await transaction.query('update t set n = 2 where id = 1')
        }),
      )
    })
    expect(refused).toMatchObject({ errno: 1205, outcome: 'none' })
    expect(attempts).toBe(3)
    expect((await db.query('select n from t order by id')).rows).toEqual([{ n: 1 }, { n: 0 }])
  })
})
