/** How often one person may rate one account, on every database: exact, whoever submits at once and whatever is folded. */

import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { verifyCounts } from '../../../scripts/database/maintenance.ts'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { NewScore, RatingPolicy, RatingStore } from '../../../shared/ports.ts'
import { countLimits, foldAccount } from '../../../shared/store/folds.ts'
import { createRatingEraser } from '../../../shared/store/rating-erasure.ts'
import { createRatingStore } from '../../../shared/store/ratings.ts'
import { recordStatements } from '../../support/recording-db.ts'
import { type Door, doors } from '../../support/store-doors.ts'
import { insertRatings } from '../../support/stored-rating.ts'

const once: RatingPolicy = { atMost: 1, per: 'ever', further: 'refuse' }
const latest: RatingPolicy = { atMost: 1, per: 'ever', further: 'replace-last' }
const daily: RatingPolicy = { atMost: 1, per: 'day', further: 'refuse' }
const all = { kind: 'all' } as const
const everything = { before: null, limit: 100 }
const DAY_MS = 24 * 60 * 60 * 1000

let accounts = 0
function newScore(changes: Partial<NewScore> = {}): NewScore {
  return {
    acc_nbr: `${accounts++}`,
    grade1: 1,
    grade2: 4,
    grade3: null,
    txt1: '',
    txt2: '',
    txt3: '',
    userId: uuidV7(),
    idempotencyKey: null,
    ...changes,
  }
}

