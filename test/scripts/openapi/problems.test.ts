import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../../scripts/build/bundle.ts'
import { describeApi } from '../../../scripts/openapi/document.ts'
import { exampleOf } from '../../../scripts/openapi/examples.ts'
import {
  problemCodes,
  problemsOf,
  problemsOfServers,
  problemsOutside,
  readsBody,
} from '../../../scripts/openapi/problems.ts'
import { inputSchema } from '../../../scripts/openapi/schemas.ts'
import type { FaultSpec } from '../../../scripts/simulators/wechat/faults.ts'
import { ratingPolicy } from '../../../shared/domain/rating.ts'
import type { ProblemBody, ProblemCode } from '../../../shared/problem.ts'
import { BODY_MAX_BYTES } from '../../../shared/transport/body.ts'
import {
  type DescribedApi,
  type ReceivedAnswer,
  readDescription,
} from '../../support/described-api.ts'
import { type DescribedPerson, livingBody, newPerson } from '../../support/described-people.ts'
import {
  type InProcessFunctions,
  type InProcessRequest,
  startInProcessFunctions,
} from '../../support/in-process-functions.ts'

let api: DescribedApi
let functions: InProcessFunctions
/** Whose every request is refused for something else than who they are. */
let person: DescribedPerson
/** Holds the number that others try to take over. */
let holder: DescribedPerson
beforeAll(async () => {
  const [document, started] = await Promise.all([describeApi(), startInProcessFunctions()])
  functions = started
  api = readDescription(document)
  person = await newPerson(functions, exampleFor('POST /score'))
  holder = await newPerson(functions, exampleFor('POST /score'))
  await ask('POST /login/phone', holder, { body: await livingExample('POST /login/phone', holder) })
})
afterAll(() => functions?.close())

const NOBODYS_UUID = '0198c3f0-7d2a-7c41-9b6e-5a1f0e3d2c4c'
const TIME_LIMIT_MS = 1200

function endpointOf(route: string) {
  const found = functions.endpoints.find(({ endpoint }) => endpoint.route === route)
  if (!found) throw new Error(`no endpoint ${route}`)
  return found.endpoint
}

/** A body that the route takes, with a code and without encrypted data. */
function exampleFor(route: string): Record<string, unknown> {
  return exampleOf(inputSchema(endpointOf(route)), ['code', 'loginCode'])
}

const livingExample = (route: string, somebody: DescribedPerson) =>
  livingBody(route, exampleFor(route), somebody, functions)

function ask(
  route: string,
  somebody: DescribedPerson | undefined,
  request: InProcessRequest = {},
): Promise<ReceivedAnswer> {
  const authorization = somebody ? { authorization: `JWT ${somebody.token}` } : {}
  return functions.ask(route, { ...request, headers: { ...authorization, ...request.headers } })
}

/** A request that succeeds, but for what a test does to it. */
async function goodRequest(route: string): Promise<InProcessRequest> {
  const at = route.slice(route.indexOf(' ') + 1).replace('{id}', NOBODYS_UUID)
  if (!readsBody(endpointOf(route))) return { path: at }
  return { path: at, body: await livingExample(route, person) }
}

type Provocation = (route: string) => Promise<ReceivedAnswer>

const withBody =
  (body: unknown, type = 'application/json'): Provocation =>
  (route) =>
    ask(route, person, { body, headers: { 'content-type': type } })
const withVariables =
  (environment: Record<string, string>): Provocation =>
  async (route) =>
    ask(route, person, { ...(await goodRequest(route)), environment })
/** Whatever the route asks WeChat goes wrong like this. */
const withWeChat =
  (fault: FaultSpec): Provocation =>
  async (route) => {
    await functions.wechat.clearFaults()
    functions.wechat.addFault({ path: '/sns/jscode2session', ...fault, times: 2 })
    const answer = await ask(route, person, await goodRequest(route))
    await functions.wechat.clearFaults()
    return answer
  }

/** A member that differs from the example, which has the highest. */
function lowestGrade(route: string): Record<string, unknown> {
  const properties = Object.entries(inputSchema(endpointOf(route)).properties ?? {})
  const grades = properties.flatMap(([name, schema]) =>
    typeof schema === 'object' && schema.minimum !== undefined ? [[name, schema.minimum]] : [],
  )
  return Object.fromEntries(grades.slice(0, 1))
}

