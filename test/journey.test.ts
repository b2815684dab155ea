import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { heldFetch } from './support/held-answers.ts'
import { type Command, startScript, startServerless } from './support/local-command.ts'
import { articleForm, rating } from './support/ratings.ts'
import { describeOnServers } from './support/server-suites.ts'

/** What a new user does with `npm run dev` and three curl calls, over real HTTP, on built bundles. */
describe('log in, submit, query', () => {
  let data: string
  let dev: Command
  let gateway: string
  let wechat: string

  async function start(): Promise<void> {
    dev = startServerless(['offline', '--data-folder', data], { PORT: '0', WECHAT_PORT: '0' })
    wechat = (await dev.until(/^ready .*WeChat\s+(http:\S+)/m))[1] ?? ''
    gateway = (await dev.until(/^ready .*gateway\s+(http:\S+)/m))[1] ?? ''
  }

  beforeAll(async () => {
    data = await mkdtemp(path.join(os.tmpdir(), 'miniscore-journey-'))
    await start()
  })
  afterAll(async () => {
    dev?.signal('SIGTERM')
    await dev?.exited
    await rm(data, { recursive: true, force: true })
  })

  const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
    heldFetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  async function logIn(openid: string): Promise<string> {
    const { code } = (await (await post(`${wechat}/sim/codes`, { openid })).json()) as {
      code: string
    }
    const response = await post(`${gateway}/login`, { code })
    expect(response.status).toBe(200)
    return ((await response.json()) as { token: string }).token
  }

  const query = async (token: string) => {
    const headers = { authorization: `JWT ${token}` }
    const response = await post(`${gateway}/query`, { acc_nbr: '13800138000' }, headers)
    return (await response.json()) as { items: Record<string, unknown>[] }
  }

  let token: string
  test('a person logs in, submits as JSON and as the article’s form, and reads both back', async () => {
    token = await logIn('oJourney')
    const authorization = { authorization: `JWT ${token}` }
    const asJson = await post(`${gateway}/score`, rating(), authorization)
    expect(asJson.status).toBe(201)
    expect(await asJson.json()).toMatchObject({ message: '数据提交成功' })

    const asForm = await post(`${gateway}/score`, articleForm(rating({ txt1: '第二次' })), {
      ...authorization,
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(asForm.status).toBe(201)
    expect(await asForm.text()).toBe('"数据提交成功"')

    const { items } = await query(token)
    expect(items).toMatchObject([rating({ txt1: '第二次' }), rating()])
  })

  test('own ratings, the summary and the form answer through the same gateway', async () => {
    const headers = { authorization: `Bearer ${token}` }
    const own = await heldFetch(`${gateway}/score?limit=1`, { headers })
    expect(((await own.json()) as { items: unknown[] }).items).toHaveLength(1)
    const summary = await post(`${gateway}/query/summary`, { acc_nbr: '13800138000' }, headers)
    expect(await summary.json()).toMatchObject({ count: 2, grades: { grade1: { mean: 5 } } })
    expect((await heldFetch(`${gateway}/form`)).headers.get('etag')).not.toBeNull()
  })

  test('bytes that are no UTF-8, wrong paths and wrong methods are answered as problems', async () => {
    const headers = { authorization: `JWT ${token}`, 'content-type': 'application/json' }
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])
    const broken = await heldFetch(`${gateway}/score`, { method: 'POST', headers, body })
    expect(await broken.json()).toMatchObject({ code: 'invalid-utf8' })
    expect((await heldFetch(`${gateway}/nowhere`)).status).toBe(404)
    const wrong = await heldFetch(`${gateway}/query`, { method: 'DELETE' })
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
  })

  test('each function sees its own variables only, and logs hold no secret', () => {
    expect(dev.output()).toContain('"function":"submit-score"')
    expect(dev.output()).not.toContain(token)
    expect(dev.output()).not.toContain('13800138000')
  })

  test('Ctrl-C ends everything, and after a restart the data and the token are still good', async () => {
    dev.signal('SIGINT')
    expect(await dev.exited).toBe(0)
    await expect(heldFetch(`${gateway}/form`)).rejects.toThrow()
    await start()
    expect((await query(token)).items).toHaveLength(2)
  })

  test('a second dev on the same port says so and ends with 1', async () => {
    const other = await mkdtemp(path.join(os.tmpdir(), 'miniscore-other-'))
    const port = new URL(gateway).port
    const second = startServerless(['offline', '--data-folder', other], {
      PORT: port,
      WECHAT_PORT: '0',
    })
    expect(await second.exited).toBe(1)
    expect(second.output()).toContain(`Cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set PORT.`)
    await rm(other, { recursive: true, force: true })
  })
})

describeOnServers('the same walk on other databases', ({ freshDatabase }) => {
  test.each([
    ['MySQL over TCP', ''],
    ['the offline PlanetScale in front of MySQL', 'planetscale+'],
  ])('%s', async (_name, prefix) => {
    const data = await mkdtemp(path.join(os.tmpdir(), 'miniscore-journey-'))
    const database = `${prefix}${await freshDatabase()}`
    const dev = startServerless(['offline', '--data-folder', data, '--database', database], {
      PORT: '0',
      WECHAT_PORT: '0',
    })
    try {
      const [, wechat] = await dev.until(/^ready .*WeChat\s+(http:\S+)/m)
      const [, gateway] = await dev.until(/^ready .*gateway\s+(http:\S+)/m)
      const post = async (
        url: string,
        body: unknown,
        headers = {},
      ): Promise<Record<string, unknown>> => {
        const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
        return (await heldFetch(url, { ...init, body: JSON.stringify(body) })).json() as never
      }
      const { code } = await post(`${wechat}/sim/codes`, {})
      const { token } = await post(`${gateway}/login`, { code })
      const authorization = { authorization: `JWT ${token}` }
      await post(`${gateway}/score`, rating(), authorization)
      const query = { acc_nbr: '13800138000' }
      expect(await post(`${gateway}/query`, query, authorization)).toMatchObject({
        items: [rating()],
      })
      expect(await post(`${gateway}/query/summary`, query, authorization)).toMatchObject({
        count: 1,
      })
    } finally {
      dev.signal('SIGTERM')
      await dev.exited
      await rm(data, { recursive: true, force: true })
    }
  })
})

describe('npm run invoke', () => {
  test('an event is answered on standard output', async () => {
    const memory = ['--database', 'sqlite::memory:']
    const event = 'test/events/invoke-form.json'
    const invoke = startScript('invoke.ts', ['query-scores', event, ...memory])
    expect(await invoke.exited).toBe(0)
    expect(invoke.output()).toContain('"statusCode": 200')
    expect(invoke.output()).toContain('acc_nbr')
  })

  test.each([
    [['login', 'test/events/missing.json'], 'cannot be read'],
    [['login', 'LICENSE'], 'is not JSON'],
    [['nothing', 'test/events/invoke-form.json'], 'There is no function "nothing"'],
    [[], 'Usage'],
  ])('%j ends with 1 and a sentence', async (args, sentence) => {
    const invoke = startScript('invoke.ts', args)
    expect(await invoke.exited).toBe(1)
    expect(invoke.output()).toContain(sentence)
  })
})
