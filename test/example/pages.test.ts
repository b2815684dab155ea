import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exampleClientFile } from '../../scripts/build/client.ts'
import { compileMiniProgram } from '../../scripts/simulators/mini-program/compile.ts'
import { type ClientScene, clientSource, startClientScene } from '../support/client-scene.ts'
import { exampleFolder } from '../support/example-on-a-phone.ts'
import { type ExampleApp, type ExamplePage, startExampleApp } from '../support/example-pages.ts'
import type { FakePhone } from '../support/fake-phone.ts'
import { articleForm, rating } from '../support/ratings.ts'

let scene: ClientScene
beforeAll(async () => {
  scene = await startClientScene()
})
afterAll(() => scene?.close())

describe('the example mini program', () => {
  test('has the client as it is built; npm run build brings it up to date', async () => {
    expect(await readFile(exampleClientFile, 'utf8')).toBe(await clientSource())
  })

  test('opens in DevTools as it is: no address check, the local address, all files there', async () => {
    const json = async (name: string) =>
      JSON.parse(await readFile(path.join(exampleFolder, name), 'utf8'))
    expect((await json('project.config.json')).setting.urlCheck).toBe(false)
    const { baseUrl } = (await import(path.join(exampleFolder, 'config.js'))).default
    expect(baseUrl).toBe('http://127.0.0.1:3000')
    const { themeLocation, sitemapLocation } = await json('app.json')
    for (const name of [themeLocation, sitemapLocation]) await json(name)
    expect((await compileMiniProgram(exampleFolder)).script.length).toBeGreaterThan(100_000)
  })

  test('asks WeChat’s network through the client alone', async () => {
    for (const page of ['rate', 'result', 'me']) {
      const source = await readFile(path.join(exampleFolder, `pages/${page}/${page}.js`), 'utf8')
      expect(source).not.toMatch(/wx\.(request|login|setStorage|cloud)/)
    }
  })
})