describe.each(doors.filter(({ isAvailable }) => isAvailable))('turns on $name', ({ open }) => {
  let door: Door
  let store: RatingStore
  /** The same database, as two others have it. */
  let instances: RatingStore[]
  beforeAll(async () => {
    door = await open()
    await migrate(door.db, { migrations: await readMigrations() })
    store = createRatingStore(door.db, Date.now)
    const others = await Promise.all([door.again(), door.again()])
    instances = others.map((db) => createRatingStore(db, Date.now))
  })
  afterAll(() => door?.close())

  const rowsOf = (acc_nbr: string) => store.scoresOfAccount(acc_nbr, all, everything)
  const countOf = async (acc_nbr: string) => (await store.countsOfAccount(acc_nbr, all)).count
  test('a further rating is refused, and nothing changes', async () => {
    const score = newScore()
    expect(await store.addScore(score, once)).toMatchObject({ result: 'added' })
    expect(await store.addScore({ ...score, grade1: 5 }, once)).toEqual({ result: 'refused' })
    expect(await rowsOf(score.acc_nbr)).toMatchObject([{ grade1: 1 }])
  })

  test('others, and other accounts, are not concerned', async () => {
    const score = newScore()
    const others = [{}, { userId: uuidV7() }, { acc_nbr: `${accounts++}` }]
    for (const other of others)
      expect(await store.addScore({ ...score, ...other }, once)).toMatchObject({ result: 'added' })
    expect(await countOf(score.acc_nbr)).toBe(2)
  })

  test('a further rating replaces the last, and readers see it as the newest', async () => {
    const score = newScore()
    await store.addScore(score, latest)
    await store.addScore({ ...score, userId: uuidV7() }, latest)
    const [newest] = await rowsOf(score.acc_nbr)
    for (const grade1 of [2, 3, 5]) {
      const again = await store.addScore({ ...score, grade1 }, latest)
      expect(again).toMatchObject({ result: 'added', hasReplaced: true })
    }
    const after = newest?.id ?? ''
    expect(await store.scoresOfAccount(score.acc_nbr, all, { ...everything, after })).toMatchObject(
      [{ grade1: 5 }],
    )
    expect((await store.countsOfAccount(score.acc_nbr, all)).grades.grade1).toEqual({ 1: 1, 5: 1 })
    expect(await store.scoresByAuthor(score.userId, everything)).toHaveLength(1)
  })

  test('of three in a period the fourth is refused, or replaces the third', async () => {
    const score = newScore()
    const three = { ...once, atMost: 3 }
    for (const grade1 of [1, 2, 3]) {
      expect(await store.addScore({ ...score, grade1 }, three)).toMatchObject({ result: 'added' })
      // Ids of one millisecond are in no order.
      const nowMs = Date.now()
      await vi.waitUntil(() => Date.now() > nowMs, { interval: 1 })
    }
    expect(await store.addScore({ ...score, grade1: 4 }, three)).toEqual({ result: 'refused' })
    await store.addScore({ ...score, grade1: 5 }, { ...three, further: 'replace-last' })
    expect((await rowsOf(score.acc_nbr)).map(({ grade1 }) => grade1)).toEqual([5, 2, 1])
  })

  test('the first of a person takes one statement, with a policy or without', async () => {
    const { db, statements } = recordStatements(door.db)
    for (const policy of [undefined, once, latest, daily]) {
      statements.length = 0
      await createRatingStore(db, Date.now).addScore(newScore(), policy)
      expect(statements).toHaveLength(1)
    }
  })

  test.each([
    ['refused', once],
    ['replaced', latest],
    ['refused beyond three', { ...once, atMost: 3 }],
    ['replaced beyond three', { ...latest, atMost: 3 }],
  ] as const)(
    'twenty at once on two instances leave as many as may be: %s',
    async (_what, policy) => {
      const score = newScore()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (instances[index % 2] ?? store).addScore(
            { ...score, grade1: index, idempotencyKey: `k${index}` },
            policy,
          ),
        ),
      )
      const results = answers.map(({ result }) => result)
      const { atMost } = policy
      expect(results.filter((result) => result === 'added')).toHaveLength(
        policy.further === 'refuse' ? atMost : 20,
      )
      const rows = await rowsOf(score.acc_nbr)
      expect(rows).toHaveLength(atMost)
      expect(await countOf(score.acc_nbr)).toBe(atMost)
      const told = new Set(answers.map((answer) => ('id' in answer ? answer.id : '')))
      for (const { id } of rows) expect(told).toContain(id)
    },
  )

  describe('a repetition', () => {
    test('under the same key answers the same rating, whatever the policy', async () => {
      for (const policy of [once, latest]) {
        const score = newScore({ idempotencyKey: 'k' })
        const first = await store.addScore(score, policy)
        const id = 'id' in first ? first.id : ''
        expect(await store.addScore(score, policy)).toEqual({ result: 'same', id })
        const other = { ...score, grade1: 5 }
        expect(await store.addScore(other, policy)).toEqual({ result: 'conflict' })
        expect(await rowsOf(score.acc_nbr)).toMatchObject([{ id, grade1: 1 }])
      }
    })

    test('of one that replaced another says so again', async () => {
      const score = newScore({ idempotencyKey: 'k1' })
      await store.addScore(score, latest)
      const again = { ...score, idempotencyKey: 'k2' }
      const answer = await store.addScore(again, latest)
      expect(await store.addScore(again, latest)).toEqual({ ...answer, result: 'same' })
    })

    test('that comes late does not put back what was replaced', async () => {
      const score = newScore({ idempotencyKey: 'k1' })
      const ids: string[] = []
      for (const index of [1, 2, 3, 4]) {
        const each = { ...score, grade1: index, idempotencyKey: `k${index}` }
        const answer = await store.addScore(each, latest)
        if ('id' in answer) ids.push(answer.id)
      }
      for (const index of [1, 2, 3]) {
        const late = { ...score, grade1: index, idempotencyKey: `k${index}` }
        expect(await store.addScore(late, latest)).toEqual({ result: 'same', id: ids[index - 1] })
        expect(await store.addScore({ ...late, grade1: 9 }, latest)).toEqual({ result: 'conflict' })
      }
      expect(await rowsOf(score.acc_nbr)).toMatchObject([{ id: ids[3], grade1: 4 }])
    })

    test('twenty copies at once replace once', async () => {
      const score = newScore()
      await store.addScore(score, latest)
      const again = { ...score, grade1: 5, idempotencyKey: 'k' }
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (instances[index % 2] ?? store).addScore({ ...again }, latest),
        ),
      )
      expect(
        new Set(answers.map((answer) => ('id' in answer ? answer.id : answer.result))).size,
      ).toBe(1)
      expect(await rowsOf(score.acc_nbr)).toHaveLength(1)
    })
  })

  describe('a period', () => {
    const turnOf = async (acc_nbr: string) => {
      const { rows } = await door.db.query('select turn from ratings where acc_nbr = ?', [acc_nbr])
      return rows[0]?.turn
    }

    test.each([
      // 2026-11-23, a Monday, in China.
      ['hour', Date.UTC(2026, 10, 22, 16), 60 * 60 * 1000],
      ['day', Date.UTC(2026, 10, 22, 16), DAY_MS],
      ['week', Date.UTC(2026, 10, 22, 16), 7 * DAY_MS],
    ] as const)(
      'of a %s begins when it does in China, by the database’s clock',
      async (per, one, lengthMs) => {
        const score = newScore()
        const beforeMs = Date.now()
        await store.addScore(score, { ...daily, per })
        const begin = (atMs: number) => one + Math.floor((atMs - one) / lengthMs) * lengthMs
        const expected = [beforeMs, Date.now()].map((atMs) => (begin(atMs) / 1000) * 100)
        expect(expected).toContain(await turnOf(score.acc_nbr))
      },
    )

    test('ends, and the next rating is one more', async () => {
      const score = newScore()
      await store.addScore(score, daily)
      expect(await store.addScore(score, daily)).toEqual({ result: 'refused' })
      // As if a day had passed.
      await door.db.query('update ratings set turn = turn - ? where acc_nbr = ?', [
        8_640_000,
        score.acc_nbr,
      ])
      expect(await store.addScore(score, daily)).toMatchObject({ result: 'added' })
      expect(await store.addScore(score, daily)).toEqual({ result: 'refused' })
      expect(await countOf(score.acc_nbr)).toBe(2)
    })

    test.each([
      ['ahead', DAY_MS],
      ['behind', -DAY_MS],
    ])('is the same for an instance whose clock is a day %s', async (_where, offMs) => {
      const [score, wrong] = [newScore(), createRatingStore(door.db, () => Date.now() + offMs)]
      expect(await store.addScore(score, daily)).toMatchObject({ result: 'added' })
      expect(await wrong.addScore(score, daily)).toEqual({ result: 'refused' })
      const replacing: RatingPolicy = { ...daily, further: 'replace-last' }
      expect(await wrong.addScore(score, replacing)).toMatchObject({ hasReplaced: true })
      expect(await countOf(score.acc_nbr)).toBe(1)
    })
  })

  describe('folded counts', () => {
    const LONG_AGO_MS = Date.now() - 10 * countLimits.foldDelayMs
    /** An account of folded ratings, the first of which is the person's, and has their turn. */
    async function folded(): Promise<NewScore> {
      const score = newScore({ grade1: 5, grade2: 5 })
      const { acc_nbr, userId } = score
      await insertRatings(door.db, acc_nbr, { count: 1, fromMs: LONG_AGO_MS, userId })
      await insertRatings(door.db, acc_nbr, { count: 4, fromMs: LONG_AGO_MS + 1 })
      await door.db.query('update ratings set turn = 0 where acc_nbr = ? and user_id = ?', [
        acc_nbr,
        Buffer.from(userId.replaceAll('-', ''), 'hex'),
      ])
      const limits = { ...countLimits, tailMax: 0 }
      expect(await foldAccount(door.db, acc_nbr, Date.now(), limits)).toBe(5)
      return score
    }
    const faults = () => verifyCounts(door.db, () => {})

    test('are exact after what they hold was replaced', async () => {
      const score = await folded()
      const before = await store.countsOfAccount(score.acc_nbr, all)
      expect(await store.addScore({ ...score, grade1: 77 }, latest)).toMatchObject({
        hasReplaced: true,
      })
      const after = await store.countsOfAccount(score.acc_nbr, all)
      expect([before.count, after.count]).toEqual([5, 5])
      expect(after.grades.grade1['77']).toBe(1)
      expect(await rowsOf(score.acc_nbr)).toHaveLength(5)
      expect(await faults()).toEqual([])
    })

    test('are exact when people replace, folders fold and others leave at once', async () => {
      const score = await folded()
      const { acc_nbr } = score
      const limits = { ...countLimits, tailMax: 0 }
      const [one = store, two = store] = instances
      const leaver = newScore({ acc_nbr })
      await store.addScore(leaver, latest)
      await Promise.all([
        ...Array.from({ length: 6 }, (_, index) =>
          (index % 2 ? one : two).addScore({ ...score, grade1: index }, latest),
        ),
        foldAccount(door.db, acc_nbr, Date.now(), limits).catch(() => 0),
        createRatingEraser(door.db).forgetAuthor(leaver.userId, 'delete'),
        foldAccount(door.db, acc_nbr, Date.now(), limits).catch(() => 0),
      ])
      expect(await countOf(acc_nbr)).toBe(5)
      expect(await rowsOf(acc_nbr)).toHaveLength(5)
      expect(await faults()).toEqual([])
    })
  })

  describe('who was forgotten', () => {
    test.each(['delete', 'keep-anonymous'] as const)(
      'may rate again as somebody new: %s',
      async (choice) => {
        const { acc_nbr } = newScore()
        // Two people who leave their ratings to nobody do not get into each other's way.
        for (let leavers = 0; leavers < 2; leavers++) {
          const score = newScore({ acc_nbr })
          await store.addScore(score, once)
          await createRatingEraser(door.db).forgetAuthor(score.userId, choice)
        }
        const again = newScore({ acc_nbr })
        expect(await store.addScore(again, once)).toMatchObject({ result: 'added' })
        expect(await countOf(acc_nbr)).toBe(choice === 'delete' ? 1 : 3)
      },
    )
  })

  test('without the key that keeps turns apart, twenty at once are too many', async () => {
    await door.db.query('alter table ratings drop key ratings_turns')
    const score = newScore()
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (instances[index % 2] ?? store).addScore(score, once),
      ),
    )
    expect(await countOf(score.acc_nbr)).toBe(20)
  })
})
