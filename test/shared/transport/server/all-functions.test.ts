import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { functionNames, projectFolder } from '../../../../scripts/build/bundle.ts'
import { readDeclarations } from '../../../../scripts/build/declarations.ts'
import { readEndpoints } from '../../../../scripts/openapi/endpoints.ts'
import {
  metricsPlace,
  unionOfEndpoints,
  unionOfParts,
} from '../../../../shared/transport/server/all-functions.ts'
import { everyFunction, part } from '../../../../shared/wiring/compose.ts'
import { rating } from '../../../support/ratings.ts'
import { startTcpProxy, type TcpProxy } from '../../../support/tcp-proxy.ts'
import {
  openWebFunctions,
  type WebFunctions,
  type WebProcess,
} from '../../../support/web-functions.ts'
import { startWorld, type World } from '../../../support/world.ts'

let world: World
let network: TcpProxy
let functions: WebFunctions
let server: WebProcess
let url: string
let metricsUrl: string
beforeAll(async () => {
  world = await startWorld()
  const database = new URL(world.environment.DATABASE_URL ?? '')
  network = await startTcpProxy({ targetPort: Number(database.port) })
  database.port = String(network.port)
  functions = await openWebFunctions({ ...world.environment, DATABASE_URL: database.href })
  server = await functions.startServer({ METRICS_PORT: '0' })
  url = await server.url
  metricsUrl = /^metrics at (http:\S+)$/m.exec(server.output())?.[1] ?? ''
})
afterAll(async () => {
  await functions?.close()
  await network?.close()
  await world?.close()
})

/** The status of an answer, and its text. */
async function ask(address: string): Promise<[status: number, text: string]> {
  const response = await fetch(address)
  return [response.status, (await response.text()).trim()]
}

const readiness = () => ask(`${url}/readyz`)

async function metrics(): Promise<string[]> {
  const response = await fetch(metricsUrl)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return (await response.text()).split('\n')
}

describe('all functions on one port', () => {
  function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    return fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  test('log a person in, take a rating, and give it back', async () => {
    const { code } = await world.code()
    const login = await post('/login', { code })
    const { token } = (await login.json()) as { token: string }
    const mine = { authorization: `JWT ${token}` }
    expect((await post('/score', rating({ txt1: '一起' }), mine)).status).toBe(201)
    const page = await (await post('/query', { acc_nbr: '13800138000' }, mine)).json()
    expect(page).toMatchObject({ items: [{ txt1: '一起' }] })
  })

  test('answer every route that some function has: none is unknown, whatever else it is', async () => {
    const answers = await Promise.all(
      (await readEndpoints()).map(async ({ endpoint: { route } }) => {
        const [method = '', path = ''] = route.split(' ')
        const response = await fetch(`${url}${path}`, { method })
        return [route, [404, 405, 500, 503].includes(response.status)]
      }),
    )
    expect(answers.length).toBeGreaterThan(10)
    expect(answers.filter(([, isUnknown]) => isUnknown)).toEqual([])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    expect((await fetch(`${url}/score`, { method: 'PUT' })).headers.get('allow')).toBe('GET, POST')
  })
})

describe('the server says', () => {
  test('that it is up, and that it can be given work', async () => {
    expect(await ask(`${url}/healthz`)).toEqual([200, 'up'])
    expect(await readiness()).toEqual([200, 'ready'])
  })

  test('that it can be given none while the database does not answer, and that it can again', async () => {
    network.mode({ kind: 'reset' })
    await expect.poll(readiness).toEqual([503, 'the database does not answer'])
    expect(await ask(`${url}/healthz`)).toEqual([200, 'up'])
    network.mode({ kind: 'pass' })
    await expect.poll(readiness).toEqual([200, 'ready'])
  })

  test('what it did, by route, status and code, and nothing about people', async () => {
    const lines = await metrics()
    expect(lines).toContain('miniscore_requests_total{route="POST /login",status="200",code=""} 1')
    expect(lines).toContain('miniscore_requests_total{route="",status="404",code="not-found"} 1')
    expect(lines).toContain('miniscore_request_seconds_count{route="POST /login"} 2')
    expect(lines).toContain('miniscore_request_seconds_bucket{route="POST /login",le="+Inf"} 2')
    expect(lines).toContain('miniscore_database_left_alone 0')
    expect(lines).toContain('miniscore_requests_inside 0')
    expect(lines.join()).not.toMatch(/13800138000|healthz/)
    for (const line of lines.filter(Boolean)) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/,
      )
    }
  })

  test('that only on a port of its own, which is not open to others', async () => {
    expect((await ask(`${url}/metrics`))[0]).toBe(404)
    expect(metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:/)
    expect(await ask(metricsUrl.replace('/metrics', '/form'))).toEqual([
      404,
      'there is /metrics here',
    ])
    expect(await ask(metricsUrl.replace('metrics', 'readyz'))).toEqual([200, 'ready'])
  })

  test('that it takes no more work once it is told to stop, while it answers what is under way', async () => {
    const { code } = await world.code()
    world.wechat.addFault({ kind: 'slow', path: '/sns/jscode2session', delayMs: 800 })
    world.wechat.clearRequests()
    const slow = fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    })
    await expect.poll(() => world.wechat.requests().length).toBeGreaterThan(0)
    server.signal('SIGTERM')
    await expect.poll(() => ask(metricsUrl.replace('metrics', 'readyz'))).toEqual([503, 'stopping'])
    expect((await slow).status).toBe(200)
    expect(await server.exited).toBe(0)
  })
})

