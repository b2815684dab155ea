import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type OfflineWeChat, startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import { type Chromium, chromiumPath, type PhonePage, startChromium } from '../support/chromium.ts'

if (!chromiumPath)
  console.log('No Chromium on this machine: the page of the offline WeChat is not tested.')

const APPID = 'wx0123456789abcdef'
const SECRET = 'canary-secret-of-the-page'
const PERSON = 'oPersonOfThePage000000000000'

describe.skipIf(!chromiumPath)('the page of the offline WeChat', () => {
  let wechat: OfflineWeChat
  let chromium: Chromium
  let page: PhonePage
  beforeAll(async () => {
    ;[wechat, chromium] = await Promise.all([
      startOfflineWeChat({ appid: APPID, secret: SECRET, seed: 'the page' }),
      startChromium(),
    ])
    page = chromium.page
    await page.resize(1280, { height: 900 })
    await page.open(`${wechat.url}/`)
    await page.until('document.getElementById("apps").childElementCount > 0')
  })
  afterAll(async () => {
    await chromium?.close()
    await wechat?.close()
  })
  afterEach(() => expect(page.errors()).toEqual([]))

  const shows = (id: string, text: string) =>
    page.until(`document.getElementById("${id}").innerText.includes(${JSON.stringify(text)})`)
  const press = (key: string) => page.tap(`[data-key=${JSON.stringify(key)}]`)
  const fill = (id: string, value: string) =>
    page.evaluate(`document.getElementById("${id}").value = ${JSON.stringify(value)}`)
  const exchange = async (code: string) => {
    const query = new URLSearchParams({
      appid: APPID,
      secret: SECRET,
      js_code: code,
      grant_type: 'authorization_code',
    })
    return answerOf(await fetch(`${wechat.url}/sns/jscode2session?${query}`))
  }
  const answerOf = async (response: Response) => (await response.json()) as Record<string, unknown>
  const newestCode = () =>
    page.evaluate<string>('document.querySelector("#codes code")?.title ?? ""')
  const choose = (key: string, value: string) =>
    page.evaluate(`(() => {
      const select = document.querySelector(${JSON.stringify(`[data-key=${JSON.stringify(key)}]`)})
      select.value = ${JSON.stringify(value)}
      select.dispatchEvent(new Event('change'))
    })()`)

  test('somebody new gets a login code, and what became of it is seen', async () => {
    await press(`new ${APPID}`)
    await shows('codes', 'fresh')
    expect(await exchange(await newestCode())).toHaveProperty('openid')
    await shows('codes', 'used')
    await shows('requests', 'GET /sns/jscode2session')
    await page.tap('#requests summary')
    await shows('requests', 'js_code')
    // It stays open though the page is drawn anew, and shows no secret.
    await exchange('another')
    await shows('requests', '40029')
    await shows('requests', 'js_code')
    expect(await page.evaluate('document.body.innerText')).not.toContain(SECRET)
  })

  test('a person is blocked, ranked, and gets phone codes; the keyboard stays where it was', async () => {
    const { code } = wechat.issueCode({ openid: PERSON })
    await shows('people', PERSON)
    await press(`risk ${APPID} ${PERSON}`)
    await expect.poll(async () => (await exchange(code)).errcode).toBe(40226)
    await choose(`rank ${APPID} ${PERSON}`, '3')
    await press(`phone ${APPID} ${PERSON}`)
    await shows('status', 'A phone code: ')
    await shows('codes', 'phone')
    await page.evaluate(`document.querySelector('[data-key="code ${APPID} ${PERSON}"]').focus()`)
    wechat.issueCode({})
    const before = await page.evaluate<number>(
      'document.querySelectorAll("#people article").length',
    )
    wechat.issueCode({})
    await page.until(`document.querySelectorAll("#people article").length > ${before}`)
    expect(await page.evaluate('document.activeElement.dataset.key')).toBe(
      `code ${APPID} ${PERSON}`,
    )
    await press(`end ${APPID} ${PERSON}`)
    await shows('people', 'no session_key')
  })

  test('the clock is moved and stopped, and codes expire by it', async () => {
    wechat.issueCode({})
    await shows('codes', 'fresh')
    const before = wechat.clock.now()
    await page.tap('[data-advance-ms="300000"]')
    await page.until(
      '![...document.querySelectorAll("#codes .chip")].some((each) => each.innerText === "fresh")',
    )
    expect(wechat.clock.now() - before).toBeGreaterThanOrEqual(300_000)
    await page.tap('#stop')
    await page.until('document.getElementById("stop").ariaPressed === "true"')
    expect(wechat.clock.isStopped()).toBe(true)
    await page.tap('#real-time')
    await page.until('document.getElementById("stop").ariaPressed === "false"')
    expect(Math.abs(wechat.clock.now() - Date.now())).toBeLessThan(60_000)
  })

  test('a fault is ordered, waits, and happens', async () => {
    await fill('fault-path', '/sns/jscode2session')
    await fill('fault-errcode', '45011')
    await page.tap('#fault-form [type=submit]')
    await shows('faults', 'errcode 45011 /sns/jscode2session · once')
    expect(await exchange('anything')).toMatchObject({ errcode: 45011 })
    await shows('requests', '45011')
    await page.until('document.getElementById("faults").childElementCount === 0')
    await fill('fault-times', '0')
    await page.evaluate('document.getElementById("fault-form").noValidate = true')
    await page.tap('#fault-form [type=submit]')
    await page.until('document.getElementById("status").className === "wrong"')
    await shows('status', 'times: must be at least 1')
  })

  test('a word is added, changed and taken away', async () => {
    const { openid } = wechat.issueCode({})
    const query = { appid: APPID, secret: SECRET, grant_type: 'client_credential' }
    const body = JSON.stringify(query)
    const token = await answerOf(
      await fetch(`${wechat.url}/cgi-bin/stable_token`, { method: 'POST', body }),
    )
    const check = async () => {
      const text = { version: 2, scene: 2, openid, content: '页面上的坏词' }
      const path = `/wxa/msg_sec_check?access_token=${token.access_token}`
      const answer = await fetch(wechat.url + path, { method: 'POST', body: JSON.stringify(text) })
      return ((await answerOf(answer)).result as { suggest: string }).suggest
    }
    await fill('word', '坏词')
    await page.tap('#word-form [type=submit]')
    await shows('words', '坏词')
    expect(await check()).toBe('risky')
    await choose('suggest 坏词', 'review')
    await expect.poll(check).toBe('review')
    await press('remove 坏词')
    await page.until('!document.getElementById("words").innerText.includes("坏词")')
    expect(await check()).toBe('pass')
    await shows('apps', 'stable sha256:')
    await press(`revoke ${APPID}`)
    await shows('apps', 'no access token')
  })

  test('another mini program gets a secret, told once, and people of its own', async () => {
    await fill('app-appid', 'wxanother')
    await page.tap('#app-form [type=submit]')
    await shows('status', 'Its secret, told this once: ')
    await shows('apps', 'wxanother')
    await press('new wxanother')
    await shows('people', 'wxanother')
    await choose('state wxanother', 'secret-frozen')
    await expect
      .poll(async () => (await answerOf(await fetch(`${wechat.url}/sim/state`))).apps)
      .toMatchObject([{}, { appid: 'wxanother', state: 'secret-frozen' }])
  })

  test.each([
    [1280, 900, false],
    [1280, 900, true],
    [390, 844, false],
    [390, 844, true],
  ])('fits %i × %i px, dark: %s', async (width, height, dark) => {
    await page.resize(width, { height, dark })
    const root = 'document.documentElement'
    const beyond = `[...document.querySelectorAll('body *')]
      .filter((each) => each.getBoundingClientRect().right > innerWidth)
      .map((each) => each.outerHTML.slice(0, 80))`
    expect(await page.evaluate(beyond)).toEqual([])
    expect(await page.evaluate(`${root}.scrollWidth <= ${root}.clientWidth`)).toBe(true)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      dark ? 'rgb(14, 16, 19)' : 'rgb(243, 245, 247)',
    )
  })

  test('everything that can be pressed or filled in has a name', async () => {
    const nameless = `[...document.querySelectorAll('button, input, select, summary')]
      .filter((each) => !(each.innerText.trim() || each.ariaLabel || each.closest('label')))
      .map((each) => each.outerHTML)`
    expect(await page.evaluate(nameless)).toEqual([])
  })

  test('needs nothing from elsewhere, and may load nothing from elsewhere', async () => {
    const answer = await fetch(`${wechat.url}/`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'")
    expect(policy).not.toMatch(/https?:|\*|unsafe/)
    const loaded =
      'performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin)'
    expect(new Set(await page.evaluate<string[]>(loaded))).toEqual(new Set([wechat.url]))
  })

  // UPDATE_SCREENSHOTS=1 writes the picture that the page about it shows.
  test.runIf(process.env.UPDATE_SCREENSHOTS)('a picture for the README', async () => {
    wechat.reset()
    await page.resize(1280, { height: 1000 })
    const { code, openid } = wechat.issueCode({ unionid: 'uXiaoming' })
    for (let count = 0; count < 2; count++) await exchange(code)
    wechat.issuePhoneCode({ openid, phone: '13800138000' })
    const query = new URLSearchParams({
      appid: APPID,
      secret: SECRET,
      grant_type: 'client_credential',
    })
    const token = await answerOf(await fetch(`${wechat.url}/cgi-bin/token?${query}`))
    const text = JSON.stringify({ version: 2, scene: 2, openid, content: '服务很好' })
    const path = `/wxa/msg_sec_check?access_token=${token.access_token}`
    await fetch(wechat.url + path, { method: 'POST', body: text })
    wechat.issueCode({})
    wechat.addFault({ kind: 'errcode', errcode: 45011, path: '/sns/jscode2session', times: 3 })
    await page.open(`${wechat.url}/`)
    await page.tap('#requests summary')
    await page.evaluate('window.scrollTo(0, 0)')
    await shows('faults', '45011')
    const file = 'test/miniprogram/screenshots/offline-wechat.png'
    await writeFile(file, await page.screenshot({ screenOnly: true }))
  })

  test('everything is forgotten when asked to', async () => {
    await page.tap('#reset')
    await shows('status', 'Everything is forgotten.')
    await page.until('document.querySelectorAll("#people article, #codes li").length === 0')
    expect(wechat.requests()).toEqual([])
  })
})
