import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { submitScore } from '../../functions/submit-score/submit-score.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../scripts/simulators/planetscale/sqlite-engine.ts'
import type { CallFacts } from '../../shared/call.ts'
import type { AddedScore, Caller } from '../../shared/ports.ts'
import { articleForm, rating } from '../support/ratings.ts'
import { readVectors } from '../support/vectors.ts'
import { type LoggedIn, startWorld, type World } from '../support/world.ts'

interface Cases<Case> {
  cases: Case[]
}
const accountNumbers =
  readVectors<Cases<{ id: string; v: unknown; expect: string }>>('account-numbers')
const hostileBodies = readVectors<Cases<{ id: string; body: string }>>('json-bodies-hostile')
const longStrings =
  readVectors<Cases<{ id: string; repeat: { unit: string; n: number }; tail: string }>>(
    'redos-strings',
  )
interface TextCase {
  id: string
  s?: string
  repeat?: { unit: string; n: number }
  expect: string
}
const texts = readVectors<Cases<TextCase>>('texts-extra')

let world: World
let author: LoggedIn
let database: OfflinePlanetScale
beforeAll(async () => {
  database = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  world = await startWorld({ databaseUrl: database.url })
  author = await world.logIn()
})
afterAll(async () => {
  await world?.close()
  await database?.close()
})

const form = { 'content-type': 'application/x-www-form-urlencoded' }
function submit(body: unknown, headers: Record<string, string> = {}) {
  return world.call('POST /score', { body, headers, token: author.token })
}
async function own() {
  return (await world.call('GET /score', { token: author.token, query: { limit: '100' } })).body
    .items
}

describe('POST /score', () => {
  test('a rating is stored exactly as sent', async () => {
    const sent = rating({ txt1: 'a\u0000b\r\n  ', txt2: "'; drop table ratings; --" })
    const { status, body } = await submit(sent)
    expect(status).toBe(201)
    expect(body).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), message: '数据提交成功' })
    const stored = (await own()).find(({ id }: { id: string }) => id === body.id)
    expect(stored).toEqual({ ...sent, id: body.id, insert_time: expect.any(String) })
    expect(Math.abs(Date.parse(stored.insert_time) - Date.now())).toBeLessThan(60_000)
  })

  test('the article’s form is accepted as it is and answered with the bare JSON string', async () => {
    const { status, body, headers } = await submit(
      articleForm(rating({ acc_nbr: '13900139000' })),
      form,
    )
    expect({ status, body }).toEqual({ status: 201, body: '数据提交成功' })
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect((await own())[0]).toMatchObject(rating({ acc_nbr: '13900139000' }))
  })

  test('a plain form is accepted as well, its texts exactly as sent', async () => {
    const plain = new URLSearchParams({
      acc_nbr: '13900139000',
      grade1: '1',
      grade2: '"2"',
      grade3: '3',
      txt1: '"half quoted',
      txt2: '1',
      txt3: '',
    })
    expect((await submit(String(plain), form)).status).toBe(201)
    expect((await own())[0]).toMatchObject({ grade2: 2, txt1: '"half quoted', txt2: '1', txt3: '' })
  })

  test('texts may be left out, grades may not', async () => {
    const { txt1: _1, txt2: _2, txt3: _3, ...grades } = rating()
    expect((await submit(grades)).status).toBe(201)
    expect((await own())[0]).toMatchObject({ txt1: '', txt2: '', txt3: '' })
    const { grade2: _, ...missing } = rating()
    const message = '评分二应为 1 到 5 的整数'
    expect(await submit(missing)).toMatchObject({ status: 400, body: { field: 'grade2', message } })
  })

  test('500 characters fit, whatever their width; 501 do not', async () => {
    expect((await submit(rating({ txt1: '😀'.repeat(500) }))).status).toBe(201)
    expect((await own())[0].txt1).toBe('😀'.repeat(500))
    const refused = await submit(rating({ txt1: '😀'.repeat(501) }))
    const message = '文字一不能超过 500 个字'
    expect(refused).toMatchObject({ status: 400, body: { field: 'txt1', message } })
  })
})