describe('its pages', () => {
  let accounts = 70_000_000
  let phone: FakePhone
  let app: ExampleApp
  const start = (): void => {
    phone = scene.phone()
    app = startExampleApp(exampleFolder, phone, scene.baseUrl)
  }
  const enter = (page: ExamplePage, name: string, value: string) =>
    page.call('onInput', { currentTarget: { dataset: { name } }, detail: { value } })
  const rate = (page: ExamplePage, name: string, value: number) =>
    page.call('onGrade', { currentTarget: { dataset: { name } }, detail: { value } })
  async function filledIn(): Promise<{ page: ExamplePage; acc_nbr: string }> {
    const acc_nbr = `${accounts++}`
    const page = await app.open('pages/rate/rate')
    await enter(page, 'acc_nbr', acc_nbr)
    for (const [index, name] of ['grade1', 'grade2', 'grade3'].entries())
      await rate(page, name, 5 - index)
    await enter(page, 'txt1', '好😀')
    return { page, acc_nbr }
  }

  test('a rating is submitted, thanked for, and found on the result page', async () => {
    start()
    const { page, acc_nbr } = await filledIn()
    expect(page.data.lengths.txt1).toBe(2)
    await page.call('submit')
    expect(app.toasts).toEqual(['数据提交成功'])
    expect(app.urls).toEqual(['/pages/result/result'])
    expect(page.data).toMatchObject({ values: {}, isBusy: false, problem: '' })
    const result = await app.open('pages/result/result')
    expect(result.data).toMatchObject({
      state: 'ready',
      count: 1,
      items: [{ acc_nbr, txt1: '好😀' }],
      grades: [{ mean: '5.0' }, { mean: '4.0' }, { mean: '3.0' }],
    })
    expect(result.data.grades[0].bars[0]).toEqual({ grade: 5, count: 1, percent: 100 })
    await result.call('onUnload')
  })

  test('an account that nobody has rated says so', async () => {
    start()
    app.object().account = '60000000'
    const result = await app.open('pages/result/result')
    expect(result.data).toMatchObject({ state: 'empty', count: 0, items: [] })
    await result.call('onUnload')
  })

  test('the number and the rating are in no address', async () => {
    start()
    const { page, acc_nbr } = await filledIn()
    await page.call('submit')
    const result = await app.open('pages/result/result')
    await result.call('onUnload')
    expect(app.urls.concat(phone.requests.map((each) => each.path)).join()).not.toContain(acc_nbr)
  })

  test.each([
    ['a phone without a network', { kind: 'unreachable' }, 'offline', '网络异常，请重试'],
    [
      'a server that is busy',
      {
        kind: 'answer',
        statusCode: 429,
        header: { 'Retry-After': '30' },
        data: JSON.stringify({
          code: 'too-many-requests',
          message: '操作过于频繁',
          retry: 'later',
        }),
      },
      'busy',
      '操作过于频繁（30 秒后）',
    ],
    [
      'a gateway’s error',
      { kind: 'answer', statusCode: 403, data: '' },
      'failed',
      '服务异常请重试',
    ],
  ] as const)(
    '%s has a state of its own, and trying again helps',
    async (_what, fault, state, message) => {
      start()
      phone.fault = () => fault
      const page = await app.open('pages/rate/rate')
      expect(page.data).toMatchObject({ state, message })
      phone.fault = () => undefined
      await page.call('act')
      expect(page.data.state).toBe('ready')
    },
  )

  test('a busy page sends once, however often it is tapped', async () => {
    start()
    const { page, acc_nbr } = await filledIn()
    await Promise.all([page.call('submit'), page.call('submit'), page.call('submit')])
    expect(phone.sent('POST /score')).toHaveLength(1)
    expect(await scene.rows(acc_nbr)).toHaveLength(1)
  })

  test('a text that is too long is refused beside its field, counted in characters', async () => {
    start()
    const { page } = await filledIn()
    await enter(page, 'txt2', '😀'.repeat(500))
    await enter(page, 'txt3', '字'.repeat(501))
    await page.call('submit')
    expect(page.data.errors).toEqual({ txt3: '文字三不能超过 500 个字' })
    expect(phone.sent('POST /score')).toHaveLength(0)
  })

  test('one’s own page: ratings, devices, and no login in the phone button’s callback', async () => {
    start()
    const { page } = await filledIn()
    await page.call('submit')
    const me = await app.open('pages/me/me')
    expect(me.data).toMatchObject({
      state: 'ready',
      items: [{}],
      devices: [{ name: 'Mate 60', current: true }],
    })
    const { openid } = await scene.world.code()
    const { code } = scene.world.wechat.issuePhoneCode({ openid, phone: '13800138123' })
    await me.call('bindPhone', { detail: { code, errMsg: 'getPhoneNumber:ok' } })
    expect(me.data.phone).toBe('138****8123')
    expect(phone.logins()).toBe(1)
    await me.call('bindPhone', { detail: { errMsg: 'getPhoneNumber:fail user deny' } })
    expect(app.toasts.at(-1)).toBe('已绑定')
    await me.call('bindPhone', { detail: { errMsg: 'getPhoneNumber:fail no permission' } })
    expect(app.toasts.at(-1)).toBe('暂时无法获取手机号')
  })

  test('logged out, every page waits to be asked before it logs in again', async () => {
    start()
    const me = await app.open('pages/me/me')
    await me.call('logout')
    expect(me.data.state).toBe('signed-out')
    const { page } = await filledIn()
    await page.call('submit')
    expect(page.data.state).toBe('signed-out')
    expect(phone.logins()).toBe(1)
    await page.call('act')
    await page.call('submit')
    expect(app.toasts).toEqual(['数据提交成功'])
    expect(phone.logins()).toBe(2)
  })
})

describe('the rating article’s own wx.request', () => {
  test('works as it stands, but for the header', async () => {
    const { token } = await scene.world.logIn()
    const answer = await new Promise<{ statusCode: number; data?: unknown }>((success, fail) =>
      scene.phone().wx.request({
        url: `${scene.baseUrl}/score`,
        method: 'POST',
        header: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `JWT ${token}`,
        },
        data: articleForm(rating({ acc_nbr: '13700137001' })),
        dataType: 'json',
        timeout: 10_000,
        success,
        fail,
      }),
    )
    expect(answer).toMatchObject({ statusCode: 201, data: '"数据提交成功"' })
    expect(await scene.rows('13700137001')).toHaveLength(1)
  })
})
