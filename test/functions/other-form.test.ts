/** The service, its client and the example built with a form that shares nothing with the one that is shipped. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb } from '../../shared/wiring/database.ts'
import { type ClientScene, startClientScene } from '../support/client-scene.ts'
import { exampleFolder } from '../support/example-on-a-phone.ts'
import { type ExampleApp, type ExamplePage, startExampleApp } from '../support/example-pages.ts'
import { ratingForm } from '../support/forms/ten-points.ts'
import { articleForm } from '../support/ratings.ts'
import { insertRatings } from '../support/stored-rating.ts'
import type { LoggedIn } from '../support/world.ts'

const formEncoded = { 'content-type': 'application/x-www-form-urlencoded' }
/** From before, when account numbers had eleven digits. */
const OLD_ACCOUNT = '13800138000'

let scene: ClientScene
let author: LoggedIn
beforeAll(async () => {
  scene = await startClientScene({}, { ratingForm: 'test/support/forms/ten-points.ts' })
  author = await scene.world.logIn()
})
afterAll(() => scene?.close())

let accounts = 100_000
const given = (changes: object = {}) => ({
  acc_nbr: `${accounts++}`,
  grade3: 0,
  grade2: 10,
  txt2: '很好',
  ...changes,
})
const submit = (body: unknown, headers: Record<string, string> = {}) =>
  scene.world.call('POST /score', { body, headers, token: author.token })
const query = async (acc_nbr: string) =>
  scene.world.call('POST /query', { body: { acc_nbr }, token: author.token })

describe('with two grades of ten points and a text', () => {
  test('the form that is told is the one that is asked for', async () => {
    const { body } = await scene.world.call('GET /form')
    expect(body).toEqual(JSON.parse(JSON.stringify(ratingForm)))
  })

  test('a rating is stored, and answered with its columns and no others', async () => {
    const sent = given()
    const { status, body } = await submit(sent)
    expect(status).toBe(201)
    const rating = { ...sent, id: body.id, insert_time: expect.any(String) }
    expect((await query(sent.acc_nbr)).body.items).toEqual([rating])
    const own = await scene.world.call('GET /score', { token: author.token })
    expect(own.body.items[0]).toEqual(rating)
  })

  test('the grade that may be left out is null', async () => {
    const { grade2: _, ...sent } = given()
    expect((await submit(sent)).status).toBe(201)
    expect((await query(sent.acc_nbr)).body.items).toMatchObject([{ grade2: null, grade3: 0 }])
  })

  test('forms are read by it, stringified or plain', async () => {
    const [stringified, plain] = [given({ txt2: '10' }), given({ txt2: '10' })]
    expect((await submit(articleForm(stringified), formEncoded)).body).toBe('数据提交成功')
    const values = Object.entries(plain).map(([name, value]): [string, string] => [
      name,
      `${value}`,
    ])
    expect((await submit(`${new URLSearchParams(values)}`, formEncoded)).status).toBe(201)
    for (const { acc_nbr } of [stringified, plain])
      expect((await query(acc_nbr)).body.items).toMatchObject([{ grade2: 10, txt2: '10' }])
  })

  test.each([
    ['grade3', { grade3: 11 }, '态度应为 0 到 10 的整数'],
    ['grade3', { grade3: undefined }, '态度应为 0 到 10 的整数'],
    ['grade3', { grade3: null }, '态度应为 0 到 10 的整数'],
    ['grade2', { grade2: -1 }, '速度应为 0 到 10 的整数'],
    ['txt2', { txt2: '' }, '请填写说明'],
    ['txt2', { txt2: undefined }, '说明应为文字'],
    ['txt2', { txt2: '字'.repeat(21) }, '说明不能超过 20 个字'],
    ['acc_nbr', { acc_nbr: OLD_ACCOUNT }, '工号应为 6 位数字'],
    ['acc_nbr', { acc_nbr: '12345a' }, '工号应为 6 位数字'],
    ['acc_nbr', { acc_nbr: undefined }, '工号应为 6 位数字'],
    ['grade1', { grade1: 5 }, '不接受的字段 grade1'],
    ['txt1', { txt1: '' }, '不接受的字段 txt1'],
  ])('%s of %j is refused by its label', async (field, changes, message) => {
    expect(await submit(given(changes))).toMatchObject({
      status: 400,
      body: { code: 'invalid-field', field, message },
    })
  })

  test('a summary is over its grades, zero among them', async () => {
    const acc_nbr = '200000'
    for (const grade3 of [0, 0, 9]) {
      const { token } = await scene.world.logIn()
      const body = given({ acc_nbr, grade3, grade2: null })
      await scene.world.call('POST /score', { body, token })
    }
    const { body } = await scene.world.call('POST /query/summary', {
      body: { acc_nbr },
      token: (await scene.world.logIn('oOperatorOfScene')).token,
    })
    expect(body).toEqual({
      count: 3,
      grades: {
        grade3: { mean: 3, counts: { '0': 2, '9': 1 } },
        grade2: { mean: null, counts: {} },
      },
    })
  })

  test('a second rating of the day is refused, but a repetition answered as before', async () => {
    const sent = given()
    const key = { 'idempotency-key': 'once' }
    const { body } = await submit(sent, key)
    expect(await submit({ ...sent, grade3: 10 })).toMatchObject({
      status: 409,
      body: { code: 'already-rated', message: '您今天已经评价过了，明天再来吧', retry: 'never' },
    })
    expect(await submit(sent, key)).toMatchObject({ status: 201, body })
    expect((await query(sent.acc_nbr)).body.items).toMatchObject([{ id: body.id, grade3: 0 }])
  })

  test('ratings of account numbers from before can still be read, but not added to', async () => {
    const db = await openDb(scene.world.environment.DATABASE_URL ?? '')
    await insertRatings(db, OLD_ACCOUNT, { count: 2, fromMs: 1, userId: author.userId })
    await db.close()
    const { items } = (await query(OLD_ACCOUNT)).body
    expect(items).toHaveLength(2)
    expect(Object.keys(items[0])).toEqual([
      'id',
      'acc_nbr',
      'grade3',
      'grade2',
      'txt2',
      'insert_time',
    ])
    const summary = await scene.world.call('POST /query/summary', {
      body: { acc_nbr: OLD_ACCOUNT },
      token: author.token,
    })
    expect(summary.body.count).toBe(2)
    expect((await submit(given({ acc_nbr: OLD_ACCOUNT }))).status).toBe(400)
  })
})

