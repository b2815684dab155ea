import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb } from '../../shared/wiring/database.ts'
import { ratingForm } from '../support/forms/five-stars.ts'
import { articleForm, rating } from '../support/ratings.ts'
import { insertRatings } from '../support/stored-rating.ts'
import { type LoggedIn, startWorld, type World } from '../support/world.ts'

const ACCOUNT = '13800138000'
const form = { 'content-type': 'application/x-www-form-urlencoded' }

let world: World
let author: LoggedIn
let reader: LoggedIn
const ids: string[] = []
beforeAll(async () => {
  world = await startWorld()
  author = await world.logIn()
  reader = await world.logIn()
  for (let index = 0; index < 25; index++) {
    const body = rating({ grade1: (index % 5) + 1, acc_nbr: index < 22 ? ACCOUNT : '13900139000' })
    ids.unshift((await world.call('POST /score', { body, token: author.token })).body.id)
  }
})
afterAll(() => world?.close())

function idsOf(page: { items: { id: string }[] }) {
  return page.items.map(({ id }) => id)
}

describe('GET /score', () => {
  const own = (query: Record<string, unknown> = {}, token = author.token) =>
    world.call('GET /score', { query, token })

  test('one’s own ratings come newest first, twenty at a time', async () => {
    const first = (await own()).body
    expect(idsOf(first)).toEqual(ids.slice(0, 20))
    const second = (await own({ cursor: first.next })).body
    expect(idsOf(second)).toEqual(ids.slice(20))
    expect(second.next).toBeNull()
  })

  test('a page that ends exactly at the last rating has no next one', async () => {
    expect((await own({ limit: '25' })).body.next).toBeNull()
    expect((await own({ limit: '24' })).body.next).toEqual(expect.any(String))
  })

  test('nobody sees the ratings of others here', async () => {
    expect((await own({}, reader.token)).body).toEqual({ items: [], next: null })
  })

  test('a rating that arrives meanwhile does not shift the pages', async () => {
    const first = (await own({ limit: '10' })).body
    await world.call('POST /score', { body: rating({ acc_nbr: '10000' }), token: author.token })
    expect(idsOf((await own({ limit: '10', cursor: first.next })).body)).toEqual(ids.slice(10, 20))
  })

  test.each([
    ['limit', '0'],
    ['limit', '101'],
    ['limit', 'ten'],
    ['limit', '1e1'],
    ['limit', ['1', '2']],
    ['limit', true],
    ['cursor', 'x'],
    ['cursor', 'AAAAAAAAAAAAAAAAAAAAAA'],
    ['cursor', ['a', 'b']],
    ['cursor', '!!!!!!!!!!!!!!!!!!!!!!'],
  ])('%s=%j is refused by name', async (field, value) => {
    expect(await own({ [field]: value })).toMatchObject({ status: 400, body: { field } })
  })
})

