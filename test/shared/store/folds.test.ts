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
import { createCodeClaimStore } from '../../../shared/store/code-claims.ts'
import { createCounterStore } from '../../../shared/store/counters.ts'
import type { Db } from '../../../shared/store/db.ts'
import {
  countAccount,
  deleteRatings,
  FOLD_DELAY_MS,
  FOLD_TAIL_MAX,
  foldAccount,
  lastIdAt,
} from '../../../shared/store/folds.ts'
import { createRatingEraser } from '../../../shared/store/rating-erasure.ts'
import { createRatingStore } from '../../../shared/store/ratings.ts'
import { uuidToBytes } from '../../../shared/store/rows.ts'
import { type Door, doors } from '../../support/store-doors.ts'

const NOW_MS = Date.UTC(2026, 5, 1)
const all = { kind: 'all' } as const
function quiet(): void {}

function scoreAt(insertTimeMs: number, acc_nbr: string, changes: Partial<NewScore> = {}): NewScore {
  const grade = (insertTimeMs % 5) + 1
  return {
    id: uuidV7({ msecs: insertTimeMs }),
    acc_nbr,
    grade1: grade,
    grade2: 5,
    grade3: null,
    txt1: '',
    txt2: '',
    txt3: '',
    userId: uuidV7(),
    idempotencyKey: null,
    insertTimeMs,
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
  const fill = async (acc_nbr: string, count: number, fromMs: number, userId?: string) => {
    const scores = Array.from({ length: count }, (_, index) =>
      scoreAt(fromMs + index, acc_nbr, userId === undefined ? {} : { userId }),
    )
    await Promise.all(scores.map((score) => ratings().addScore(score)))
    return scores
  }
  const exact = async (acc_nbr: string) => {
    const { rows } = await door.db.query(
      'select count(*) as row_count from ratings where acc_nbr = ?',
      [acc_nbr],
    )
    return rows[0]?.row_count
  }
  const tailOf = async (acc_nbr: string) => (await countAccount(door.db, acc_nbr)).tail

  test('folding changes no count, only how many ratings are behind the mark', async () => {
    await fill('1', 30, NOW_MS - 10 * FOLD_DELAY_MS)
    await fill('1', 5, NOW_MS - 1000)
    const before = await ratings().countsOfAccount('1', all)
    expect(await foldAccount(door.db, '1', NOW_MS)).toBe(30)
    expect(await tailOf('1')).toBe(5)
    expect(await ratings().countsOfAccount('1', all)).toEqual(before)
    expect(before.count).toBe(35)
  })

  test('the mark never comes closer to now than the delay, so a slow submission is still counted', async () => {
    await fill('2', 3, NOW_MS - FOLD_DELAY_MS - 10)
    await foldAccount(door.db, '2', NOW_MS)
    await fill('2', 1, NOW_MS - FOLD_DELAY_MS + 1)
    expect((await ratings().countsOfAccount('2', all)).count).toBe(4)
    expect(await foldAccount(door.db, '2', NOW_MS)).toBe(0)
  })

  test('ten folders at once count nothing twice', async () => {
    await fill('3', 40, NOW_MS - 10 * FOLD_DELAY_MS)
    const folded = await Promise.all(
      Array.from({ length: 10 }, () => foldAccount(door.db, '3', NOW_MS).catch(() => 0)),
    )
    expect(folded.reduce((sum, each) => sum + each, 0)).toBe(40)
    expect((await ratings().countsOfAccount('3', all)).count).toBe(40)
  })

  test('a reader that meets a long tail folds it', async () => {
    const count = FOLD_TAIL_MAX + 1
    await fill('4', count, NOW_MS - 10 * FOLD_DELAY_MS)
    expect((await ratings().countsOfAccount('4', all)).count).toBe(count)
    expect(await tailOf('4')).toBe(0)
    expect((await ratings().countsOfAccount('4', all)).count).toBe(count)
  })

  test('deleting before and behind the mark keeps every count right', async () => {
    const userId = uuidV7()
    await fill('5', 6, NOW_MS - 10 * FOLD_DELAY_MS, userId)
    await fill('5', 4, NOW_MS - 10 * FOLD_DELAY_MS + 500)
    await foldAccount(door.db, '5', NOW_MS)
    await fill('5', 3, NOW_MS - 1000, userId)
    await createRatingEraser(door.db).forgetAuthor(userId, 'delete')
    const counts = await ratings().countsOfAccount('5', all)
    expect(counts.count).toBe(4)
    expect(counts.grades.grade2).toEqual({ '5': 4 })
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('ratings kept without their author still count, and belong to nobody', async () => {
    const userId = uuidV7()
    await fill('6', 3, NOW_MS - 10 * FOLD_DELAY_MS, userId)
    await createRatingEraser(door.db).forgetAuthor(userId, 'keep-anonymous')
    expect((await ratings().countsOfAccount('6', all)).count).toBe(3)
    expect(await ratings().scoresByAuthor(userId, { before: null, limit: 10 })).toEqual([])
  })

  test('deleting and folding at once stay exact', async () => {
    const userId = uuidV7()
    await fill('7', 20, NOW_MS - 10 * FOLD_DELAY_MS, userId)
    await fill('7', 20, NOW_MS - 10 * FOLD_DELAY_MS + 500)
    const other = await door.again()
    await Promise.all([
      createRatingEraser(door.db).forgetAuthor(userId, 'delete'),
      foldAccount(other, '7', NOW_MS),
      foldAccount(other, '7', NOW_MS),
    ])
    expect((await ratings().countsOfAccount('7', all)).count).toBe(20)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('a wrong count is found, and a rebuild mends it', async () => {
    await fill('8', 10, NOW_MS - 10 * FOLD_DELAY_MS)
    await foldAll(door.db, () => NOW_MS, quiet)
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
    const { rows } = await door.db.query('select counter_key from counters')
    expect(rows).toEqual([{ counter_key: 'new' }])
    expect(await deleteSpent(door.db, NOW_MS - 1000)).toBe(0)
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
    await fill('10', 3, NOW_MS - 10 * FOLD_DELAY_MS, userId)
    await foldAccount(door.db, '10', NOW_MS)
    await createRatingEraser(door.db).forgetAuthor(userId, 'delete')
    const { rows } = await door.db.query('select acc_nbr from rating_folds where acc_nbr = ?', [
      '10',
    ])
    expect(rows).toEqual([])
    await fill('10', 2, NOW_MS - 10 * FOLD_DELAY_MS)
    expect((await ratings().countsOfAccount('10', all)).count).toBe(2)
  })

  test('a fold that a deletion overtook changes nothing', async () => {
    const [first] = await fill('11', 5, NOW_MS - 10 * FOLD_DELAY_MS)
    const other = await door.again()
    // The folder is held up after it has counted: in between a rating goes.
    const slow: Db = {
      ...door.db,
      transaction: (work) => door.db.transaction(work),
      close: () => door.db.close(),
      query: async (sql, parameters) => {
        if (sql.startsWith('update rating_folds')) {
          await deleteRatings(other, '11', [uuidToBytes(first?.id ?? '')])
        }
        return door.db.query(sql, parameters)
      },
    }
    expect(await foldAccount(slow, '11', NOW_MS)).toBe(0)
    expect((await ratings().countsOfAccount('11', all)).count).toBe(4)
    expect(await foldAccount(door.db, '11', NOW_MS)).toBe(4)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })

  test('retention deletes what is old, in batches, and nothing else', async () => {
    const dayMs = 24 * 60 * 60 * 1000
    await fill('9', 12, NOW_MS - 400 * dayMs)
    await foldAccount(door.db, '9', NOW_MS - 390 * dayMs)
    await fill('9', 7, NOW_MS - 300 * dayMs)
    expect(await deleteOlderThan(door.db, NOW_MS - 365 * dayMs, quiet)).toBe(12)
    expect(await exact('9')).toBe(7)
    expect((await ratings().countsOfAccount('9', all)).count).toBe(7)
    expect(await verifyCounts(door.db, quiet)).toEqual([])
  })
})
