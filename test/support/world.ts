/**
 * The whole system for a test: the built bundles in processes of their own, an offline WeChat and a
 * database behind the offline PlanetScale, with every address and secret made for this run.
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { bundleFunction, functionNames } from '../../scripts/build/bundle.ts'
import { startLocalDatabase } from '../../scripts/database/local-database.ts'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import { FunctionInstances } from '../../scripts/local/function-instances.ts'
import { variablesOf } from '../../scripts/local/local-function.ts'
import { matchesPath } from '../../scripts/local/offline.ts'
import { startOfflineWeChat } from '../../scripts/simulators/wechat/server.ts'
import { storeDoorOf } from '../../shared/store/doors.ts'
import type { HttpReply } from '../../shared/transport/http-event.ts'
import type { MainHandler } from '../../shared/transport/invocation.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { holdAgainstDescription } from './held-answers.ts'
import { type Answer, call } from './http-events.ts'
import { readService } from './service.ts'

export interface World {
  /** Sends a request to the function that owns its path, and holds the answer against the API's description. */
  call(route: string, options?: Parameters<typeof call>[2]): Promise<Answer>
  /** The handler of one function, for events of your own. */
  handler(functionName: string): MainHandler
  /** A `wx.cloud.callFunction` by the person of `written`, which is what the platform says of the caller. */
  callFunction(
    functionName: string,
    data: Record<string, unknown>,
    written: Record<string, string>,
  ): Promise<unknown>
  /** Logs somebody in, a new person unless `openid` is given; `fields` join the body of the login. */
  logIn(openid?: string, fields?: Record<string, unknown>): Promise<LoggedIn>
  /** A login code of the offline WeChat. */
  code(openid?: string): Promise<{ code: string; openid: string }>
  /** Ends the processes, as the platform recycles instances; the next call starts new ones. */
  restart(): Promise<void>
  wechat: Awaited<ReturnType<typeof startOfflineWeChat>>
  environment: Record<string, string>
  /** Everything the functions logged so far. */
  logLines: string[]
  close(): Promise<void>
}

export interface LoggedIn {
  refreshToken: string
  token: string
  userId: string
  openid: string
}

/** `kid:` and 32 random bytes, as the variables of keys want them. */
export function randomKey(kid: string): string {
  return `${kid}:${randomBytes(32).toString('base64url')}`
}

/** Starts a world on a database (an empty one in memory by default). */
export async function startWorld({
  databaseUrl = 'sqlite::memory:',
  environment: overrides = {},
  ratingForm,
}: {
  databaseUrl?: string
  environment?: Record<string, string>
  /** The file of another rating form than tests are built with. */
  ratingForm?: string
} = {}): Promise<World> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-world-'))
  const appid = `wx${randomBytes(8).toString('hex')}`
  const secret = randomBytes(16).toString('hex')
  const database = await startLocalDatabase(databaseUrl)
  const wechat = await startOfflineWeChat({ appid, secret })
  const environment: Record<string, string> = {
    DATABASE_URL: database.url,
    TOKEN_KEYS: randomKey('k1'),
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomBytes(32).toString('base64url'),
    WECHAT_APPID: appid,
    LIMITS: 'off',
    WECHAT_SECRET: secret,
    WECHAT_API_URL: wechat.url,
    ...overrides,
  }
  const db = await openDb(database.url)
  await migrate(db, { migrations: await readMigrations() })
  await db.close()

  const logLines: string[] = []
  const running = await Promise.all(
    (await readService()).map(async (declared) => {
      const { key: name, timeoutSeconds } = declared
      const { file } = await bundleFunction(name, {
        storeDoor: storeDoorOf(database.url),
        outdir: folder,
        ...(ratingForm ? { ratingForm } : {}),
      })
      const process = new FunctionInstances({
        name,
        file,
        environment: variablesOf(declared, environment),
        timeoutMs: timeoutSeconds * 1000,
        onLine: (line) => logLines.push(line),
      })
      return { declared, process }
    }),
  )

  const handlerOf =
    (process: FunctionInstances): MainHandler =>
    async (event) => {
      const invocation = await process.invoke(event)
      if (!invocation.ok) throw new Error(JSON.stringify(invocation.error))
      return invocation.result as HttpReply
    }
  const processAt = (requestPath: string): FunctionInstances => {
    const found = running.find(({ declared }) => matchesPath(declared.paths, requestPath))
    if (!found) throw new Error(`no function answers ${requestPath}`)
    return found.process
  }
  const code = async (openid?: string): Promise<{ code: string; openid: string }> =>
    wechat.issueCode(openid === undefined ? {} : { openid })
  const world: World = {
    async call(route, options) {
      const answer = await call(handlerOf(processAt(route.split(' ')[1] ?? '')), route, options)
      if (ratingForm === undefined) await holdAgainstDescription(route, answer)
      return answer
    },
    handler: (name) => {
      const found = running.find(({ declared }) => declared.key === name)
      if (!found) throw new Error(`no function ${name}; there are ${functionNames.join(', ')}`)
      return handlerOf(found.process)
    },
    async callFunction(name, data, written) {
      const found = running.find(({ declared }) => declared.key === name)
      const invocation = await found?.process.invoke(data, written)
      if (!invocation?.ok) throw new Error(JSON.stringify(invocation?.error))
      return invocation.result
    },
    async logIn(openid, fields = {}) {
      const issued = await code(openid)
      const { status, body } = await world.call('POST /login', {
        body: { code: issued.code, ...fields },
      })
      if (status !== 200) throw new Error(`login answered ${status}: ${JSON.stringify(body)}`)
      const { token, refreshToken } = body
      return { token, refreshToken, userId: body.user.id, openid: issued.openid }
    },
    code,
    wechat,
    environment,
    logLines,
    async restart() {
      await Promise.all(running.map(({ process }) => process.stop()))
    },
    async close() {
      await Promise.all(running.map(({ process }) => process.stop()))
      await wechat.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return world
}
