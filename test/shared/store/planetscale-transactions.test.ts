import { Client } from '@planetscale/database'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../scripts/simulators/planetscale/sqlite-engine.ts'
import type { Db, Queryable } from '../../../shared/store/db.ts'
import { dbFailure } from '../../support/db-failure.ts'
import { openPlanetScale } from '../../support/open-door.ts'

let server: OfflinePlanetScale
let db: Db
let timeoutMs = 3000

beforeEach(async () => {
  timeoutMs = 3000
  server = await startOfflinePlanetScale({
    engine: await openSqliteEngine(':memory:', { lockWaitMs: 30 }),
  })
  db = openPlanetScale({ url: server.url, timeoutMs: () => timeoutMs })
  await db.query('create table t (k varchar(9) primary key, n int not null default 0)')
})
afterEach(async () => {
  await db.close()
  await server.close()
})

function add(...keys: string[]) {
  return async (tx: Queryable): Promise<void> => {
    for (const k of keys) await tx.query('insert into t (k) values (?)', [k])
  }
}
async function keys(): Promise<unknown[]> {
  server.faults.clear()
  timeoutMs = 3000
  return (await db.query('select k from t order by k')).rows.map(({ k }) => k)
}

describe('a transaction', () => {
  test('is rolled back as a whole when its work throws, and throws just that', async () => {
    const mine = new Error('mine')
    const work = db.transaction(async (tx) => {
      await add('a')(tx)
      throw mine
    })
    await expect(work).rejects.toBe(mine)
    expect(await keys()).toEqual([])
    expect(server.transactions()).toBe(0)
  })

  test('keeps the first error when ROLLBACK fails too', async () => {
    server.faults.add({ kind: 'http-error', status: 500, match: '^rollback' })
    const work = db.transaction(async (tx) => {
      await add('a', 'a')(tx)
    })
    expect(await dbFailure(work)).toMatchObject({ errno: 1062 })
  })

  test.each([1205, 1213, 8002, 9007])('is run again as a whole after %i', async (errno) => {
    server.faults.add({ kind: 'sql-error', errno, match: "values \\('b'", times: 2 })
    let runs = 0
    await db.transaction(async (tx) => {
      runs++
      await add('a', 'b')(tx)
    })
    expect(runs).toBe(3)
    expect(await keys()).toEqual(['a', 'b'])
  })

  test('is run again even when its work hid the deadlock, and never commits half', async () => {
    server.faults.add({ kind: 'sql-error', errno: 1213, match: "values \\('b'" })
    await db.transaction(async (tx) => {
      await add('a')(tx)
      await add('b')(tx).catch(() => undefined)
    })
    expect(await keys()).toEqual(['a', 'b'])
  })

  test('is not committed after a statement whose answer was lost, even when its work hid that', async () => {
    server.faults.add({ kind: 'drop-answer', match: "values \\('b'" })
    const work = db.transaction(async (tx) => {
      await add('a')(tx)
      await add('b')(tx).catch(() => undefined)
    })
    expect(await dbFailure(work)).toMatchObject({ failure: 'unreachable', outcome: 'none' })
    expect(await keys()).toEqual([])
  })

  test('never sends a statement inside it twice', async () => {
    server.faults.add({ kind: 'drop-answer', match: '^update' })
    await db.query("insert into t (k) values ('a')")
    const work = db.transaction((tx) => tx.query("update t set n = n + 1 where k = 'a'"))
    expect((await dbFailure(work)).failure).toBe('unreachable')
    expect((await db.query('select n from t')).rows).toEqual([{ n: 0 }])
  })

  test('whose COMMIT answer was lost is of unknown outcome, and was applied', async () => {
    server.faults.add({ kind: 'drop-answer', match: '^commit' })
    expect(await dbFailure(db.transaction(add('a')))).toMatchObject({
      failure: 'unreachable',
      outcome: 'unknown',
    })
    expect(await keys()).toEqual(['a'])
  })

  test.each(['hang', 'empty', 'close'] as const)(
    'whose COMMIT met "%s" is of unknown outcome, and was rolled back here',
    async (kind) => {
      server.faults.add({ kind, match: '^commit' })
      timeoutMs = 150
      expect(await dbFailure(db.transaction(add('a')))).toMatchObject({ outcome: 'unknown' })
      expect(server.transactions()).toBe(0)
      expect(await keys()).toEqual([])
    },
  )

  test('whose BEGIN failed has done nothing', async () => {
    server.faults.add({ kind: 'empty', match: '^begin' })
    expect(await dbFailure(db.transaction(add('a')))).toMatchObject({
      failure: 'bad-answer',
      outcome: 'none',
    })
    expect(await keys()).toEqual([])
  })

  test('that waits for another one is run again when the wait was too long', async () => {
    const blocker = new Client({ url: server.url }).connection()
    await blocker.execute('begin')
    await blocker.execute("insert into t (k) values ('x')")
    let runs = 0
    const work = db.transaction(async (tx) => {
      runs++
      if (runs === 2) await blocker.execute('commit')
      await add('a')(tx)
    })
    await work
    expect(runs).toBe(2)
    expect(await keys()).toEqual(['a', 'x'])
  })

  test('of the driver alone loses the first error when ROLLBACK fails, which is why it is not used', async () => {
    server.faults.add({ kind: 'sql-error', errno: 1105, match: '^rollback' })
    const work = new Client({ url: server.url }).transaction(async () => {
      throw new Error('the first error')
    })
    await expect(work).rejects.not.toThrow('the first error')
  })
})
