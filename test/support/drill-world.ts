/**
 * The whole system of a drill inside the test: the bundles as they are built, or with a control taken out of them, an offline
 * WeChat, and a database behind the offline PlanetScale or over TCP. Quick enough for thousands of calls.
 */

import { randomBytes } from 'node:crypto'
import { functionNames } from '../../scripts/build/bundle.ts'
import { startLocalDatabase } from '../../scripts/database/local-database.ts'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import { variablesOf } from '../../scripts/local/local-function.ts'
import { matchesPath } from '../../scripts/local/offline.ts'
import { startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import type { Db } from '../../shared/store/db.ts'
import { storeDoorOf } from '../../shared/store/doors.ts'
import type { HttpReply } from '../../shared/transport/http-event.ts'
import type { MainHandler } from '../../shared/transport/invocation.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { type Answer, call, read } from './http-events.ts'
import { buildFunctions, type Patch, type StartInstance } from './patched-bundle.ts'
import { readService } from './service.ts'
import { type LoggedIn, randomKey } from './world.ts'

export type { LoggedIn } from './world.ts'

/** An answer, and all of it as one text, to be compared with another's. */
export interface WholeAnswer extends Answer {
  bytes: string
}

export type CallOptions = Parameters<typeof call>[2] & {
  /** Milliseconds that the platform gives the call. */
  timeLimitMs?: number
}

/** One instance of each function. */
export interface Instance {
  call(route: string, options?: CallOptions): Promise<WholeAnswer>
  /** An event of one's own. */
  handler(functionName: string): MainHandler
}

export interface DrillWorld extends Instance {
  /** Another instance of each function, whose variables and clock may differ. */
  instance(options?: { environment?: Record<string, string>; now?: () => number }): Instance
  logIn(openid?: string, fields?: Record<string, unknown>): Promise<LoggedIn>
  code(openid?: string): Promise<{ code: string; openid: string }>
  wechat: Awaited<ReturnType<typeof startOfflineWeChat>>
  /** What every function gets its variables of. */
  environment: Record<string, string>
  /** The database by another way than the functions'. */
  db: Db
  logLines: string[]
  close(): Promise<void>
}

export interface DrillWorldOptions {
  /** An empty one in memory by default. */
  databaseUrl?: string
  environment?: Record<string, string>
  patches?: readonly Patch[]
  /**
   * Puts something between further instances and the outside: gets the address, returns the one to use. The world's own calls,
   * which prepare things, go the direct way.
   */
  between?: (outside: 'database' | 'wechat', url: string) => Promise<string>
}

/** The id of every call, so that two answers can be the same bytes. */
const REQUEST_ID = 'drill'

export async function startDrillWorld(options: DrillWorldOptions = {}): Promise<DrillWorld> {
  const { databaseUrl = 'sqlite::memory:', patches = [], between = async (_, url) => url } = options
  const appid = `wx${randomBytes(8).toString('hex')}`
  const secret = randomBytes(16).toString('hex')
  const database = await startLocalDatabase(databaseUrl)
  const wechat = await startOfflineWeChat({ appid, secret })
  const environment: Record<string, string> = {
    DATABASE_URL: await between('database', database.url),
    TOKEN_KEYS: randomKey('k1'),
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomBytes(32).toString('base64url'),
    WECHAT_APPID: appid,
    LIMITS: 'off',
    WECHAT_SECRET: secret,
    WECHAT_API_URL: await between('wechat', wechat.url),
    ...options.environment,
  }
  const db = await openDb(database.url)
  await migrate(db, { migrations: await readMigrations() })
  const service = await readService()
  const built = await buildFunctions(functionNames, {
    storeDoor: storeDoorOf(environment.DATABASE_URL),
    patches,
  })
  const logLines: string[] = []

  const instance: DrillWorld['instance'] = (changes = {}) => {
    const variables = { ...environment, ...changes.environment }
    const handlers = service.map((declared) => {
      const start = built.get(declared.key) as StartInstance
      const { main_handler } = start({
        environment: variablesOf(declared, variables),
        onLine: (line) => logLines.push(line),
        ...(changes.now ? { now: changes.now } : {}),
      })
      return { declared, main_handler }
    })
    const found = (what: string, isIt: (handler: (typeof handlers)[number]) => boolean) => {
      const handler = handlers.find(isIt)
      if (!handler) throw new Error(`no function for ${what}`)
      return handler.main_handler
    }
    return {
      handler: (name) => found(name, ({ declared }) => declared.key === name),
      async call(route, { timeLimitMs = 10_000, ...request } = {}) {
        const path = route.split(' ')[1] ?? ''
        const main = found(path, ({ declared }) => matchesPath(declared.paths, path))
        let reply: HttpReply | undefined
        const context = { request_id: REQUEST_ID, time_limit_in_ms: timeLimitMs }
        await call(async (event) => (reply = await main(event, context)), route, request)
        const whole = reply as unknown as HttpReply
        const { statusCode, headers, body } = whole
        return { ...read(whole), bytes: JSON.stringify([statusCode, headers, body]) }
      },
    }
  }

  const direct = { DATABASE_URL: database.url, WECHAT_API_URL: wechat.url }
  const first = instance({ environment: { ...direct, ...options.environment } })
  const code = async (openid?: string): Promise<{ code: string; openid: string }> =>
    wechat.issueCode(openid === undefined ? {} : { openid })
  return {
    ...first,
    instance,
    async logIn(openid, fields = {}) {
      const issued = await code(openid)
      const { status, body } = await first.call('POST /login', {
        body: { code: issued.code, ...fields },
      })
      if (status !== 200) throw new Error(`login answered ${status}: ${JSON.stringify(body)}`)
      const { token, refreshToken } = body
      return { token, refreshToken, userId: body.user.id, openid: issued.openid }
    },
    code,
    wechat,
    environment,
    db,
    logLines,
    async close() {
      await db.close()
      await wechat.close()
      await database.close()
    },
  }
}