describe('the example', () => {
  let app: ExampleApp
  let page: ExamplePage
  const enter = (name: string, value: string) =>
    page.call('onInput', { currentTarget: { dataset: { name } }, detail: { value } })
  const rate = (name: string, value: unknown) =>
    page.call('onGrade', { currentTarget: { dataset: { name } }, detail: { value } })
  const open = async (): Promise<void> => {
    app = startExampleApp(exampleFolder, scene.phone(), scene.baseUrl)
    page = await app.open('pages/rate/rate')
  }

  test('asks for what the form asks for, and says what is missing beside its field', async () => {
    await open()
    await enter('acc_nbr', '1234567')
    await rate('grade2', 11)
    await page.call('submit')
    expect(page.data.errors).toEqual({
      acc_nbr: '请填写工号：6 位数字',
      grade3: '请为“态度”打分',
      grade2: '速度应为 0 到 10 的整数',
      txt2: '请填写说明',
    })
    await rate('grade2', 'x')
    await page.call('submit')
    expect(page.data.errors.grade2).toBe('速度应为 0 到 10 的整数')
  })

  test('takes nothing for zero, and zero for a grade', async () => {
    await open()
    expect(page.data.grades.grade3).toBeLessThan(-32768)
    await enter('acc_nbr', '654321')
    await rate('grade3', 0)
    await rate('grade2', 3)
    await rate('grade2', null)
    expect(page.data.grades).toMatchObject({ grade3: 0, grade2: -100000 })
    await enter('txt2', '不错')
    await page.call('submit')
    expect(app.toasts).toEqual(['数据提交成功'])
    const result = await app.open('pages/result/result')
    expect(result.data).toMatchObject({ count: 1, grades: [{ label: '态度' }, { label: '速度' }] })
    const [attitude, speed] = result.data.grades
    expect(attitude).toMatchObject({ mean: '0.0' })
    expect(attitude.bars).toHaveLength(11)
    expect(attitude.bars.at(-1)).toEqual({ grade: 0, count: 1, percent: 100 })
    expect(speed.mean).toBe('–')
    await result.call('onUnload')
  })

  test('tells the policy, and who has rated already where to look', async () => {
    await open()
    expect(page.data.policy).toBe('每人每天对同一工号可评价 1 次')
    for (const grade of [9, 1]) {
      await enter('acc_nbr', '777777')
      await rate('grade3', grade)
      await enter('txt2', '又来')
      await page.call('submit')
    }
    expect(app.toasts).toEqual(['数据提交成功'])
    expect(page.data).toMatchObject({ problem: '您今天已经评价过了，明天再来吧', isRated: true })
    await page.call('openResult')
    expect(app.object().account).toBe('777777')
    await rate('grade3', 2)
    expect(page.data).toMatchObject({ problem: '', isRated: false })
  })

  test.each([
    ['digits', '^[0-9]{6}$', 'number'],
    ['digits, said otherwise', '^\\d{6}(-\\d+)?$', 'number'],
    ['letters too', '^[A-Z]{2}\\d{4}$', 'text'],
    ['all but spaces', '^[^ ]{6}$', 'text'],
  ])('offers the keyboard for account numbers of %s', async (_what, pattern, keyboard) => {
    const phone = scene.phone()
    const form = { ...ratingForm, account: { ...ratingForm.account, pattern } }
    phone.fault = () => ({ kind: 'answer', statusCode: 200, data: JSON.stringify(form) })
    app = startExampleApp(exampleFolder, phone, scene.baseUrl)
    page = await app.open('pages/rate/rate')
    expect(page.data.keyboard).toBe(keyboard)
  })
})
