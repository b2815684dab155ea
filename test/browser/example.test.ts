import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { type Chromium, chromiumPath, type PhonePage, startChromium } from '../support/chromium.ts'
import { type ExampleOnAPhone, startExampleOnAPhone } from '../support/example-on-a-phone.ts'
import { rating } from '../support/ratings.ts'

if (!chromiumPath)
  console.log(
    'No Chromium on this machine: the example’s tests are skipped (apt-get install chromium).',
  )

const MINE = 'document.querySelectorAll("rating-card").length'
const screenshots = path.join(projectFolder, 'test/miniprogram/screenshots')

describe.skipIf(!chromiumPath)('the example mini program on a phone', () => {
  let example: ExampleOnAPhone
  let chromium: Chromium
  let page: PhonePage
  beforeAll(async () => {
    ;[example, chromium] = await Promise.all([startExampleOnAPhone(), startChromium()])
    page = chromium.page
  })
  afterAll(async () => {
    await chromium?.close()
    await example?.close()
  })

  let person = ''
  let people = 0
  beforeEach(async () => {
    person = `oOnAPhone${people++}`
    example.setFault()
    example.routes.length = 0
    await page.resize(375)
    await page.open(example.addressFor(person))
    await formIsThere()
  })
  afterEach(() => expect(page.errors()).toEqual([]))

  const formIsThere = () => page.until('document.querySelectorAll("textarea").length === 3')
  const shows = (text: string) =>
    page.until(`document.body.innerText.includes(${JSON.stringify(text)})`)
  const isShown = (text: string) =>
    page.evaluate<boolean>(`document.body.innerText.includes(${JSON.stringify(text)})`)
  const asked = (route: string) => example.routes.filter((each) => each === route).length
  const submit = () => page.tap('.primary')
  async function fillIn(acc_nbr: string, texts: string[] = ['很专业，谢谢 😀']): Promise<void> {
    await page.type('wx-input input', acc_nbr)
    await page.tap('[role=radio]', 4)
    await page.tap('[role=radio]', 8)
    await page.tap('[role=radio]', 14)
    for (const [index, text] of texts.entries()) await page.type('textarea', text, index)
  }
  const onResult = () => page.until('document.querySelectorAll(".bars").length === 3')

  test('a person rates, is thanked, and sees the result', async () => {
    await fillIn('13800138001')
    expect(await page.evaluate('document.querySelectorAll("[aria-checked=true]").length')).toBe(3)
    expect(await isShown('8/500')).toBe(true)
    await submit()
    await shows('数据提交成功')
    await onResult()
    await shows('账号 13800138001')
    await shows('很专业，谢谢 😀')
    expect(await page.evaluate('document.querySelector(".value").innerText')).toBe('5.0')
    expect(
      await page.evaluate('document.querySelector("[aria-label=\\"5 分，1 条\\"]") !== null'),
    ).toBe(true)
    expect(await example.rows('13800138001')).toMatchObject([
      { grade1: 5, grade2: 4, grade3: 5, txt1: '很专业，谢谢 😀' },
    ])
    expect(asked('POST /login')).toBe(1)
  })

  test('what is missing is said beside its field, before anything is sent', async () => {
    await page.type('wx-input input', '12')
    await page.tap('[role=radio]', 3)
    await submit()
    await page.until('document.querySelectorAll("[role=alert]").length === 3')
    expect(
      await page.evaluate(
        '[...document.querySelectorAll("[role=alert]")].map((each) => each.innerText)',
      ),
    ).toEqual(['请填写账号：5 到 20 位数字', '请为“评分二”打分', '请为“评分三”打分'])
    expect(asked('POST /score')).toBe(0)
    await page.tap('[role=radio]', 9)
    await page.until('document.querySelectorAll("[role=alert]").length === 2')
  })

  test('what only the server refuses is said beside its field too', async () => {
    const problem = {
      code: 'invalid-field',
      message: '文字二不能提交',
      retry: 'never',
      field: 'txt2',
      status: 400,
      requestId: 'r',
    }
    const refused = { status: 400, headers: {}, body: JSON.stringify(problem) }
    example.setFault((route) => (route === 'POST /score' ? refused : undefined))
    await fillIn('13800138002')
    await submit()
    await page.until('document.querySelectorAll(".text")[1].innerText.includes("文字二不能提交")')
  })

  test('a lost answer is asked for again and leaves one rating', async () => {
    let lost = 0
    example.setFault((route) =>
      route === 'POST /score' && lost++ === 0 ? 'lost-answer' : undefined,
    )
    await fillIn('13800138003')
    await submit()
    await onResult()
    expect(asked('POST /score')).toBe(2)
    expect(await example.rows('13800138003')).toHaveLength(1)
  })

  test('an expired token in the middle is refreshed without the person noticing', async () => {
    await fillIn('13800138004')
    let refused = 0
    const body = JSON.stringify({
      code: 'unauthenticated',
      message: '请重试',
      retry: 'refresh',
      status: 401,
    })
    example.setFault((route) =>
      route === 'POST /score' && refused++ === 0 ? { status: 401, headers: {}, body } : undefined,
    )
    await submit()
    await onResult()
    expect(asked('POST /login')).toBe(1)
    expect(asked('POST /login/refresh')).toBe(1)
    expect(await example.rows('13800138004')).toHaveLength(1)
  })

  test('without a network it says so, keeps what was written, and sends it when the network is back', async () => {
    await fillIn('13800138005')
    example.setFault(() => 'refused')
    await submit()
    await shows('网络异常，请重试')
    expect(await page.evaluate('document.querySelector("textarea").value')).toBe('很专业，谢谢 😀')
    example.setFault()
    await submit()
    await onResult()
    expect(await example.rows('13800138005')).toHaveLength(1)
  })

  test('opened without a network it offers to try again', async () => {
    example.setFault(() => 'refused')
    await page.open('about:blank')
    await page.open(example.addressFor(person))
    await shows('连不上网络')
    example.setFault()
    await page.tap('wx-button')
    await formIsThere()
  })

  test('a server that is busy is named, with the time to wait', async () => {
    const problem = {
      code: 'too-many-requests',
      message: '操作过于频繁，请稍后再试',
      retry: 'later',
      status: 429,
    }
    const busy = { status: 429, headers: { 'retry-after': '45' }, body: JSON.stringify(problem) }
    example.setFault((route) => (route === 'POST /score' ? busy : undefined))
    await fillIn('13800138006')
    await submit()
    await shows('操作过于频繁，请稍后再试（45 秒后）')
    expect(asked('POST /score')).toBe(1)
  })

  test('the result is paged, brought up to date by pulling, and tells of new ratings by itself', async () => {
    const acc_nbr = '13800138007'
    const { token } = await example.world.logIn(person)
    const rate = (txt1: string) =>
      example.world.call('POST /score', { body: rating({ acc_nbr, txt1 }), token })
    for (let index = 0; index < 24; index++) await rate(`第 ${index} 条`)
    await fillIn(acc_nbr, ['最新'])
    await submit()
    await onResult()
    await page.until(`${MINE} === 20`)
    await page.scrollToEnd()
    await page.until(`${MINE} === 25`)
    await shows('没有更多了')
    await rate('刚刚')
    await shows('刚刚')
    await page.until('document.querySelector(".number").innerText === "26"')
    const before = asked('POST /query/summary')
    await page.pullDown()
    await page.until(`${MINE} === 20`)
    expect(asked('POST /query/summary')).toBeGreaterThan(before)
  })

  test('a person’s own page: ratings, phone number, devices', async () => {
    await fillIn('13800138008')
    await submit()
    await onResult()
    await page.tap('#back')
    await formIsThere()
    await page.tap('[role=link]')
    await page.until(`${MINE} === 1`)
    await shows('本机')
    expect(asked('POST /login')).toBe(1)
    example.setNumber(person, '13800138008')
    await page.tap('[open-type=getPhoneNumber]')
    await shows('已绑定 138****8008')
    expect(asked('POST /login')).toBe(1)
    await example.world.logIn(person)
    await page.pullDown()
    await shows('其他设备')
    await page.tap('[role=button].link')
    await page.until('!document.body.innerText.includes("其他设备")')
  })

  test('who logs out is asked before being logged in again', async () => {
    await page.tap('[role=link]')
    await shows('登录的设备')
    await page.tap('.secondary', 1)
    await shows('您已退出登录')
    await page.open('about:blank')
    await page.open(example.addressFor(person, 'pages/me/me'))
    await shows('您已退出登录')
    expect(asked('POST /login')).toBe(1)
    await page.tap('wx-button')
    await shows('本机')
    expect(asked('POST /login')).toBe(2)
  })

  test('who wants to be forgotten is asked once more, and then forgotten', async () => {
    await fillIn('13800138009')
    await submit()
    await onResult()
    await page.tap('#back')
    await page.tap('[role=link]')
    await shows('注销账号')
    await page.tap('.dangerous')
    await page.tap('dialog button', 0)
    expect(await example.rows('13800138009')).toHaveLength(1)
    await page.tap('.dangerous')
    await page.tap('dialog button', 1)
    await shows('您的数据已删除')
    expect(await example.rows('13800138009')).toEqual([])
  })

  test.each([
    [320, false],
    [430, false],
    [375, true],
  ])('fits %i px, dark: %s', async (width, dark) => {
    await page.resize(width, { dark })
    const fits = () =>
      page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')
    await fillIn('13800138010', [
      '一段相当长的文字，'.repeat(12),
      'averylongwordwithoutanyspaceinit'.repeat(3),
    ])
    expect(await fits()).toBe(true)
    await submit()
    await onResult()
    expect(await fits()).toBe(true)
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(background).toBe(dark ? 'rgb(14, 16, 19)' : 'rgb(244, 246, 248)')
  })

  test('every button, field and star has a name for a screen reader', async () => {
    const nameless = `[...document.querySelectorAll('input, textarea, [role]')]
      .filter((each) => !(each.getAttribute('aria-label') || each.innerText.trim()))
      .map((each) => each.outerHTML)`
    expect(await page.evaluate(nameless)).toEqual([])
    await fillIn('13800138011')
    await submit()
    await onResult()
    expect(await page.evaluate(nameless)).toEqual([])
  })

  // UPDATE_SCREENSHOTS=1 writes the pictures that the README shows.
  test.runIf(process.env.UPDATE_SCREENSHOTS)('pictures for the README', async () => {
    const acc_nbr = '13800138000'
    const settled = 'document.getAnimations().every((each) => each.playState === "finished")'
    await mkdir(screenshots, { recursive: true })
    const { token } = await example.world.logIn('oPictureOperator')
    example.setNumber(person, acc_nbr)
    const others = [
      { grade1: 4, grade2: 4, grade3: 3, txt1: '等了一会儿，办理很快' },
      { grade1: 5, grade2: 5, grade3: 5, txt1: '态度特别好' },
      { grade1: 3, grade2: 4, grade3: 4, txt1: '' },
      { grade1: 5, grade2: 5, grade3: 4, txt1: '一次就办好了', txt2: '窗口可以再多一个' },
    ]
    for (const each of others) {
      await example.world.call('POST /score', {
        body: rating({ acc_nbr, txt3: '', ...each }),
        token,
      })
    }
    await page.tap('[role=link]')
    await page.tap('[open-type=getPhoneNumber]')
    await shows('已绑定')
    await page.tap('#back')
    await fillIn(acc_nbr, ['师傅很专业，讲得也清楚'])
    await page.evaluate('document.activeElement.blur(), window.scrollTo(0, 0)')
    await page.until('!document.getElementById("toast")')
    await page.until(settled)
    await writeFile(path.join(screenshots, 'rate.png'), await page.screenshot({ screenOnly: true }))
    await submit()
    await onResult()
    await page.until('!document.getElementById("toast")')
    await page.until(`${MINE} === 5`)
    await page.until(settled)
    await writeFile(
      path.join(screenshots, 'result.png'),
      await page.screenshot({ screenOnly: true }),
    )
  })
})

