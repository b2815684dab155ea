import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { type Chromium, chromiumPath, type PhonePage, startChromium } from '../support/chromium.ts'
import { type Command, startServerless } from '../support/local-command.ts'
import { poll } from '../support/patience.ts'

if (!chromiumPath)
  console.log(
    'No Chromium on this machine: the page of npm run dev is not tested (apt-get install chromium).',
  )

/** What is measured includes a slow machine. */
const OPENS_WITHIN_MS = 10_000

describe.skipIf(!chromiumPath)('the page of npm run dev', () => {
  let folder: string
  let dev: Command
  let address = ''
  let chromium: Chromium
  let page: PhonePage
  let openedMs = 0
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-try-it-'))
    dev = startServerless(['offline', '--data-folder', folder], { PORT: '0', WECHAT_PORT: '0' })
    const [[, url = ''], started] = await Promise.all([
      dev.until(/^ready {3}try it {10}(http:\S+)/m),
      startChromium(),
    ])
    address = url
    chromium = started
    page = chromium.page
    await page.resize(1280, { height: 900 })
    const startedAtMs = performance.now()
    await page.open(address)
    await formIsThere()
    openedMs = performance.now() - startedAtMs
  })
  afterAll(async () => {
    await chromium?.close()
    dev?.signal('SIGTERM')
    await dev?.exited
    await rm(folder, { recursive: true, force: true })
  })
  afterEach(() => expect(page.errors()).toEqual([]))

  const inPhone = 'document.querySelector("iframe").contentDocument'
  const formIsThere = () => page.until(`${inPhone}.querySelectorAll("textarea").length === 3`)
  const phoneShows = (text: string) =>
    page.until(`${inPhone}.body.innerText.includes(${JSON.stringify(text)})`)
  const ratingsOnPhone = () =>
    page.evaluate<number>(`${inPhone}.querySelectorAll("rating-card").length`)
  const resultIsThere = () => page.until(`${inPhone}.querySelectorAll(".bars").length === 3`)
  /** Hands the phone over, and waits until it is theirs. */
  async function choose(button: string, name = button): Promise<void> {
    const has = (text: string) => `each.innerText.includes(${JSON.stringify(text)})`
    const all = `[...document.querySelectorAll('.person, #new-person')]`
    await page.evaluate(`${all}.find((each) => ${has(button)}).click()`)
    const owner = `${all}.find((each) => ${has(name)} && each.querySelector(':checked'))`
    await page.until(`${inPhone}.location.search.includes(${owner}.querySelector('input').value)`)
    await page.until(`${inPhone}.querySelector('.page') !== null`)
  }
  async function openOnPhone(file: string): Promise<void> {
    const frame = 'document.querySelector("iframe").contentWindow'
    await page.evaluate(`${frame}.isLeft = true`)
    await page.tap(`[data-page="${file}"]`)
    await page.until(`!${frame}.isLeft && ${inPhone}.querySelector('.page') !== null`)
  }
  async function rate(acc_nbr: string, txt1: string): Promise<void> {
    await formIsThere()
    await page.type('iframe >>> wx-input input', acc_nbr)
    for (const star of [4, 8, 14]) await page.tap('iframe >>> [role=radio]', star)
    await page.type('iframe >>> textarea', txt1)
    await page.tap('iframe >>> .primary')
    await resultIsThere()
  }
  /** What the newest request to a route shows, opened. */
  const shownOf = (route: string) =>
    page.evaluate<{ status: string; curl: string; log: string }>(`(() => {
      const found = [...document.querySelectorAll('#requests details')].find(
        (each) => each.querySelector('.path').innerText === ${JSON.stringify(route)})
      const text = (selector) => found.querySelector(selector).textContent
      return { status: text('.status'), curl: text('.curl pre'), log: text('.log pre') }
    })()`)

  test('is open within seconds, with somebody’s phone on it', () => {
    expect(openedMs).toBeLessThan(OPENS_WITHIN_MS)
  })

  test('a rating given on the phone is seen as a request, in the log and in the database', async () => {
    await rate('13800138000', '很专业，谢谢')
    await expect.poll(async () => (await shownOf('POST /score')).log, poll).toContain('201')
    const shown = await shownOf('POST /score')
    expect(shown.status).toBe('201')
    expect(JSON.parse(shown.log)).toMatchObject({ route: 'POST /score', status: 201 })
    expect(shown.log).not.toContain('很专业')
    const row = '#table-ratings tbody tr'
    await page.until(`document.querySelector(${JSON.stringify(row)})?.innerText.includes("很专业")`)
    await page.until('document.querySelector("#table-users .sealed") !== null')

    const { stdout } = await promisify(execFile)('bash', ['-c', `${shown.curl} -sS -i`])
    // The same submission under its own key: the same rating, not a second one.
    expect(stdout).toMatch(/^HTTP\/1\.1 201 /)
    expect(stdout).toContain('数据提交成功')
    await page.until('document.querySelector("#requests .who").innerText.includes("curl")')
    expect(await page.evaluate(`document.querySelectorAll(${JSON.stringify(row)}).length`)).toBe(1)
  })

  test('others see what they may: a customer their own, holder and operator all', async () => {
    await choose('somebody new', '新人 1')
    await openOnPhone('pages/rate/rate')
    await rate('13800138000', '一般')
    expect(await ratingsOnPhone()).toBe(1)
    for (const [name, texts] of [
      ['小红', ['很专业', '一般']],
      ['王经理', ['很专业', '一般']],
    ] as const) {
      await choose(name)
      await resultIsThere()
      for (const text of texts) await phoneShows(text)
      expect(await ratingsOnPhone()).toBe(2)
    }
    await choose('小明')
    await resultIsThere()
    await phoneShows('很专业')
    expect(await ratingsOnPhone()).toBe(1)
    expect(await page.evaluate('document.getElementById("status").innerText')).toContain('小明')
  })

  test('the holder proved the number, which is stored sealed', async () => {
    expect((await shownOf('POST /login/phone')).status).toBe('200')
    const holders = 'document.querySelectorAll("#table-phone_holders tbody tr").length'
    expect(await page.evaluate(holders)).toBe(1)
    expect(await page.evaluate('document.getElementById("tables").textContent')).toMatch(
      /sealed, \d+ bytes/,
    )
  })

  test('an account in the rows opens its result on the phone', async () => {
    await choose('王经理')
    await openOnPhone('pages/rate/rate')
    await formIsThere()
    await page.evaluate('document.querySelector("#table-ratings td button").click()')
    await resultIsThere()
    await phoneShows('账号 13800138000')
    await page.tap('iframe >>> #back')
    await formIsThere()
  })

  // UPDATE_SCREENSHOTS=1 writes the picture that the README shows.
  test.runIf(process.env.UPDATE_SCREENSHOTS)('a picture for the README', async () => {
    await page.resize(1280, { height: 1120 })
    await choose('小红')
    await openOnPhone('pages/rate/rate')
    await rate('13800138000', '师傅讲得很清楚')
    await page.until(`${inPhone}.getElementById("toast") === null`)
    await page.until('document.getAnimations().every((each) => each.playState === "finished")')
    await page.evaluate('window.scrollTo(0, 0)')
    const file = path.join(projectFolder, 'test/miniprogram/screenshots/try-it.png')
    await writeFile(file, await page.screenshot({ screenOnly: true }))
  })

  test('whoever wants to be forgotten on the phone is gone from the rows', async () => {
    await choose('somebody new', '新人 2')
    await openOnPhone('pages/rate/rate')
    await rate('13800138001', '不要记住我')
    const rows = 'document.querySelector("#table-ratings").innerText'
    await page.until(`${rows}.includes('不要记住我')`)
    await openOnPhone('pages/me/me')
    await page.tap('iframe >>> [open-type=getPhoneNumber]')
    await phoneShows('已绑定')
    await page.tap('iframe >>> .dangerous')
    await page.tap('iframe >>> dialog button', 1)
    await phoneShows('您的数据已删除')
    await page.until(`!${rows}.includes('不要记住我')`)
  })

  test.each([
    [1280, 900, true],
    [390, 844, false],
    [390, 844, true],
  ])('fits %i × %i px, dark: %s', async (width, height, dark) => {
    await page.resize(width, { height, dark })
    const root = 'document.documentElement'
    const beyond = `[...document.querySelectorAll('body *')]
      .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest('.scroll'))
      .map((each) => each.outerHTML.slice(0, 80))`
    expect(await page.evaluate(beyond)).toEqual([])
    expect(await page.evaluate(`${root}.scrollWidth <= ${root}.clientWidth`)).toBe(true)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      dark ? 'rgb(14, 16, 19)' : 'rgb(243, 245, 247)',
    )
  })

  test('needs nothing from elsewhere, and may load nothing from elsewhere', async () => {
    for (const route of ['', 'try-it/phone/']) {
      const answer = await fetch(`${address}${route}`, { headers: { accept: 'text/html' } })
      const policy = answer.headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'; script-src 'self'")
      expect(policy).not.toMatch(/https?:|\*|unsafe-eval/)
    }
    const loaded =
      'performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin)'
    expect(new Set(await page.evaluate<string[]>(loaded))).toEqual(
      new Set([new URL(address).origin]),
    )
  })
})
