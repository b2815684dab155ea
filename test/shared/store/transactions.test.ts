import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Db, DbError, type Queryable } from '../../../shared/store/db.ts'
import { type BegunTransaction, runTransaction } from '../../../shared/store/transactions.ts'
import { dbFailure } from '../../support/db-failure.ts'
import { type Door, doors } from '../../support/store-doors.ts'

function add(...keys: string[]) {
  return async (transaction: Queryable): Promise<void> => {
    for (const k of keys) await transaction.query('insert into t (k) values (?)', [k])
  }
}

describe.each(doors.filter(({ isAvailable }) => isAvailable))(
  'a transaction on $name',
  ({ open }) => {
    let door: Door
    let db: Db
    beforeAll(async () => {
      door = await open()
      db = door.db
      await db.query('create table t (k varchar(9) primary key, n int not null default 0)')
    })
    beforeEach(() => db.query('delete from t'))
    afterAll(() => door?.close())

    const keys = async (): Promise<unknown[]> =>
      (await db.query('select k from t order by k')).rows.map(({ k }) => k)

    test('is committed as a whole and gives its result', async () => {
      const result = await db.transaction(async (transaction) => {
        await add('a', 'b')(transaction)
        return (await transaction.query('select count(*) as n from t')).rows
      })
      expect(result).toEqual([{ n: 2 }])
      expect(await keys()).toEqual(['a', 'b'])
    })

    test('is rolled back as a whole when its work throws, and throws just that', async () => {
      const mine = new Error('mine')
      const work = db.transaction(async (transaction) => {
        await add('a')(transaction)
        throw mine
      })
      await expect(work).rejects.toBe(mine)
      expect(await keys()).toEqual([])
    })

    test('goes on after a duplicate key that its work expected', async () => {
      await db.transaction(async (transaction) => {
        await add('a')(transaction)
        await add('a')(transaction).catch(() => undefined)
        await add('b')(transaction)
      })
      expect(await keys()).toEqual(['a', 'b'])
    })

    test('is not committed after any other refusal, even when its work hid that', async () => {
      const work = db.transaction(async (transaction) => {
        await add('a')(transaction)
        await transaction.query('insert into no_such_table (k) values (1)').catch(() => undefined)
      })
      expect(await dbFailure(work)).toMatchObject({ errno: 1146, outcome: 'none' })
      expect(await keys()).toEqual([])
    })

    test('sends its statements one after the other, and waits for those that its work did not wait for', async () => {
      await db.transaction(async (transaction) => {
        await Promise.all(['a', 'b', 'c'].map((k) => add(k)(transaction)))
        void add('d')(transaction)
      })
      expect(await keys()).toEqual(['a', 'b', 'c', 'd'])
    })

    test('takes no statement after its end', async () => {
      let kept: Queryable | undefined
      await db.transaction(async (transaction) => {
        kept = transaction
      })
      await expect(kept?.query('select 1')).rejects.toThrow('the transaction is over')
      expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })
  },
)

/** A door whose statements, BEGIN, COMMIT and ROLLBACK fail as told; what was sent is written down. */
function scriptedDoor(failures: Record<string, Error[]> = {}) {
  const sent: string[] = []
  const send = async (what: string): Promise<void> => {
    sent.push(what)
    const failure = failures[what]?.shift()
    if (failure) throw failure
  }
  const begin = async (): Promise<BegunTransaction> => {
    await send('begin')
    return {
      query: async (sql) => {
        await send(sql)
        return { rows: [], rowsAffected: 1 }
      },
      commit: () => send('commit'),
      rollback: (timeoutMs) => send(timeoutMs === 1000 ? 'rollback' : `rollback in ${timeoutMs}`),
    }
  }
  const run = <T>(
    work: (transaction: Queryable) => Promise<T>,
    { timeoutMs = (): number => 3000, random = (): number => 0 } = {},
  ): Promise<T> => runTransaction(work, { begin, timeoutMs, random })
  return { sent, run }
}

const refused = (errno: number) => new DbError('refused', { errno, outcome: 'none' })
const lost = new DbError('unreachable', { outcome: 'unknown' })

