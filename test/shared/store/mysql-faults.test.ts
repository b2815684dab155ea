import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import mysql2 from 'mysql2/promise'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Db, DbError } from '../../../shared/store/db.ts'
import { dbFailure as failure } from '../../support/db-failure.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnOwnServers } from '../../support/server-suites.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

// A server of its own: it is killed, and its global settings are spoilt.
describeOnOwnServers('the MySQL door, when things go wrong', (server) => {
  let proxy: TcpProxy
  let directUrl: string
  let admin: Db
  const doors: Db[] = []

  beforeEach(async () => {
    directUrl = await server().createDatabase()
    proxy = await startTcpProxy({ targetPort: server().port })
    admin = open(directUrl)
    await admin.query('create table t (n int primary key)')
  })
  afterEach(async () => {
    vi.useRealTimers()
    for (const door of doors.splice(0)) await door.close()
    await proxy.close()
  })

  const open = (url: string, timeoutMs = 1500) => {
    const db = openMySql({ url, connections: 1, timeoutMs: () => timeoutMs })
    doors.push(db)
    return db
  }
  const proxied = () => {
    const url = new URL(directUrl)
    url.port = `${proxy.port}`
    return url.href
  }
  const rows = async () => (await admin.query('select n from t order by n')).rows.map(({ n }) => n)

  test('a connection gone silent while idle is replaced within the deadline', async () => {
    const db = open(proxied())
    expect(await recoversFromSilence(db, proxy)).toBe(true)
    expect(proxy.accepted).toBe(2)
  })

  test('which a door that only races a timer against a pool does not manage', async () => {
    const pool = mysql2.createPool({ uri: proxied(), connectionLimit: 1 })
    const racing: Pick<Db, 'query'> = {
      async query(sql) {
        const timer = new Promise<never>((_, reject) => {
          setTimeout(() => reject(new DbError('timeout', { outcome: 'unknown' })), 400)
        })
        await Promise.race([pool.execute(sql), timer])
        return { rows: [], rowsAffected: 0 }
      },
    }
    expect(await recoversFromSilence(racing, proxy)).toBe(false)
    pool.end().catch(() => undefined)
  })

  test('an idle connection that still answers is kept, and used recently it is not even asked', async () => {
    const db = open(proxied())
    await db.query('select 1')
    passIdleTime()
    await db.query('select 1')
    expect(proxy.accepted).toBe(1)
  })

  test('a connection gone silent in the middle costs that statement only', async () => {
    const db = open(proxied(), 300)
    await db.query('select 1 as n')
    proxy.mode({ kind: 'blackhole' })
    const startMs = Date.now()
    expect(await failure(db.query('select 1 as n'))).toMatchObject({
      failure: 'timeout',
      outcome: 'unknown',
    })
    expect(Date.now() - startMs).toBeLessThan(600)
    expect((await db.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  })

  test('a server that accepts and says nothing is given up at the deadline', async () => {
    proxy.mode({ kind: 'silent' })
    const db = open(proxied(), 200)
    expect(await failure(db.query('select 1'))).toMatchObject({
      failure: 'timeout',
      outcome: 'none',
    })
    proxy.mode({ kind: 'pass' })
    await db.query('select 1')
  })

  test.each(['reset', 'close'] as const)(
    'a kept connection that the other side ended (%s) is replaced unnoticed',
    async (how) => {
      const db = open(proxied())
      await db.query('insert into t values (1)')
      proxy.dropConnections(how)
      await db.query('insert into t values (2)')
      proxy.dropConnections(how)
      await db.transaction((transaction) => transaction.query('insert into t values (3)'))
      expect(await rows()).toEqual([1, 2, 3])
      expect(proxy.accepted).toBe(3)
    },
  )

  test('a lost answer to a write is an unknown outcome: the row is in', async () => {
    const db = open(proxied())
    await db.query('insert into t values (?)', [1])
    proxy.mode({ kind: 'drop-answer' })
    expect(await failure(db.query('insert into t values (?)', [2]))).toMatchObject({
      failure: 'unreachable',
      outcome: 'unknown',
    })
    expect(await rows()).toEqual([1, 2])
  })

  test('a connection lost before the statement was sent is no unknown outcome: it is sent once', async () => {
    const db = open(proxied())
    await db.query('select 1')
    proxy.mode({ kind: 'drop-answer', containing: 'insert into t' })
    await db.query('insert into t values (?)', [1])
    expect(await rows()).toEqual([1])
    expect(proxy.accepted).toBe(2)
  })

  test('an answer cut in the middle is an unknown outcome', async () => {
    const db = open(proxied())
    await db.query('select 1')
    await db.query('select repeat(?, 5000) as text_', ['x'])
    proxy.mode({ kind: 'cut', afterBytes: 100 })
    const cut = await failure(db.query('select repeat(?, 5000) as text_', ['x']))
    expect(cut).toMatchObject({ failure: 'unreachable', outcome: 'unknown' })
    proxy.mode({ kind: 'pass' })
    await db.query('select 1')
  })

  test('a lost answer to COMMIT is an unknown outcome, and the transaction is not repeated', async () => {
    const db = open(proxied())
    let attempts = 0
    await db.query('select 1')
    proxy.mode({ kind: 'drop-answer', containing: 'commit' })
    const lost = await failure(
      db.transaction(async (transaction) => {
        attempts += 1
        await transaction.query('insert into t values (1)')
      }),
    )
    expect(lost).toMatchObject({ failure: 'unreachable', outcome: 'unknown' })
    expect(attempts).toBe(1)
    expect(await rows()).toEqual([1])
  })

  test('a statement lost inside a transaction is no unknown outcome: nothing is in', async () => {
    const db = open(proxied())
    const lost = await failure(
      db.transaction(async (transaction) => {
        await transaction.query('insert into t values (1)')
        proxy.mode({ kind: 'drop-answer' })
        await transaction.query('insert into t values (2)').catch(() => undefined)
        await transaction.query('insert into t values (3)')
      }),
    )
    expect(lost).toMatchObject({ failure: 'unreachable', outcome: 'none' })
    expect(await rows()).toEqual([])
  })

  test('when ROLLBACK fails the first error is kept, and the server rolls back', async () => {
    const db = open(proxied(), 400)
    const reason = new Error('the reason')
    const failed = db.transaction(async (transaction) => {
      await transaction.query('insert into t values (1)')
      proxy.mode({ kind: 'drop-answer', containing: 'rollback' })
      throw reason
    })
    await expect(failed).rejects.toBe(reason)
    expect((await db.query('select n from t')).rows).toEqual([])
    expect(proxy.accepted).toBe(2)
  })

  test('a server killed and back again is found by the next statement', async () => {
    const db = open(directUrl)
    await db.query('insert into t values (1)')
    await server().kill()
    expect(await failure(db.query('select n from t'))).toMatchObject({
      failure: 'unreachable',
      outcome: 'none',
    })
    await server().restart()
    expect((await db.query('select n from t')).rows).toEqual([{ n: 1 }])
  })

  test('a statement under way when the server is killed is an unknown outcome', async () => {
    const db = open(directUrl, 5000)
    const killed = failure(db.query('select sleep(30)'))
    await vi.waitUntil(async () => {
      const busy = await admin.query(
        "select count(*) n from information_schema.processlist where info like 'select sleep%'",
      )
      return busy.rows[0]?.n === 1
    })
    await server().kill()
    expect(await killed).toMatchObject({ failure: 'unreachable', outcome: 'unknown' })
    await server().restart()
  })

  test('a server that turned read-only is left, and used again when it is not any more', async () => {
    await admin.query("create user if not exists 'plain'@'%' identified by 'plain'")
    await admin.query("grant select, insert on *.* to 'plain'@'%'")
    const url = new URL(proxied())
    url.username = 'plain'
    url.password = 'plain'
    const db = open(url.href)
    await admin.query('set global read_only = 1')
    try {
      expect(await failure(db.query('insert into t values (1)'))).toMatchObject({
        failure: 'refused',
        errno: 1290,
        outcome: 'none',
      })
    } finally {
      await admin.query('set global read_only = 0')
    }
    await db.query('insert into t values (1)')
    expect(proxy.accepted).toBe(2)
  })

  test('something that is no MySQL at all is told as a bad answer', async () => {
    const impostor = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write(Buffer.from([5, 0, 0, 0, ...Buffer.from('hello')]))
    })
    impostor.listen(0, '127.0.0.1')
    await once(impostor, 'listening')
    const { port } = impostor.address() as AddressInfo
    const url = new URL(directUrl)
    url.port = `${port}`
    try {
      expect(await failure(open(url.href).query('select 1'))).toMatchObject({
        failure: 'bad-answer',
        outcome: 'none',
      })
    } finally {
      impostor.close()
    }
  })

  test('settings that spoil literals, strictness, times or commits are overridden for the session', async () => {
    await admin.query(
      "set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', global time_zone = '+08:00', global autocommit = 0",
    )
    try {
      const db = open(directUrl)
      const texts = [`\\'; drop table t; --`, `it''s \\`, '"']
      for (const text of texts) {
        expect((await db.query('select ? as a', [text])).rows).toEqual([{ a: text }])
      }
      expect((await db.query(`select '\\\\' as a, "b" as b`)).rows).toEqual([{ a: '\\', b: 'b' }])
      expect(await failure(db.query("insert into t values ('x')"))).toMatchObject({ errno: 1366 })
      expect(await failure(db.query('select n, count(*) from t'))).toMatchObject({ errno: 1140 })
      await db.query('insert into t values (1)')
      expect(await rows()).toEqual([1])
      const { rows: session } = await db.query(
        'select @@time_zone as zone, @@innodb_lock_wait_timeout as wait_',
      )
      expect(session).toEqual([{ zone: '+00:00', wait_: 2 }])
    } finally {
      await admin.query(
        "set global sql_mode = default, global time_zone = '+00:00', global autocommit = 1",
      )
    }
  })
})

/** Lets the wall clock pass the time after which a connection is asked whether it lives. */
function passIdleTime() {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
}

/** The check that a door must pass: two good statements in a row after its connection went silent. */
async function recoversFromSilence(db: Pick<Db, 'query'>, proxy: TcpProxy): Promise<boolean> {
  await db.query('select 1')
  passIdleTime()
  proxy.mode({ kind: 'blackhole' })
  try {
    await db.query('select 1')
    await db.query('select 1')
    return true
  } catch {
    return false
  }
}