test.each([
  [
    'no variables',
    Object.fromEntries(['DATABASE_URL', 'TOKEN_KEYS'].map((name) => [name, ''])),
    /TOKEN_KEYS is not set.*DATABASE_URL is not set/,
  ],
  [
    'a database of another driver',
    { DATABASE_URL: 'mysql://u:pass-word@h/d' },
    /DATABASE_URL needs another driver/,
  ],
  ['a bad port for metrics', { METRICS_PORT: 'x' }, /METRICS_PORT should be a number/],
])('with %s it ends with 1 at once and says why', async (_title, extra, sentence) => {
  const wrong = await functions.startServer(extra)
  expect(await wrong.exited).toBe(1)
  expect(wrong.output()).toMatch(sentence)
  expect(wrong.output()).not.toContain('pass-word')
})

test('it starts by the file of a stage alone, as .env.example has it, comments and all', async () => {
  const file = await functions.file('server')
  const values = { ...world.environment, PORT: '0' }
  const example = readFileSync(path.join(projectFolder, '.env.example'), 'utf8')
  const filled = Object.entries(values).reduce(
    (text, [name, value]) => text.replace(new RegExp(`^#?${name}=.*$`, 'm'), `${name}=${value}`),
    example,
  )
  const stageFile = path.join(path.dirname(file), '.env.prod')
  writeFileSync(stageFile, filled)
  const child = spawn(process.execPath, [`--env-file=${stageFile}`, file], { env: {} })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exited = new Promise((resolve) => child.once('close', resolve))
  await expect.poll(() => output).toContain('listening on')
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})

test('metrics are on the loopback unless somebody says otherwise, and nowhere unless asked for', () => {
  expect(metricsPlace({})).toBeUndefined()
  expect(metricsPlace({ METRICS_PORT: '9100' })).toEqual({ port: 9100, host: '127.0.0.1' })
  expect(metricsPlace({ METRICS_PORT: '9100', METRICS_HOST: '::1' })).toMatchObject({ host: '::1' })
})

describe('what the functions declare, joined', () => {
  test('holds every part of each; those of its own go before those that all have', async () => {
    const declared = await readDeclarations(functionNames)
    const union = unionOfParts([...declared.values()])
    const names = [...declared.values()].flatMap((parts) => Object.keys(parts))
    expect(Object.keys(union).sort()).toEqual([...new Set(names)].sort())
    expect(union.sessions).toBe(declared.get('login')?.sessions)
    expect(union.sessions).not.toBe(everyFunction.sessions)
    expect(union.limiter).toBe(everyFunction.limiter)
  })

  test('is refused where two functions mean different things by a name', () => {
    const [one, other] = [part([], () => 1), part([], () => 2)]
    expect(() => unionOfParts([{ thing: one }, { thing: other }])).toThrow(
      'different parts "thing"',
    )
    expect(unionOfParts([{ thing: one }, { thing: one }])).toMatchObject({ thing: one })
  })

  test('has each endpoint once, and is refused where two functions answer a route differently', async () => {
    const [first, second] = (await readEndpoints()).map(({ endpoint }) => endpoint)
    if (!first || !second) throw new Error('there are no endpoints')
    const both = [{ endpoints: [first, second] }, { endpoints: [second] }]
    expect(unionOfEndpoints(both)).toEqual([first, second])
    const otherwise = { endpoints: [{ ...first }] }
    expect(() => unionOfEndpoints([...both, otherwise])).toThrow(
      `answer ${first.route} differently`,
    )
  })
})
