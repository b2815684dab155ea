import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createServer as createMySqlServer } from 'mysql2'
import mysql2 from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Db, DbError, type DoorOptions } from '../../../shared/store/db.ts'
import { dbFailure as failure } from '../../support/db-failure.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnOwnServers } from '../../support/server-suites.ts'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts'

// A server of its own: it is killed, and its global settings are spoilt.
describeOnOwnServers('the MySQL door, when things go wrong', (server, kind) => {
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

  const open = (url: string, timeoutMs = 1500, options: Partial<DoorOptions> = {}) => {
    const db = openMySql({ url, connections: 1, timeoutMs: () => timeoutMs, ...options })
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
    expect(Date.now() - startMs).toBeLessThan(2500)
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

  // TiDB has locks of tables as a configured extra only, no FLUSH TABLES WITH READ LOCK, and changes tables without holding them.
  const testWithTableLocks = test.runIf(kind !== 'TiDB')

  // super_read_only of TiDB does not reach its own sessions.
  testWithTableLocks(
    'a server that turned read-only is left, and used again when it is not any more',
    async () => {
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
    },
  )

  describe('a statement whose caller has gone', () => {
    const locks: [what: string, lock: string][] = [
      ['a table lock', 'lock tables t read'],
      ['a backup’s lock of everything', 'flush tables with read lock'],
    ]
    /** Whether a statement that begins like this is still at the server. */
    const isRunning = async (beginning: string) => {
      const { rows: running } = await admin.query(
        'select count(*) n from information_schema.processlist where info like ?',
        [`${beginning}%`],
      )
      return running[0]?.n !== 0
    }
    const ended = (beginning: string) =>
      vi.waitUntil(async () => !(await isRunning(beginning)), { timeout: 5000, interval: 50 })

    testWithTableLocks.each(locks)(
      'behind %s ends within seconds, and is not applied later',
      async (_, lock) => {
        const db = open(directUrl, 500)
        const locker = await mysql2.createConnection({ uri: directUrl })
        await locker.query(lock)
        try {
          expect(await failure(db.query('insert into t values (7)'))).toMatchObject({
            failure: 'timeout',
            outcome: 'unknown',
          })
          expect(await isRunning('insert into t')).toBe(true)
          await ended('insert into t')
        } finally {
          await locker.end()
        }
        await db.query('insert into t values (8)')
        expect(await rows()).toEqual([8])
      },
    )

    // MariaDB looks whether the client of a waiting statement is still there.
    test.runIf(kind === 'MySQL')(
      'which a session that waits for tables as long as servers do does not manage',
      async () => {
        const db = open(directUrl, 500, { tableLockWaitSeconds: 3600 })
        const locker = await mysql2.createConnection({ uri: directUrl })
        await locker.query('lock tables t read')
        expect(await failure(db.query('insert into t values (7)'))).toMatchObject({
          failure: 'timeout',
        })
        await expect(ended('insert into t')).rejects.toThrow()
        await locker.end()
        await vi.waitUntil(async () => (await rows()).includes(7))
      },
    )

    testWithTableLocks('behind an ALTER that waits itself ends as well', async () => {
      const reader = await mysql2.createConnection({ uri: directUrl })
      await reader.query('start transaction')
      await reader.query('select n from t')
      const altering = failure(open(directUrl, 5000).query('alter table t add column a int'))
      await vi.waitUntil(() => isRunning('alter table t'))
      const db = open(directUrl, 300)
      expect(await failure(db.query('insert into t (n) values (7)'))).toMatchObject({
        failure: 'timeout',
      })
      await ended('insert into t')
      expect(await altering).toMatchObject({ errno: 1205, outcome: 'none' })
      await reader.end()
      expect((await db.query('select count(*) n from t where n = 7')).rows[0]?.n).not.toBe(2)
    })

    test('that only reads is ended at the time every statement has', async () => {
      const db = open(directUrl, 300, { statementMs: 1000 })
      expect(
        await failure(db.query('select sleep(30) from t right join (select 1) x on 1')),
      ).toMatchObject({ failure: 'timeout' })
      expect(await isRunning('select sleep')).toBe(true)
      await ended('select sleep')
    })
  })

  test('a server that lacks one of the settings is given all the others', async () => {
    const sets: string[] = []
    const old = createMySqlServer((connection) => {
      connection.on('error', () => undefined)
      connection.serverHandshake({
        protocolVersion: 10,
        serverVersion: '8.0.0',
        connectionId: 1,
        statusFlags: 2,
        characterSet: 46,
        // Neither compression nor TLS.
        capabilityFlags: 0xffffff ^ 0x20 ^ 0x800,
      })
      const answer = (refusal?: { code: number; message: string }) => {
        if (refusal) connection.writeError(refusal)
        else connection.writeOk()
        // Otherwise it goes on counting packets, and complains of the client's.
        Object.assign(connection, { sequenceId: 0 })
      }
      connection.on('query', () => answer({ code: 1105, message: 'Enough' }))
      // As mysql2's server calls a SET.
      connection.on('stmt_prepare', (sql: string) => {
        sets.push(sql)
        const isLacking = /\block_wait_timeout/.test(sql)
        answer(isLacking ? { code: 1193, message: 'Unknown system variable' } : undefined)
      })
    }).listen(0) as unknown as { _server: Server; close(then: () => void): void }
    await once(old._server, 'listening')
    const { port } = old._server.address() as AddressInfo
    const db = open(`mysql://u:p@127.0.0.1:${port}/db`, 1500, { statementMs: 3000 })
    await failure(db.query('select 1'))
    old.close(() => undefined)
    const [together, ...alone] = sets
    expect(together).toContain('lock_wait_timeout = 2')
    for (const setting of [
      'sql_mode',
      'innodb_lock_wait_timeout = 2',
      'wait_timeout = 60',
      'max_execution_time = 3000',
    ]) {
      expect(
        alone.some((each) => each.includes(setting)),
        setting,
      ).toBe(true)
    }
  })

  describe('when connections are short', () => {
    test('whoever finds the server full is answered once a place is free', async () => {
      const most = kind === 'MySQL' ? 5 : 10
      await admin.query("create user if not exists 'plain'@'%' identified by 'plain'")
      await admin.query("grant select, insert on *.* to 'plain'@'%'")
      const url = new URL(directUrl)
      url.username = 'plain'
      url.password = 'plain'
      await admin.query(`set global max_connections = ${most}`)
      let wereFull = 0
      try {
        const answers = Array.from({ length: most + 3 }, async (_, n) => {
          const random = () => {
            wereFull++
            return Math.random()
          }
          const db = open(url.href, 3000, { random })
          const answer = await db.query('select ? as n', [n])
          await pause(300)
          await db.close()
          return answer.rows[0]?.n
        })
        expect(await Promise.all(answers)).toEqual([...Array(most + 3).keys()])
      } finally {
        await admin.query('set global max_connections = 200')
      }
      expect(wereFull).toBeGreaterThan(2)
    })

    test('whoever finds it full for good is told so within the deadline', async () => {
      await admin.query("create user if not exists 'two'@'%' identified by 'two'")
      await admin.query("grant select on *.* to 'two'@'%'")
      const url = new URL(directUrl)
      url.username = 'two'
      url.password = 'two'
      const least = kind === 'MySQL' ? 1 : 10
      await admin.query(`set global max_connections = ${least}`)
      const holders = Array.from({ length: least }, () => open(url.href, 500))
      try {
        await Promise.all(holders.map((holder) => holder.query('select 1').catch(() => undefined)))
        const startMs = Date.now()
        expect(await failure(open(url.href, 700).query('select 1'))).toMatchObject({
          failure: 'refused',
          errno: 1040,
          outcome: 'none',
        })
        expect(Date.now() - startMs).toBeGreaterThan(200)
        expect(Date.now() - startMs).toBeLessThan(3000)
      } finally {
        await admin.query('set global max_connections = 200')
      }
    })

    const connectionsThere = async () => {
      const { rows: there } = await admin.query('show full processlist')
      return there.length
    }

    test.each([
      ['at once', false],
      ['while the instance is frozen', true],
    ])('a connection that the server takes back %s is missed by nobody', async (_, isFrozen) => {
      const db = open(proxied())
      await db.query('set session wait_timeout = 1')
      const there = await connectionsThere()
      if (isFrozen) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500)
      else await vi.waitUntil(async () => (await connectionsThere()) < there, { timeout: 5000 })
      await db.query('insert into t values (1)')
      await db.transaction((transaction) => transaction.query('insert into t values (2)'))
      expect(await rows()).toEqual([1, 2])
      expect(proxy.accepted).toBe(2)
    })
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
        'select @@time_zone as zone, @@innodb_lock_wait_timeout as rows_, @@lock_wait_timeout as tables_, @@wait_timeout as idle_',
      )
      expect(session).toEqual([{ zone: '+00:00', rows_: 2, tables_: 2, idle_: 60 }])
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
