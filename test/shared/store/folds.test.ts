import { createHash, randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  deleteOlderThan,
  deleteSpent,
  foldAll,
  rebuildCounts,
  verifyCounts,
} from '../../../scripts/database/maintenance.ts'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { NewScore } from '../../../shared/ports.ts'
import { countAccount } from '../../../shared/store/account-counts.ts'
import { createCodeClaimStore } from '../../../shared/store/code-claims.ts'
import { createCounterStore } from '../../../shared/store/counters.ts'
import { type Db, DbError } from '../../../shared/store/db.ts'
import { countLimits, deleteRatings, foldAccount } from '../../../shared/store/folds.ts'
import { lastIdAt } from '../../../shared/store/id-range.ts'
import { createRatingEraser } from '../../../shared/store/rating-erasure.ts'
import { createRatingStore } from '../../../shared/store/ratings.ts'
import { uuidToBytes } from '../../../shared/store/rows.ts'
import { recordStatements } from '../../support/recording-db.ts'
import { type Door, doors } from '../../support/store-doors.ts'
import { insertRatings } from '../../support/stored-rating.ts'

/** A moment that every server's clock has behind it: folding goes by the earlier of two clocks. */
const NOW_MS = Date.UTC(2024, 5, 1)
const FOLD_DELAY_MS = countLimits.foldDelayMs
const LONG_AGO_MS = NOW_MS - 10 * FOLD_DELAY_MS
/** Folds accounts of any size. */
const small = { ...countLimits, tailMax: 0 }
const all = { kind: 'all' } as const
function quiet(): void {}

function newScore(acc_nbr: string, changes: Partial<NewScore> = {}): NewScore {
  return {
    acc_nbr,
    grade1: 4,
    grade2: 5,
    grade3: null,
    txt1: '',
    txt2: '',
    txt3: '',
    userId: uuidV7(),
    idempotencyKey: null,
    ...changes,
  }
}

test('the last id of a millisecond sorts after every id of it and before the next', () => {
  const ids = [NOW_MS, NOW_MS + 1].map((msecs) => uuidToBytes(uuidV7({ msecs })))
  const last = lastIdAt(NOW_MS)
  expect(Buffer.compare(ids[0] as Uint8Array, last)).toBeLessThan(0)
  expect(Buffer.compare(last, ids[1] as Uint8Array)).toBeLessThan(0)
})