/** How each problem comes about, on every route that has it. */
const provocations: Partial<Record<ProblemCode, Provocation>> = {
  'invalid-json': withBody('{'),
  'invalid-form': withBody('a=%zz', 'application/x-www-form-urlencoded'),
  'invalid-utf8': withBody(new Uint8Array([0x22, 0xff, 0x22])),
  'lone-surrogate': withBody('{"a":"\\ud800"}'),
  'too-deep': withBody('['.repeat(20)),
  'body-too-large': withBody(JSON.stringify('a'.repeat(BODY_MAX_BYTES))),
  'unsupported-media-type': withBody('{}', 'text/plain'),
  'invalid-field': (route) =>
    readsBody(endpointOf(route))
      ? withBody({ nonsense: 1 })(route)
      : ask(route, person, { path: `${route.split(' ')[1]}?cursor=x&limit=x` }),
  'not-logged-in': (route) => ask(route, undefined),
  unauthenticated: (route) => ask(route, undefined, { headers: { authorization: 'JWT x.y.z' } }),
  'too-many-requests': async (route) => {
    const provoke = withVariables({ LIMITS: 'user:1/3600,address:1/3600' })
    await provoke(route)
    const answer = await provoke(route)
    // The first may have ended what the person has, or the person.
    person = await newPerson(functions, exampleFor('POST /score'))
    return answer
  },
  'store-unavailable': withVariables({ DATABASE_URL: 'http://user:password@127.0.0.1:9' }),
  misconfigured: withVariables({}),
  internal: async (route) =>
    ask(route, person, {
      ...(await goodRequest(route)),
      handle: () => Promise.reject(new Error('a mistake')),
    }),
  'not-found': async (route) => ask(route, person, await goodRequest(route)),
  'refresh-rejected': withBody({ refreshToken: 'rt_of_nobody' }),
  'phone-code-rejected': withBody({ code: 'of-nobody' }),
  'session-key-stale': (route) => {
    const encrypted = { encryptedData: 'AAAA', iv: 'AAAA' }
    const code = route === 'POST /login' ? functions.wechat.issueCode({}) : {}
    return withBody({ ...encrypted, ...('code' in code ? { code: code.code } : {}) })(route)
  },
  'already-rated': async (route) => {
    for (let rated = 0; rated < (ratingPolicy?.atMost ?? 0); rated++)
      await ask(route, person, await goodRequest(route))
    return ask(route, person, await goodRequest(route))
  },
  'fresh-login-required': async (route) => {
    const { loginCode: _loginCode, ...body } = await livingExample(route, person)
    return withBody(route.endsWith('/me') ? {} : body)(route)
  },
  'idempotency-key-reused': async (route) => {
    const body = await livingExample(route, person)
    const headers = { 'idempotency-key': 'the-same' }
    await ask(route, person, { body, headers })
    return ask(route, person, { body: { ...body, ...lowestGrade(route) }, headers })
  },
  'wechat-rejected-code': withWeChat({ kind: 'errcode', errcode: 40163 }),
  'wechat-blocked-user': withWeChat({ kind: 'errcode', errcode: 40226 }),
  'wechat-rate-limited': withWeChat({ kind: 'errcode', errcode: 45011 }),
  'wechat-misconfigured': withWeChat({ kind: 'errcode', errcode: 40125 }),
  'wechat-bad-answer': withWeChat({ kind: 'html' }),
  'wechat-unavailable': withWeChat({ kind: 'errcode', errcode: -1 }),
}

/** Two requests at once with the same code, of which WeChat answers none. */
async function withoutAnswer(route: string): Promise<ReceivedAnswer[]> {
  const request = {
    ...(await goodRequest(route)),
    timeLimitMs: TIME_LIMIT_MS,
  }
  const body = { ...(request.body as object), ...(route === 'POST /login' ? { device: 'd' } : {}) }
  return Promise.all([
    ask(route, person, { ...request, body }),
    ask(route, person, { ...request, body }),
  ])
}

/** What the routes were seen to answer. */
const seen: { route: string; codes: Set<ProblemCode> }[] = []

describe('every problem that a route is said to answer', () => {
  test('comes about there, and is answered as described', async () => {
    for (const { endpoint } of functions.endpoints) {
      const { route } = endpoint
      const codes = new Set<ProblemCode>()
      for (const code of problemsOf(endpoint)) {
        const answer = await provocations[code]?.(route)
        if (!answer) continue
        expect([route, (answer.body as ProblemBody | undefined)?.code]).toEqual([route, code])
        expect(api.faultsOf(route, answer)).toEqual([])
        codes.add(code)
      }
      seen.push({ route, codes })
    }
    expect(seen.length).toBeGreaterThan(10)
  })

  test('also when WeChat does not answer, and when two ask the same at once', async () => {
    const asking = seen.filter(({ codes }) => codes.has('wechat-unavailable'))
    expect(asking.length).toBeGreaterThan(1)
    await functions.wechat.clearFaults()
    functions.wechat.addFault({ kind: 'hang', times: 100 })
    await Promise.all(
      asking.map(async ({ route, codes }) => {
        for (const answer of await withoutAnswer(route)) {
          expect(api.faultsOf(route, answer)).toEqual([])
          codes.add((answer.body as ProblemBody).code)
        }
      }),
    )
    await functions.wechat.clearFaults()
  })

  test('leaves none out but those of servers', () => {
    const missing = seen.map(({ route, codes }) => [
      route,
      problemsOf(endpointOf(route)).filter((code) => !codes.has(code)),
    ])
    expect(missing).toEqual(seen.map(({ route }) => [route, problemsOfServers]))
  })
})

test('those of servers are those that the server itself names', () => {
  const folder = path.join(projectFolder, 'shared/transport/server')
  const sources = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'))
  const named = problemCodes.filter((code) => sources.some((text) => text.includes(`'${code}'`)))
  expect(named.sort()).toEqual([...problemsOfServers].sort())
})

test('the whole catalogue is described', () => {
  const described = new Set(functions.endpoints.flatMap(({ endpoint }) => problemsOf(endpoint)))
  // The form's policy may replace ratings, and then refuses none.
  if (ratingPolicy?.further !== 'refuse') described.add('already-rated')
  const others = problemCodes.filter((code) => !described.has(code))
  expect(others).toEqual(problemsOutside.filter((code) => !described.has(code)))
  expect(api.document.info.description).toContain(
    problemsOutside.map((code) => `\`${code}\``).join(', '),
  )
})

test('a problem that is not described is found', async () => {
  const route = 'GET /score'
  const answer = await ask(route, undefined)
  expect(api.faultsOf(route, answer)).toEqual([])
  const body = { ...(answer.body as ProblemBody), code: 'refresh-rejected' }
  expect(api.faultsOf(route, { ...answer, body }).length).toBeGreaterThan(0)
})