describe.skipIf(!chromiumPath)('the example on a phone, with grades of ten points', () => {
  let example: ExampleOnAPhone
  let chromium: Chromium
  beforeAll(async () => {
    const ratingForm = 'test/support/forms/ten-points.ts'
    ;[example, chromium] = await Promise.all([
      startExampleOnAPhone({ ratingForm }),
      startChromium(),
    ])
  })
  afterAll(async () => {
    await chromium?.close()
    await example?.close()
  })

  test('they are numbers to tap, zero among them, at 320 px too', async () => {
    const { page } = chromium
    await page.resize(320)
    await page.open(example.addressFor('oOfTenPoints'))
    await page.until('document.querySelectorAll("[role=radio]").length === 22')
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(
      true,
    )
    await page.type('wx-input input', '123456')
    await page.tap('[role=radio]', 0)
    await page.tap('[role=radio]', 21)
    await page.type('textarea', '很好')
    expect(await page.evaluate('document.querySelectorAll("[aria-checked=true]").length')).toBe(2)
    await page.tap('.primary')
    await page.until('document.querySelectorAll(".bars").length === 2')
    expect(await example.rows('123456')).toMatchObject([{ grade3: 0, grade2: 10, txt2: '很好' }])
    expect(page.errors()).toEqual([])
  })
})