describe.each(doors.filter(({ isAvailable }) => isAvailable))('counts on $name', ({ open }) => {
  let door: Door
  beforeAll(async () => {
    door = await open()
    await migrate(door.db, { migrations: await readMigrations() })
  })
  afterAll(() => door?.close())

  const ratings = () => createRatingStore(door.db, () => NOW_MS)
  const fill = (acc_nbr: string, count: number, fromMs: number, userId?: string) =>
    insertRatings(door.db, acc_nbr, { count, fromMs, ...(userId !== undefined && { userId }) })
  const fold = (acc_nbr: string, nowMs = NOW_MS, db: Db = door.db) =>
    foldAccount(db, acc_nbr, nowMs, small)
  const exact = async (acc_nbr: string) => {
    const { rows } = await door.db.query(
      'select count(*) as row_count from ratings where acc_nbr = ?',
      [acc_nbr],
    )
    return rows[0]?.row_count
  }
  const tailOf = async (acc_nbr: string) =>
    (await countAccount(door.db, acc_nbr, { settledId: lastIdAt(0), countMax: 100_000 }))?.tail

  test('folding changes no count, only how many ratings are behind the mark', async () => {
    await fill('1', 30, LONG_AGO_MS)
    await fill('1', 5, NOW_MS - 1000)
    const before = await ratings().countsOfAccount('1', all)
    expect(await fold('1')).toBe(30)
    expect(await tailOf('1')).toBe(5)
    expect(await ratings().countsOfAccount('1', all)).toEqual(before)
    expect(before.count).toBe(35)
  })

  test('the mark never comes closer to now than the delay, so a slow submission is still counted', async () => {
    await fill('2', 3, NOW_MS - FOLD_DELAY_MS - 10)
    await fold('2')
    await fill('2', 1, NOW_MS - FOLD_DELAY_MS + 1)
    expect((await ratings().countsOfAccount('2', all)).count).toBe(4)
    expect(await fold('2')).toBe(0)
  })

  test('ten folders at once count nothing twice', async () => {
    await fill('3', 40, LONG_AGO_MS)
    const folded = await Promise.all(Array.from({ length: 10 }, () => fold('3').catch(() => 0)))
    expect(folded.reduce((sum: number, each) => sum + (each ?? 0), 0)).toBe(40)
    expect((await ratings().countsOfAccount('3', all)).count).toBe(40)
  })

  test('a reader that meets a long tail folds it', async () => {
    const count = countLimits.tailMax + 1
    await fill('4', count, LONG_AGO_MS)
    expect((await ratings().countsOfAccount('4', all)).count).toBe(count)
    expect(await tailOf('4')).toBe(0)
    expect((await ratings().countsOfAccount('4', all)).count).toBe(count)
  })

  test('deleting before and behind the mark keeps every count right', async () => {
    const userId = uuidV7()
    await fill('5', 6, LONG_AGO_MS, userId)
    await fill('5', 4, LONG_AGO_MS + 500)
    await fold('5')
    await fill('5', 3, NOW_MS - 1000, userId)
    await createRatingEraser(door.db).forgetAuthor(userId, 'delete')
    const counts = await ratings().countsOfAccount('5', all)
    expect(counts.count).toBe(4)
    expect(counts.grades.grade2).toEqual({ '5': 4 })
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('ratings kept without their author still count, and belong to nobody', async () => {
    const userId = uuidV7()
    await fill('6', 3, LONG_AGO_MS, userId)
    await createRatingEraser(door.db).forgetAuthor(userId, 'keep-anonymous')
    expect((await ratings().countsOfAccount('6', all)).count).toBe(3)
    expect(await ratings().scoresByAuthor(userId, { before: null, limit: 10 })).toEqual([])
  })

  test('deleting and folding at once stay exact', async () => {
    const userId = uuidV7()
    await fill('7', 20, LONG_AGO_MS, userId)
    await fill('7', 20, LONG_AGO_MS + 500)
    const other = await door.again()
    await Promise.all([
      createRatingEraser(door.db).forgetAuthor(userId, 'delete'),
      fold('7', NOW_MS, other),
      fold('7', NOW_MS, other),
    ])
    expect((await ratings().countsOfAccount('7', all)).count).toBe(20)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('a wrong count is found, and a rebuild mends it', async () => {
    await fill('8', 10, LONG_AGO_MS)
    await foldAll(door.db, () => NOW_MS, quiet, small)
    await door.db.query('update rating_folds set counts = ? where acc_nbr = ?', [
      '{"count":11,"grades":{"grade1":{"1":11},"grade2":{},"grade3":{}}}',
      '8',
    ])
    expect(await verifyCounts(door.db, quiet)).toEqual(['8'])
    await rebuildCounts(door.db, () => NOW_MS, quiet)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
    expect((await ratings().countsOfAccount('8', all)).count).toBe(10)
  })

  test('retention clears codes, counters and sessions that are spent, and keeps the others', async () => {
    const counters = createCounterStore(door.db, randomBytes(32))
    const claims = createCodeClaimStore(door.db)
    for (const [name, atMs] of [
      ['old', NOW_MS - 2000],
      ['new', NOW_MS],
    ] as const) {
      await counters.increment(name, { lengthMs: 1000, atMs })
      const digest = createHash('sha256').update(name).digest()
      await claims.claim(digest, { nonceDigest: digest, atMs })
    }
    expect(await deleteSpent(door.db, NOW_MS - 1000)).toBe(2)
    expect(await deleteSpent(door.db, NOW_MS - 1000)).toBe(0)
    expect(await counters.increment('new', { lengthMs: 1000, atMs: NOW_MS })).toBe(2)
    expect(await counters.increment('old', { lengthMs: 1000, atMs: NOW_MS - 2000 })).toBe(1)
  })

  test('folded counts whose ratings are gone are found as well', async () => {
    await door.db.query(
      'insert into rating_folds (acc_nbr, folded_through, counts, version) values (?, ?, ?, 1)',
      ['gone', lastIdAt(NOW_MS), '{"count":1,"grades":{"grade1":{"1":1},"grade2":{},"grade3":{}}}'],
    )
    expect(await verifyCounts(door.db, quiet)).toEqual(['gone'])
    await rebuildCounts(door.db, () => NOW_MS, quiet)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('an account whose last rating went leaves nothing behind', async () => {
    const userId = uuidV7()
    await fill('10', 3, LONG_AGO_MS, userId)
    await fold('10')
    await createRatingEraser(door.db).forgetAuthor(userId, 'delete')
    const { rows } = await door.db.query('select acc_nbr from rating_folds where acc_nbr = ?', [
      '10',
    ])
    expect(rows).toEqual([])
    await fill('10', 2, LONG_AGO_MS)
    expect((await ratings().countsOfAccount('10', all)).count).toBe(2)
  })

  test('a fold that a deletion overtook changes nothing', async () => {
    const [first] = await fill('11', 5, LONG_AGO_MS)
    const other = await door.again()
    // The folder is held up after it has counted: in between a rating goes.
    const slow: Db = {
      ...door.db,
      transaction: (work) => door.db.transaction(work),
      close: () => door.db.close(),
      query: async (sql, parameters) => {
        if (sql.startsWith('update rating_folds')) {
          await deleteRatings(other, '11', [first as Uint8Array])
        }
        return door.db.query(sql, parameters)
      },
    }
    expect(await fold('11', NOW_MS, slow)).toBeUndefined()
    expect((await ratings().countsOfAccount('11', all)).count).toBe(4)
    expect(await fold('11')).toBe(4)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('retention deletes what is old, in batches, and nothing else', async () => {
    const dayMs = 24 * 60 * 60 * 1000
    await fill('9', 12, NOW_MS - 400 * dayMs)
    await fold('9', NOW_MS - 390 * dayMs)
    await fill('9', 7, NOW_MS - 300 * dayMs)
    expect(await deleteOlderThan(door.db, NOW_MS - 365 * dayMs, quiet)).toBe(12)
    expect(await exact('9')).toBe(7)
    expect((await ratings().countsOfAccount('9', all)).count).toBe(7)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  describe('whatever the clocks of instances and laptops say', () => {
    const askew = (aheadMs: number) => () => Date.now() + aheadMs
    const SECOND_MS = 1000
    const MINUTE_MS = 60 * SECOND_MS

    test('folders and writers minutes apart leave every count that of the rows', async () => {
      const account = '20'
      await fill(account, 5, Date.now() - 10 * MINUTE_MS)
      const writers = [0, -MINUTE_MS, -10 * MINUTE_MS, 10 * MINUTE_MS].map((aheadMs) =>
        createRatingStore(door.db, askew(aheadMs), small),
      )
      const folders = [MINUTE_MS, 121 * SECOND_MS, 10 * MINUTE_MS].map(askew)
      for (let round = 1; round <= 3; round++) {
        for (const writer of writers) await writer.addScore(newScore(account))
        for (const now of folders) {
          await foldAccount(door.db, account, now(), small)
          await createRatingStore(door.db, now, small).countsOfAccount(account, all)
        }
        expect((await ratings().countsOfAccount(account, all)).count).toBe(5 + round * 4)
      }
      expect(await exact(account)).toBe(17)
      expect(await verifyCounts(door.db, quiet)).toEqual([])
      // Somebody did fold: the five that were old enough.
      expect(await tailOf(account)).toBe(12)
    })

    test('a rating lies in the list at the time it came, by the database’s clock', async () => {
      const account = '21'
      for (const aheadMs of [-10 * MINUTE_MS, 10 * MINUTE_MS, 0]) {
        await createRatingStore(door.db, askew(aheadMs)).addScore(newScore(account))
        const [newest] = await ratings().scoresOfAccount(account, all, { before: null, limit: 1 })
        expect(Math.abs((newest?.insertTimeMs ?? 0) - Date.now())).toBeLessThan(31 * SECOND_MS)
        expect(parseInt((newest?.id ?? '').replaceAll('-', '').slice(0, 12), 16)).toBe(
          newest?.insertTimeMs,
        )
      }
    })

    test('a submission is one statement; only from a clock far off are there more', async () => {
      for (const [aheadMs, expected] of [
        [-20 * SECOND_MS, 1],
        [-10 * MINUTE_MS, 3],
      ] as const) {
        const { db, statements } = recordStatements(door.db)
        await createRatingStore(db, askew(aheadMs)).addScore(newScore('22'))
        expect(statements).toHaveLength(expected)
      }
    })
  })

  describe('a busy account', () => {
    const low = {
      ...countLimits,
      tailMax: 20,
      foldChunk: 50,
      countMax: 100,
      ownMax: 20,
      sinceMax: 30,
    }
    const summary = async (account: string, db: Db = door.db, now = Date.now, limits = low) => {
      const { db: recorded, statements } = recordStatements(db)
      const { count } = await createRatingStore(recorded, now, limits).countsOfAccount(account, all)
      return { count, statements: statements.map(({ sql }) => sql.trim().split(' ', 1)[0]) }
    }

    test('a summary is one statement however many ratings came just now, one more when it folds', async () => {
      const account = '30'
      await fill(account, 40, LONG_AGO_MS)
      await foldAccount(door.db, account, Date.now(), low)
      await fill(account, 60, Date.now() - 1000)
      for (let again = 0; again < 2; again++) {
        expect(await summary(account)).toEqual({ count: 100, statements: ['select'] })
      }
      await fill(account, 21, LONG_AGO_MS + 1000)
      await door.db.query('update rating_folds set folded_through = ? where acc_nbr = ?', [
        lastIdAt(LONG_AGO_MS + 500),
        account,
      ])
      expect(await summary(account)).toEqual({ count: 121, statements: ['select', 'update'] })
      expect(await summary(account)).toEqual({ count: 121, statements: ['select'] })
      expect(await tailOf(account)).toBe(60)
      expect(await verifyCounts(door.db, quiet)).toEqual([])
    })

    test('readers at once that all fold count nothing twice', async () => {
      const account = '31'
      await fill(account, 30, LONG_AGO_MS)
      await foldAccount(door.db, account, Date.now(), low)
      await fill(account, 30, LONG_AGO_MS + 2 * FOLD_DELAY_MS)
      await door.db.query('update rating_folds set folded_through = ? where acc_nbr = ?', [
        lastIdAt(LONG_AGO_MS + FOLD_DELAY_MS),
        account,
      ])
      const counts = await Promise.all(Array.from({ length: 10 }, () => summary(account)))
      expect(counts.map(({ count }) => count)).toEqual(Array(10).fill(60))
      expect(await verifyCounts(door.db, quiet)).toEqual([])
    })

    test('an account too large to be counted at once is folded in steps and answered', async () => {
      await fill('32', 420, LONG_AGO_MS)
      expect((await summary('32')).count).toBe(420)
      expect(await tailOf('32')).toBe(0)
      expect((await summary('32')).count).toBe(420)
      expect(await verifyCounts(door.db, quiet)).toEqual([])
    })

    test('a tail that nobody can count in time is folded in steps and answered', async () => {
      const account = '33'
      await fill(account, 30, LONG_AGO_MS - 1000)
      await foldAccount(door.db, account, LONG_AGO_MS - 500 + FOLD_DELAY_MS, low)
      await fill(account, 420, LONG_AGO_MS)
      const slow: Db = {
        ...door.db,
        transaction: (work) => door.db.transaction(work),
        close: () => door.db.close(),
        query: async (sql, parameters) => {
          const isCount = sql.startsWith('select f.counts')
          if (isCount && ((await tailOf(account)) ?? 0) > low.countMax) {
            throw new DbError('timeout', { outcome: 'none' })
          }
          return door.db.query(sql, parameters)
        },
      }
      expect((await summary(account, slow)).count).toBe(450)
      expect(await tailOf(account)).toBe(0)
      expect(await verifyCounts(door.db, quiet)).toEqual([])
    })

    test('a caller whose time runs out leaves the next one less to do', async () => {
      const account = '34'
      await fill(account, 420, LONG_AGO_MS)
      let left = 9
      const impatient: Db = {
        ...door.db,
        transaction: (work) => door.db.transaction(work),
        close: () => door.db.close(),
        query: async (sql, parameters) => {
          if (left-- <= 0) throw new DbError('timeout', { outcome: 'none' })
          return door.db.query(sql, parameters)
        },
      }
      await expect(summary(account, impatient)).rejects.toThrow('timeout')
      expect(await tailOf(account)).toBeLessThan(420)
      expect((await summary(account)).count).toBe(420)
    })

    test('more than fits one statement within the delay is still answered exactly', async () => {
      const account = '35'
      await fill(account, 150, Date.now() - 1000)
      expect((await summary(account)).count).toBe(150)
    })

    test('a small account has no folded counts, whoever folds or reads', async () => {
      const account = '36'
      await fill(account, 20, LONG_AGO_MS)
      await foldAll(door.db, Date.now, quiet, low)
      expect((await summary(account)).count).toBe(20)
      const { rows } = await door.db.query('select acc_nbr from rating_folds where acc_nbr = ?', [
        account,
      ])
      expect(rows).toEqual([])
    })

    test('of one’s own ratings of an account the newest are counted, and the answer says so', async () => {
      const userId = uuidV7()
      const own = { kind: 'author', userId } as const
      const store = createRatingStore(door.db, Date.now, low)
      await fill('37', low.ownMax - 1, LONG_AGO_MS, userId)
      await fill('37', 10, LONG_AGO_MS)
      expect(await store.countsOfAccount('37', own)).toMatchObject({ count: low.ownMax - 1 })
      expect(await store.countsOfAccount('37', own)).not.toHaveProperty('isNewestOnly')
      await fill('37', 10, LONG_AGO_MS + 1000, userId)
      const counts = await store.countsOfAccount('37', own)
      expect(counts).toMatchObject({ count: low.ownMax, isNewestOnly: true })
      const since = { kind: 'since', sinceMs: LONG_AGO_MS + 1000 } as const
      expect(await store.countsOfAccount('37', since)).toMatchObject({ count: 10 })
      await fill('37', 20, LONG_AGO_MS + 2000)
      expect(await store.countsOfAccount('37', since)).toMatchObject({
        count: low.sinceMax,
        isNewestOnly: true,
      })
    })
  })

  test('retention takes small accounts together, folded and large ones by themselves, and keeps what is new', async () => {
    const dayMs = 24 * 60 * 60 * 1000
    const [old, recent] = [NOW_MS - 400 * dayMs, NOW_MS - 300 * dayMs]
    for (let index = 0; index < 10; index++) {
      await fill(`small-${index}`, 3, old)
      await fill(`small-${index}`, 2, recent)
    }
    await fill('small-folded', 3, old)
    await fill('small-folded', 2, recent)
    await fold('small-folded', NOW_MS - 200 * dayMs)
    await fill('large', 1100, old)
    await fill('large', 2, recent)
    expect(await deleteOlderThan(door.db, NOW_MS - 365 * dayMs, quiet)).toBe(10 * 3 + 3 + 1100)
    for (const account of ['small-0', 'small-9', 'small-folded', 'large']) {
      expect(await exact(account)).toBe(2)
      expect((await ratings().countsOfAccount(account, all)).count).toBe(2)
    }
    expect(await verifyCounts(door.db, quiet)).toEqual([])
    const { rows } = await door.db.query(
      'select acc_nbr from rating_folds where acc_nbr > ? and acc_nbr < ?',
      ['small-', 'small-a'],
    )
    expect(rows).toEqual([])
    expect(await deleteOlderThan(door.db, NOW_MS - 365 * dayMs, quiet)).toBe(0)
  })

  test('an account that is folded while retention goes over it stays exact', async () => {
    await fill('both-1', 30, LONG_AGO_MS)
    await fill('both-2', 30, LONG_AGO_MS)
    const other = await door.again()
    let isFolded = false
    const overtaken: Db = {
      ...door.db,
      close: () => door.db.close(),
      query: (sql, parameters) => door.db.query(sql, parameters),
      transaction: async (work) => {
        if (!isFolded) {
          isFolded = true
          await fold('both-1', NOW_MS, other)
        }
        return door.db.transaction(work)
      },
    }
    await deleteOlderThan(overtaken, LONG_AGO_MS + 10, quiet)
    for (const account of ['both-1', 'both-2']) {
      expect(await exact(account)).toBe(20)
      expect((await ratings().countsOfAccount(account, all)).count).toBe(20)
    }
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })
})