describe('bad fields', () => {
  test.each([
    ['grade1', 0, '评分一'],
    ['grade1', 6, '评分一'],
    ['grade1', 4.5, '评分一'],
    ['grade1', '5', '评分一'],
    ['grade1', true, '评分一'],
    ['grade1', null, '评分一'],
    ['grade2', [5], '评分二'],
    ['grade3', {}, '评分三'],
    ['txt1', 1, '文字一'],
    ['txt2', null, '文字二'],
    ['txt3', ['a'], '文字三'],
    ['acc_nbr', null, '账号'],
    ['sub', 'somebody', 'sub'],
    ['openid', 'oSomebodyElse0000000000000000', 'openid'],
  ])('%s: %j is refused as %s, and the value is not repeated', async (field, value, label) => {
    const { status, body } = await submit(rating({ [field]: value }))
    expect({ status, code: body.code, field: body.field }).toEqual({
      status: 400,
      code: 'invalid-field',
      field,
    })
    expect(body.message).toMatch(/\p{Script=Han}/u)
    expect(body.message).toContain(label)
    if (typeof value === 'string' && value.length > 3) {
      expect(JSON.stringify(body)).not.toContain(value)
    }
  })

  test('an overflowing number is not a grade', async () => {
    const body = JSON.stringify(rating()).replace('"grade1":5', '"grade1":1e400')
    expect(await submit(body)).toMatchObject({ status: 400, body: { field: 'grade1' } })
  })

  test.each(accountNumbers.cases.map((each) => [each.id, each] as const))(
    'account number: %s',
    async (_id, { v, expect: expectation }) => {
      for (const route of ['POST /score', 'POST /query', 'POST /query/summary']) {
        const statementsBefore = database.statements()
        const body = route === 'POST /score' ? rating({ acc_nbr: v }) : { acc_nbr: v }
        const answer = await world.call(route, { body, token: author.token })
        // What was accepted under another pattern can still be asked for.
        const pattern = route === 'POST /score' ? /^[0-9]{5,20}$/ : /^[!-~]{1,64}$/
        const isAccepted = typeof v === 'string' && pattern.test(v)
        if (expectation === 'accept') expect(isAccepted).toBe(true)
        if (expectation === 'reject' && route === 'POST /score') expect(isAccepted).toBe(false)
        if (isAccepted) expect(answer.status).toBeLessThan(300)
        else {
          const isText = typeof v !== 'string' || v.isWellFormed()
          expect(database.statements()).toEqual(statementsBefore)
          const problem = isText ? { field: 'acc_nbr' } : { code: 'lone-surrogate' }
          expect(answer).toMatchObject({ status: 400, body: problem })
        }
      }
    },
  )

  test.each(hostileBodies.cases.map(({ id, body }) => [id, body]))(
    'hostile body %s: %s',
    async (_id, body) => {
      for (const route of ['POST /score', 'POST /query', 'POST /query/summary', 'POST /login']) {
        const { status, body: problem } = await world.call(route, { body, token: author.token })
        expect(status).toBe(400)
        expect(problem).toMatchObject({ code: 'invalid-field', retry: 'never' })
      }
      expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
    },
  )
})

describe('texts of every kind', () => {
  test.each(texts.cases.map((each) => [each.id, each] as const))(
    '%s comes back identical, or is refused as a whole',
    async (_id, { s, repeat, expect: expectation }) => {
      const text = s ?? repeat?.unit.repeat(repeat.n) ?? ''
      const isAccepted = text.isWellFormed() && [...text].length <= 500
      if (expectation === 'store-identical') expect(isAccepted || text.length > 500).toBe(true)
      if (expectation === 'reject') expect(isAccepted).toBe(false)
      const { status, body } = await submit(rating({ txt1: text, txt2: text, txt3: text }))
      expect([400, 413].includes(status)).toBe(!isAccepted)
      const [newest] = await own()
      if (isAccepted)
        expect(newest).toMatchObject({ id: body.id, txt1: text, txt2: text, txt3: text })
      else expect(newest.txt1).not.toBe(text)
    },
  )

  test.each(longStrings.cases.map((each) => [each.id, each]))(
    'a very long %s is refused everywhere and costs nothing',
    async (_id, { repeat, tail }) => {
      const long = (repeat.unit.repeat(repeat.n) + tail).slice(0, 15_000)
      const bodies = Object.keys(rating()).map((field) => rating({ [field]: long }))
      const startedAt = performance.now()
      for (const body of bodies) expect([400, 413]).toContain((await submit(body)).status)
      for (const name of ['authorization', 'content-type', 'x-forwarded-for', 'idempotency-key']) {
        const { status } = await world.call('POST /score', {
          body: rating(),
          token: author.token,
          headers: { [name]: long },
        })
        if (name !== 'x-forwarded-for') expect([400, 401, 415]).toContain(status)
      }
      expect(
        (
          await world.call('POST /query', {
            body: { acc_nbr: '13800', cursor: long },
            token: author.token,
          })
        ).status,
      ).toBeGreaterThanOrEqual(400)
      const lost = await world.handler('submit-score')({ httpMethod: 'GET', path: `/${long}` })
      expect(lost.statusCode).toBe(404)
      const calls = bodies.length + 6
      expect((performance.now() - startedAt) / calls).toBeLessThan(50)
    },
  )
})