describe('POST /query', () => {
  const query = (body: unknown, token = author.token, headers = {}) =>
    world.call('POST /query', { body, token, headers })

  test('the author of ratings reads them by account', async () => {
    const first = (await query({ acc_nbr: ACCOUNT })).body
    expect(first.items).toHaveLength(20)
    expect(first.items[0]).toEqual({
      ...rating({ grade1: 2 }),
      id: ids[3],
      insert_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    const second = (await query({ acc_nbr: ACCOUNT, cursor: first.next, limit: 100 })).body
    expect(idsOf(first).concat(idsOf(second))).toEqual(ids.slice(3))
  })

  test('with the since of an answer only what is newer comes, newest first and in pages, and the same since again when nothing is', async () => {
    const acc_nbr = '13700137000'
    const empty = (await query({ acc_nbr })).body
    expect(empty).toEqual({ items: [], next: null, since: null })
    const add = async () =>
      (await world.call('POST /score', { body: rating({ acc_nbr }), token: author.token })).body.id
    const first = await add()
    const { since } = (await query({ acc_nbr, since: empty.since })).body
    expect((await query({ acc_nbr, since })).body).toEqual({ items: [], next: null, since })
    const [second, third] = [await add(), await add()]
    const newer = (await query({ acc_nbr, since, limit: 1 })).body
    expect(idsOf(newer)).toEqual([third])
    const rest = (await query({ acc_nbr, since, limit: 1, cursor: newer.next })).body
    expect(idsOf(rest)).toEqual([second])
    expect(rest.next).toBeNull()
    expect((await query({ acc_nbr, since: newer.since })).body.items).toEqual([])
    expect(idsOf((await query({ acc_nbr })).body)).toEqual([third, second, first])
    expect(
      (await query(`acc_nbr=${acc_nbr}&since=${since}`, author.token, form)).body.items,
    ).toHaveLength(2)
    expect(await query({ acc_nbr, since: 'x' })).toMatchObject({
      status: 400,
      body: { field: 'since' },
    })
    expect((await query({ acc_nbr, since }, reader.token)).body.items).toEqual([])
  })

  test('everyone else gets the same empty page whether the account exists or not', async () => {
    const existing = await query({ acc_nbr: ACCOUNT }, reader.token)
    const absent = await query({ acc_nbr: '99999999' }, reader.token)
    expect(existing).toMatchObject({ status: 200, body: { items: [], next: null } })
    const comparable = ({
      headers: { 'x-request-id': _, ...headers },
      ...answer
    }: typeof absent) => ({
      ...answer,
      headers,
    })
    expect(comparable(existing)).toEqual(comparable(absent))
  })

  test('a cursor of somebody else’s page opens nothing', async () => {
    const { next } = (await query({ acc_nbr: ACCOUNT, limit: 1 })).body
    expect((await query({ acc_nbr: ACCOUNT, cursor: next }, reader.token)).body.items).toEqual([])
  })

  test('the article’s form is understood', async () => {
    const { body } = await query(articleForm({ acc_nbr: ACCOUNT, limit: 2 }), author.token, form)
    expect(idsOf(body)).toEqual(ids.slice(3, 5))
  })

  test.each([{ limit: '5' }, { limit: 0 }, { limit: 1.5 }, { cursor: 1 }, { extra: 1 }])(
    '%j is refused',
    async (fields) => {
      expect(await query({ acc_nbr: ACCOUNT, ...fields })).toMatchObject({
        status: 400,
        body: { field: Object.keys(fields)[0] },
      })
    },
  )
})

describe('POST /query/summary', () => {
  const summary = (acc_nbr: string, token: string) =>
    world.call('POST /query/summary', { body: { acc_nbr }, token })

  test('of very many of one’s own the newest are counted, and the answer says so', async () => {
    const [busy, account] = [await world.logIn(), '13700137000']
    const db = await openDb(world.environment.DATABASE_URL ?? '')
    const fromMs = Date.now() - 60_000
    await insertRatings(db, account, { count: 120, fromMs, userId: busy.userId })
    await db.close()
    const { body } = await summary(account, busy.token)
    expect(body).toMatchObject({ count: 100, newest_only: true })
    expect((await summary(ACCOUNT, author.token)).body).not.toHaveProperty('newest_only')
  })

  test('counts and means are exact', async () => {
    const { body } = await summary(ACCOUNT, author.token)
    expect(body.count).toBe(22)
    expect(body.grades.grade1).toEqual({
      mean: 2.86,
      counts: { '1': 5, '2': 5, '3': 4, '4': 4, '5': 4 },
    })
    expect(body.grades.grade2).toEqual({ mean: 4, counts: { '4': 22 } })
  })

  test('what one may not read is not counted either', async () => {
    const nothing = { mean: null, counts: {} }
    expect((await summary(ACCOUNT, reader.token)).body).toEqual({
      count: 0,
      grades: { grade1: nothing, grade2: nothing, grade3: nothing },
    })
  })
})

describe('GET /form', () => {
  test('the form is told to everyone, cacheable for five minutes', async () => {
    const { status, body, headers } = await world.call('GET /form')
    expect(status).toBe(200)
    expect(body).toEqual(JSON.parse(JSON.stringify(ratingForm)))
    expect(headers['cache-control']).toBe('public, max-age=300')
    expect(headers.etag).toMatch(/^"[\w-]{22}"$/)
  })

  test('a client that has it already gets 304, WeChat’s own client always the whole', async () => {
    const { headers } = await world.call('GET /form')
    const known = { 'if-none-match': `"other", ${headers.etag}` }
    expect(await world.call('GET /form', { headers: known })).toMatchObject({
      status: 304,
      body: undefined,
    })
    const referer = 'https://servicewechat.com/wx0123456789abcdef/1/page-frame.html'
    expect((await world.call('GET /form', { headers: { ...known, referer } })).status).toBe(200)
  })
})

test('no log line holds an account number, a text or a token', () => {
  const lines = world.logLines.join('\n')
  expect(world.logLines.length).toBeGreaterThan(40)
  for (const secret of [ACCOUNT, '很好', author.token, author.openid])
    expect(lines).not.toContain(secret)
  for (const line of world.logLines) expect(() => JSON.parse(line)).not.toThrow()
})