describe('whatever the door, a transaction', () => {
  test.each([1205, 1213, 8002, 9007])('is run again as a whole after %i', async (errno) => {
    const door = scriptedDoor({ b: [refused(errno), refused(errno)] })
    await door.run(async (transaction) => {
      await transaction.query('a')
      await transaction.query('b')
    })
    const failed = ['begin', 'a', 'b', 'rollback']
    expect(door.sent).toEqual([...failed, ...failed, 'begin', 'a', 'b', 'commit'])
  })

  test('is run again when BEGIN or COMMIT met a conflict', async () => {
    const door = scriptedDoor({ begin: [refused(1205)], commit: [refused(9007)] })
    await door.run((transaction) => transaction.query('a'))
    expect(door.sent).toEqual(['begin', 'begin', 'a', 'commit', 'rollback', 'begin', 'a', 'commit'])
  })

  test('gives up after three attempts with the number of the refusal', async () => {
    const door = scriptedDoor({ a: Array.from({ length: 9 }, () => refused(1213)) })
    const work = door.run((transaction) => transaction.query('a'))
    expect(await dbFailure(work)).toMatchObject({ errno: 1213, outcome: 'none' })
    expect(door.sent.filter((what) => what === 'begin')).toHaveLength(3)
  })

  test('is not run again without time for the pause before it', async () => {
    const door = scriptedDoor({ a: [refused(1213)] })
    const work = door.run((transaction) => transaction.query('a'), {
      timeoutMs: () => 20,
      random: () => 0.5,
    })
    expect(await dbFailure(work)).toMatchObject({ errno: 1213 })
    expect(door.sent).toEqual(['begin', 'a', 'rollback in 20'])
  })

  test.each([
    ['a deadlock', refused(1213)],
    ['a lock that was waited for too long', refused(1205)],
  ])('is run again after %s that its work hid or took for another', async (_what, conflict) => {
    const door = scriptedDoor({ a: [conflict, conflict] })
    let runs = 0
    await door.run(async (transaction) => {
      runs++
      await transaction.query('a').catch(() => undefined)
      if (runs === 2) throw new Error('something of the caller')
    })
    expect(runs).toBe(3)
  })

  test.each([
    ['a lost answer', new DbError('unreachable', { outcome: 'none' })],
    ['silence', new DbError('timeout', { outcome: 'none' })],
    ['an answer that is none', new DbError('bad-answer', { outcome: 'none' })],
    ['a refusal without number', new DbError('refused', { outcome: 'none' })],
    ['a server that has become read-only', refused(1290)],
    ['a table that is missing', refused(1146)],
    ['a parameter that cannot be bound', new TypeError('parameter 1 cannot be bound')],
  ])('is not committed after %s, nor asked anything more', async (_what, failure) => {
    const door = scriptedDoor({ a: [failure] })
    const work = door.run(async (transaction) => {
      await transaction.query('a').catch(() => undefined)
      await transaction.query('b').catch(() => undefined)
    })
    await expect(work).rejects.toBe(failure)
    expect(door.sent).toEqual(['begin', 'a', 'rollback'])
  })

  test('whose COMMIT was lost is of unknown outcome and not run again', async () => {
    const door = scriptedDoor({ commit: [lost] })
    await expect(door.run((transaction) => transaction.query('a'))).rejects.toBe(lost)
    expect(door.sent.filter((what) => what === 'begin')).toHaveLength(1)
  })

  test('whose COMMIT was refused for another reason than a conflict is of unknown outcome', async () => {
    const door = scriptedDoor({ commit: [refused(1317)] })
    const work = door.run((transaction) => transaction.query('a'))
    expect(await dbFailure(work)).toMatchObject({ errno: 1317, outcome: 'unknown' })
  })

  test('is not run again after a conflict of unknown outcome', async () => {
    const unknown = new DbError('refused', { errno: 1213, outcome: 'unknown' })
    const door = scriptedDoor({ commit: [unknown] })
    expect(await dbFailure(door.run(async () => {}))).toMatchObject({ outcome: 'unknown' })
    expect(door.sent).toEqual(['begin', 'commit', 'rollback'])
  })

  test('keeps its first error when ROLLBACK fails too', async () => {
    const mine = new Error('mine')
    const door = scriptedDoor({ rollback: [lost] })
    await expect(door.run(() => Promise.reject(mine))).rejects.toBe(mine)
  })
})