describe('Idempotency-Key', () => {
  const key = (value: string) => ({ 'idempotency-key': value })

  test('the same key and content give the same answer and one row', async () => {
    const sent = rating({ acc_nbr: '10001' })
    const first = await submit(sent, key('once-1'))
    const second = await submit(sent, key('once-1'))
    expect(second).toMatchObject({ status: 201, body: first.body })
    const rows = (await own()).filter(({ acc_nbr }: { acc_nbr: string }) => acc_nbr === '10001')
    expect(rows).toHaveLength(1)
  })

  test('the same key with other content is refused, and nothing changes', async () => {
    await submit(rating({ acc_nbr: '10002' }), key('once-2'))
    const other = await submit(rating({ acc_nbr: '10002', grade1: 1 }), key('once-2'))
    expect(other).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused', retry: 'never' },
    })
  })

  test('a key counts for one person and one account', async () => {
    const mine = await submit(rating({ acc_nbr: '10003' }), key('once-3'))
    const elsewhere = await submit(rating({ acc_nbr: '10004' }), key('once-3'))
    const { token } = await world.logIn()
    const headers = key('once-3')
    const theirs = await world.call('POST /score', {
      body: rating({ acc_nbr: '10003' }),
      headers,
      token,
    })
    expect(new Set([mine.body.id, elsewhere.body.id, theirs.body.id]).size).toBe(3)
  })

  test('keys differ in letter case', async () => {
    const sent = rating({ acc_nbr: '10005' })
    const ids = [await submit(sent, key('Key')), await submit(sent, key('key'))]
    expect(ids[0]?.body.id).not.toBe(ids[1]?.body.id)
  })

  test.each([
    ['a space', 'a b'],
    ['65 characters', 'a'.repeat(65)],
    ['nothing', ''],
    ['Chinese', '键'],
  ])('a key of %s is refused', async (_name, value) => {
    expect(await submit(rating(), key(value))).toMatchObject({
      status: 400,
      body: { field: 'Idempotency-Key' },
    })
  })

  test('without a key every submission is a rating of its own', async () => {
    const sent = rating({ acc_nbr: '10006' })
    expect((await submit(sent)).body.id).not.toBe((await submit(sent)).body.id)
  })
})

describe('a warm submission', () => {
  test.each([
    ['one statement, in which its session is looked at', '0', 1],
    ['two in a sharded store, where the session lies elsewhere', '1', 2],
  ])('is %s, and revoking ends it at once', async (_what, sharded, expected) => {
    const other = await startWorld({
      databaseUrl: database.url,
      environment: { STORE_SHARDED: sharded },
    })
    const person = await other.logIn()
    const send = (acc_nbr: string) =>
      other.call('POST /score', { body: rating({ acc_nbr }), token: person.token })
    expect(await send('10011')).toMatchObject({ status: 201 })
    const before = database.statements()
    expect(await send('10012')).toMatchObject({ status: 201 })
    expect(database.statements() - before).toBe(expected)

    await other.call('POST /logout', { token: person.token })
    expect(await send('10013')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(await send('10012')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    await other.close()
  })
})

describe('a further rating of the same person', () => {
  const handle = (added: AddedScore) =>
    submitScore.handle({
      input: { acc_nbr: '10007', grade1: 5, grade2: 4, grade3: 3, txt1: '', txt2: '', txt3: '' },
      needs: { submissions: { addScore: async () => added }, isSharded: false },
      caller: { userId: author.userId } as Caller,
      facts: {} as CallFacts,
      security: { identify() {}, note() {} },
    })

  test('says that it replaced the one before; the article’s client is told what it knows', async () => {
    expect(await handle({ result: 'added', id: 'x', hasReplaced: true })).toEqual({
      status: 201,
      output: { id: 'x', message: '已更新您的评价', replaced: true },
      formOutput: '数据提交成功',
    })
  })

  test('is refused with a problem of its own where the policy has it', async () => {
    await expect(handle({ result: 'refused' })).rejects.toMatchObject({
      code: 'already-rated',
      status: 409,
    })
  })
})

describe('who may submit', () => {
  test.each([
    ['no token', {}, 'not-logged-in', 'login'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'not-logged-in', 'login'],
    ['rubbish', { authorization: 'JWT rubbish' }, 'unauthenticated', 'refresh'],
  ])('%s is answered 401 before the body is looked at', async (_name, headers, code, retry) => {
    expect(
      await world.call('POST /score', { body: '{', headers: headers as Record<string, string> }),
    ).toMatchObject({ status: 401, body: { code, retry } })
  })

  test('JWT and Bearer are the same', async () => {
    const headers = { authorization: `Bearer ${author.token}` }
    expect((await world.call('POST /score', { body: rating(), headers })).status).toBe(201)
  })
})
