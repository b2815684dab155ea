/** The functions in the process of the test, from their sources: real parts on a real database and an offline WeChat. */

import { randomBytes } from 'node:crypto'
import { functionNames } from '../../scripts/build/bundle.ts'
import { readDeclarations } from '../../scripts/build/declarations.ts'
import { startLocalDatabase } from '../../scripts/database/local-database.ts'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import { readEndpoints, type ServedEndpoint } from '../../scripts/openapi/endpoints.ts'
import { startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { serve } from '../../shared/transport/serve.ts'
import { openDb } from '../../shared/wiring/database.ts'
import type { ReceivedAnswer } from './described-api.ts'
import { randomKey } from './world.ts'

export interface InProcessFunctions {
  endpoints: readonly ServedEndpoint[]
  wechat: Awaited<ReturnType<typeof startOfflineWeChat>>
  /** Sends a request to a new instance of the function that has the route. */
  ask(route: string, request?: InProcessRequest): Promise<ReceivedAnswer>
  close(): Promise<void>
}

export interface InProcessRequest {
  /** In place of the route's own path, and with the query. */
  path?: string
  /** Text is sent as it is, bytes as base64, all else as JSON. */
  body?: unknown
  headers?: Record<string, string>
  /** Variables that are not as usual; `{}` leaves none. */
  environment?: Record<string, string>
  /** What the endpoint does in place of its own. */
  handle?: AnyEndpoint<never>['handle']
  /** Of the invocation. */
  timeLimitMs?: number
}

/** Starts a database and a WeChat for them. */
export async function startInProcessFunctions(): Promise<InProcessFunctions> {
  const appid = `wx${randomBytes(8).toString('hex')}`
  const secret = randomBytes(16).toString('hex')
  const [database, wechat, endpoints, declarations] = await Promise.all([
    startLocalDatabase('sqlite::memory:'),
    startOfflineWeChat({ appid, secret }),
    readEndpoints(),
    readDeclarations(functionNames),
  ])
  const db = await openDb(database.url)
  await migrate(db, { migrations: await readMigrations() })
  await db.close()
  const usual: Record<string, string> = {
    DATABASE_URL: database.url,
    TOKEN_KEYS: randomKey('k1'),
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomBytes(32).toString('base64url'),
    WECHAT_APPID: appid,
    WECHAT_SECRET: secret,
    WECHAT_API_URL: wechat.url,
    LIMITS: 'off',
  }

  return {
    endpoints,
    wechat,
    async ask(route, { path, body, headers = {}, environment, handle, timeLimitMs } = {}) {
      const served = endpoints.find(({ endpoint }) => endpoint.route === route)
      if (!served) throw new Error(`no endpoint ${route}`)
      const { home, endpoint } = served
      const handler = serve({
        functionName: home,
        parts: declarations.get(home) as never,
        endpoints: [{ ...endpoint, handle: handle ?? endpoint.handle }] as never,
        env:
          environment && Object.keys(environment).length === 0 ? {} : { ...usual, ...environment },
        log: { write() {} },
      })
      const [httpMethod = '', own = ''] = route.split(' ')
      const [at = '', query = ''] = (path ?? own).split('?')
      const isBytes = body instanceof Uint8Array
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
      const reply = await handler.http(
        {
          httpMethod,
          path: at,
          queryString: Object.fromEntries(new URLSearchParams(query)),
          headers: { 'content-type': 'application/json', ...headers },
          body: isBytes ? Buffer.from(body).toString('base64') : text,
          isBase64Encoded: isBytes,
          requestContext: { sourceIp: '203.0.113.7' },
        },
        timeLimitMs === undefined ? {} : { time_limit_in_ms: timeLimitMs },
      )
      return {
        status: reply.statusCode,
        headers: reply.headers,
        body: reply.body === '' ? undefined : JSON.parse(reply.body),
      }
    },
    async close() {
      await wechat.close()
      await database.close()
    },
  }
}
