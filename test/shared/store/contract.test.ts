import { createHash, randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { NewScore, PersonStore, RatingStore } from '../../../shared/ports.ts'
import { createCounterStore } from '../../../shared/store/counters.ts'
import type { Db } from '../../../shared/store/db.ts'
import { foldAccount } from '../../../shared/store/folds.ts'
import { createPersonStore } from '../../../shared/store/people.ts'
import { createRatingStore } from '../../../shared/store/ratings.ts'
import { recordStatements } from '../../support/recording-db.ts'
import { type Door, doors } from '../../support/store-doors.ts'
import { insertRatingAsBefore } from '../../support/stored-rating.ts'
import { readVectors } from '../../support/vectors.ts'

const texts = readVectors<{ cases: { id: string; s?: string }[] }>('texts-extra').cases

/** Each rating a millisecond after the one before, as the order of a list goes by milliseconds. */
let lastMs = Date.now()
function tick(): number {
  lastMs = Math.max(lastMs + 1, Date.now())
  return lastMs
}

function newScore(changes: Partial<NewScore> = {}): NewScore {
  return {
    acc_nbr: '13800138000',
    grade1: 5,
    grade2: 4,
    grade3: null,
    txt1: 'a',
    txt2: '',
    txt3: '😀',
    userId: uuidV7(),
    idempotencyKey: null,
    ...changes,
  }
}

/** What counters know their keys under. */
const secret = randomBytes(32)
const everything = { before: null, limit: 1000 }
const all = { kind: 'all' } as const

describe.each(doors.filter(({ isAvailable }) => isAvailable))('the store on $name', ({ open }) => {
  let door: Door
  let store: RatingStore
  let people: PersonStore
  beforeAll(async () => {
    door = await open()
    await migrate(door.db, { migrations: await readMigrations() })
    store = createRatingStore(door.db, tick)
    people = createPersonStore(door.db)
  })
  afterAll(() => door?.close())

  const add = async (score: NewScore): Promise<string> => {
    const added = await store.addScore(score)
    if (added.result !== 'added') throw new Error(added.result)
    return added.id
  }
  const signIn = (openid: string, appid = 'wxapp') =>
    people.identify({ appid, openid, atMs: Date.now() })

  describe('people', () => {
    test('an openid is the same user at every login, in its own mini program only', async () => {
      const first = await signIn('oPerson')
      expect(await signIn('oPerson')).toEqual(first)
      expect(await signIn('oPerson', 'wxother')).not.toEqual(first)
    })

    test('openids that differ in letter case are different people', async () => {
      expect(await signIn('oCaseA')).not.toEqual(await signIn('ocaseA'))
    })

    test('ten first logins at once make one user', async () => {
      const users = await Promise.all(Array.from({ length: 10 }, () => signIn('oTenAtOnce')))
      expect(new Set(users).size).toBe(1)
    })
  })

  describe('what is kept of a person', () => {
    const login = (
      openid: string,
      sessionKey: { sealed: Uint8Array; digest: Uint8Array } | null = null,
    ) =>
      people.noteLogin({
        appid: 'wxapp',
        openid,
        unionid: null,
        sessionKeyOf: () => sessionKey,
        atMs: 1,
      })
    const newPerson = () => login(`o${uuidV7()}`)
    const key = (name: string) => ({
      sealed: Buffer.from(`sealed ${name} ${Math.random()}`),
      digest: createHash('sha256').update(name).digest(),
    })

    test('the last three session keys are kept, newest first, and a repeated one pushes nothing out', async () => {
      const openid = `o${uuidV7()}`
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(key)
      for (const each of [a, b, c, d, key('d'), null]) await login(openid, each ?? null)
      const userId = await login(openid)
      const texts = (await people.sessionKeys(userId)).map((each) => Buffer.from(each).toString())
      expect(texts).toEqual([d, c, b].map((each) => each?.sealed.toString()))
    })

    test('a resealed key replaces exactly the old spelling', async () => {
      const openid = `o${uuidV7()}`
      const [a, b] = [key('a'), key('b')]
      await login(openid, a)
      const userId = await login(openid, b)
      await people.resealSessionKey(userId, a.sealed, Buffer.from('new'))
      const texts = (await people.sessionKeys(userId)).map((each) => Buffer.from(each).toString())
      expect(texts).toEqual([b.sealed.toString(), 'new'])
    })

    test('a number has one holder: the last who proved it', async () => {
      const [first, second] = [await newPerson(), await newPerson()]
      const digest = createHash('sha256').update('13800138000').digest()
      for (const userId of [first, second]) {
        await people.bindPhone({ userId, sealed: Buffer.from(userId), digest, atMs: 1 })
      }
      expect(await people.phone(first)).toBeUndefined()
      expect((await people.phone(second))?.isProved).toBe(true)
    })

    test('two people proving the same number at once leave one holder', async () => {
      const users = [await newPerson(), await newPerson()]
      const digest = createHash('sha256').update('13900139000').digest()
      const sealed = Buffer.from('sealed')
      await Promise.all(
        users.map((userId) => people.bindPhone({ userId, sealed, digest, atMs: 1 })),
      )
      const held = await Promise.all(users.map((userId) => people.phone(userId)))
      expect(held.filter((phone) => phone?.isProved)).toHaveLength(1)
    })

    test('a number nobody vouched for never replaces a proved one', async () => {
      const userId = await newPerson()
      await people.notePhone(userId, Buffer.from('noted'))
      expect(await people.phone(userId)).toMatchObject({ isProved: false })
      const digest = createHash('sha256').update('1').digest()
      await people.bindPhone({ userId, sealed: Buffer.from('proved'), digest, atMs: 1 })
      await people.notePhone(userId, Buffer.from('noted again'))
      const phone = await people.phone(userId)
      expect([Buffer.from(phone?.sealed ?? '').toString(), phone?.isProved]).toEqual([
        'proved',
        true,
      ])
    })

    test('counters count within their window, and start anew with the next', async () => {
      const counters = createCounterStore(door.db, randomBytes(32))
      const window = { lengthMs: 1000, atMs: 10_500 }
      const counts = []
      for (let index = 0; index < 3; index++) counts.push(await counters.increment('c', window))
      await counters.decrement('c', window)
      counts.push(await counters.increment('c', window))
      counts.push(await counters.increment('c', { ...window, atMs: 11_000 }))
      expect(counts).toEqual([1, 2, 3, 3, 1])
    })

    test('counting takes one statement, first or not, in a new window or not', async () => {
      const { db, statements } = recordStatements(door.db)
      const counters = createCounterStore(db, secret)
      const asked = []
      for (const atMs of [1000, 1001, 2000]) {
        statements.length = 0
        await counters.increment('statements', { lengthMs: 1000, atMs }, 3)
        asked.push(statements.length)
      }
      expect(asked).toEqual([1, 1, 1])
    })

    test('counters count where the database does not pass on what it was handed', async () => {
      const { db } = door
      const query: Db['query'] = async (...asked) => ({
        ...(await db.query(...asked)),
        lastInsertId: 0,
      })
      const counters = createCounterStore({ ...db, query }, randomBytes(32))
      const window = { lengthMs: 1000, atMs: 10_500 }
      expect(await counters.increment('c', window, 2)).toBe(2)
      expect(await counters.increment('c', window)).toBe(3)
    })

    test('twenty who count at once are each told another count', async () => {
      const window = { lengthMs: 1000, atMs: 10_500 }
      const others = await Promise.all([door.again(), door.again()])
      const counts = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          createCounterStore(others[index % 2] ?? door.db, secret).increment('at once', window),
        ),
      )
      expect(new Set(counts).size).toBe(20)
      expect(Math.max(...counts)).toBe(20)
    })
  })

  describe('ratings', () => {
    test('every column comes back as it was given', async () => {
      const score = newScore({ acc_nbr: '20001' })
      const id = await add(score)
      const addedMs = lastMs
      const { userId: _user, idempotencyKey: _key, ...expected } = score
      const [stored, ...others] = await store.scoresOfAccount('20001', all, everything)
      expect(others).toEqual([])
      const { insertTimeMs, ...columns } = stored ?? { insertTimeMs: 0 }
      expect(columns).toEqual({ ...expected, id })
      expect(insertTimeMs).toBe(addedMs)
      // The id carries the same time.
      expect(parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(insertTimeMs)
    })

    test.each([
      ['smallest', -32768],
      ['largest', 32767],
      ['zero', 0],
      ['none', null],
    ])('grades at their extremes: %s', async (name, grade) => {
      const acc_nbr = `extreme-${name}`
      await store.addScore(newScore({ acc_nbr, grade1: grade, grade2: grade, grade3: grade }))
      const [stored] = await store.scoresOfAccount(acc_nbr, all, everything)
      expect(stored).toMatchObject({ grade1: grade, grade2: grade, grade3: grade })
    })

    test('texts of every kind are stored byte for byte', async () => {
      const strings = texts.flatMap(({ s }) => (s?.isWellFormed() ? [s] : []))
      strings.push("'", '\\', "\\'", '?', ':a', '%', '_', '\u001a', '"', '`', '\\0', '\\\\n', "''")
      for (const txt1 of strings) {
        const acc_nbr = 'texts'
        const id = await add(newScore({ acc_nbr, txt1, txt2: txt1, txt3: txt1 }))
        const [stored] = await store.scoresOfAccount(acc_nbr, all, { before: null, limit: 1 })
        expect(stored).toMatchObject({ id, txt1, txt2: txt1, txt3: txt1 })
      }
      expect(await store.scoresOfAccount('texts', all, everything)).toHaveLength(strings.length)
    })

    test('a text of 16 KB fits', async () => {
      const txt1 = '汉'.repeat(5000)
      await store.addScore(newScore({ acc_nbr: 'long', txt1 }))
      expect((await store.scoresOfAccount('long', all, everything))[0]?.txt1).toBe(txt1)
    })

    test('pages are newest first and continue exactly where the last one ended', async () => {
      const acc_nbr = '20002'
      const ids: string[] = []
      for (let index = 0; index < 7; index++) {
        ids.unshift(await add(newScore({ acc_nbr })))
      }
      const page = async (before: string | null) =>
        (await store.scoresOfAccount(acc_nbr, all, { before, limit: 3 })).map(({ id }) => id)
      expect(await page(null)).toEqual(ids.slice(0, 3))
      expect(await page(ids[2] ?? null)).toEqual(ids.slice(3, 6))
      expect(await page(ids[5] ?? null)).toEqual(ids.slice(6))
      expect(await page(ids[6] ?? null)).toEqual([])
    })

    test('what is newer than a rating comes newest first, in pages too, and the rating itself does not', async () => {
      const acc_nbr = '20006'
      const ids: string[] = []
      for (let index = 0; index < 5; index++) {
        ids.unshift(await add(newScore({ acc_nbr })))
      }
      const [newest, , , fourth = ''] = ids
      const page = async (before: string | null, after: string, limit = 10) =>
        (await store.scoresOfAccount(acc_nbr, all, { before, after, limit })).map(({ id }) => id)
      expect(await page(null, fourth)).toEqual(ids.slice(0, 3))
      expect(await page(null, fourth, 2)).toEqual(ids.slice(0, 2))
      expect(await page(ids[1] ?? '', fourth, 2)).toEqual(ids.slice(2, 3))
      expect(await page(null, newest ?? '')).toEqual([])
    })

    test('an author’s scope holds their ratings and no others', async () => {
      const [mine, theirs] = [uuidV7(), uuidV7()]
      const acc_nbr = '20003'
      for (const userId of [mine, theirs, mine]) await store.addScore(newScore({ acc_nbr, userId }))
      await store.addScore(newScore({ acc_nbr: '20004', userId: mine }))
      const scope = { kind: 'author', userId: mine } as const
      expect(await store.scoresOfAccount(acc_nbr, scope, everything)).toHaveLength(2)
      expect(await store.scoresByAuthor(mine, everything)).toHaveLength(3)
      expect((await store.countsOfAccount(acc_nbr, scope)).count).toBe(2)
      expect((await store.countsOfAccount(acc_nbr, all)).count).toBe(3)
    })

    test('the scope since a moment holds what came from then on, folded or not', async () => {
      const acc_nbr = '20013'
      const times = [1000, 2000, 3000, 3000, 4000].map((ms) => Date.UTC(2026, 0, 1) + ms)
      const added = []
      for (const insertTimeMs of times) {
        const { id } = await insertRatingAsBefore(door.db, insertTimeMs, newScore({ acc_nbr }))
        added.unshift(id)
      }
      await foldAccount(door.db, acc_nbr, Date.now())
      const scope = { kind: 'since', sinceMs: times[2] ?? 0 } as const
      const { count, grades } = await store.countsOfAccount(acc_nbr, scope)
      expect([count, grades.grade2]).toEqual([3, { '4': 3 }])
      const ids = (await store.scoresOfAccount(acc_nbr, scope, everything)).map(({ id }) => id)
      expect(new Set(ids)).toEqual(new Set(added.slice(0, 3)))
      const later = { kind: 'since', sinceMs: (times[4] ?? 0) + 1 } as const
      expect((await store.countsOfAccount(acc_nbr, later)).count).toBe(0)
    })

    test('counts are exact and leave out grades that were not given', async () => {
      const acc_nbr = '20005'
      for (const grade1 of [1, 5, 5]) await store.addScore(newScore({ acc_nbr, grade1 }))
      expect(await store.countsOfAccount(acc_nbr, all)).toEqual({
        count: 3,
        grades: { grade1: { '1': 1, '5': 2 }, grade2: { '4': 3 }, grade3: {} },
      })
      expect((await store.countsOfAccount('nobody', all)).count).toBe(0)
    })

    test('an account number that is not a string of its own matches nothing', async () => {
      await store.addScore(newScore({ acc_nbr: 'abc' }))
      for (const acc_nbr of ['0', 'ABC', ' abc', 'ab_', '%']) {
        expect(await store.scoresOfAccount(acc_nbr, all, everything)).toEqual([])
      }
    })
  })

  describe('exactly once', () => {
    test('what the release before stored is known under its key, and its rows without a key stay apart', async () => {
      const keyed = newScore({ acc_nbr: '30000', idempotencyKey: 'k' })
      const { id } = await insertRatingAsBefore(door.db, Date.now(), keyed)
      expect(await store.addScore(keyed)).toEqual({ result: 'same', id })
      expect(await store.addScore({ ...keyed, grade1: 1 })).toEqual({ result: 'conflict' })
      const keyless = { ...keyed, idempotencyKey: null }
      for (let copy = 0; copy < 2; copy++) {
        await insertRatingAsBefore(door.db, Date.now(), keyless)
        await add(keyless)
      }
      expect(await store.scoresOfAccount('30000', all, everything)).toHaveLength(5)
    })

    test('without a key nothing is stored beside the rating itself', async () => {
      await add(newScore({ acc_nbr: '30006' }))
      const { rows } = await door.db.query(
        'select idempotency_key, content_hash from ratings where acc_nbr = ?',
        ['30006'],
      )
      expect(rows).toEqual([{ idempotency_key: null, content_hash: null }])
    })

    test('the same key and content yield one row and the first id', async () => {
      const first = newScore({ acc_nbr: '30001', idempotencyKey: 'k' })
      const id = await add(first)
      expect(await store.addScore({ ...first })).toEqual({ result: 'same', id })
      expect(await store.scoresOfAccount('30001', all, everything)).toHaveLength(1)
    })

    test('other content under the same key is a conflict and leaves the row alone', async () => {
      const first = newScore({ acc_nbr: '30002', idempotencyKey: 'k' })
      const id = await add(first)
      for (const change of [{ grade1: 1 }, { txt3: 'b' }, { grade3: 3 }]) {
        const other = { ...first, ...change }
        expect(await store.addScore(other)).toEqual({ result: 'conflict' })
      }
      expect(await store.scoresOfAccount('30002', all, everything)).toMatchObject([{ id }])
    })

    test('twenty copies at once yield one row', async () => {
      const first = newScore({ acc_nbr: '30003', idempotencyKey: 'k' })
      const copies = Array.from({ length: 20 }, () => ({ ...first }))
      const answers = await Promise.all(copies.map((copy) => store.addScore(copy)))
      expect(new Set(answers.map((answer) => ('id' in answer ? answer.id : ''))).size).toBe(1)
      expect(answers.filter(({ result }) => result === 'added')).toHaveLength(1)
      expect(await store.scoresOfAccount('30003', all, everything)).toHaveLength(1)
    })

    test('keys are told apart by letter case, person and account', async () => {
      const first = newScore({ acc_nbr: '30004', idempotencyKey: 'key' })
      const others = [{ idempotencyKey: 'KEY' }, { userId: uuidV7() }, { acc_nbr: '30005' }]
      for (const other of [{}, ...others]) {
        const score = { ...first, ...other }
        expect((await store.addScore(score)).result).toBe('added')
      }
    })
  })
})
