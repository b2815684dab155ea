/**
 * What the measured functions talk to: a private MariaDB, the offline PlanetScale in front of it and the
 * offline WeChat, both behind TLS, one person who is logged in, and the bundles themselves.
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { StoreDoor } from '../../shared/store/doors.ts'
import type { HttpReply } from '../../shared/transport/http-event.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { type Bundle, bundleFunction } from '../build/bundle.ts'
import type { Defer } from '../cli/closers.ts'
import { migrate, readMigrations } from '../database/migrations.ts'
import { toEvent } from '../local/events.ts'
import { FunctionProcess } from '../local/function-process.ts'
import {
  borrowServer,
  type DatabaseServer,
  startPrivateServer,
} from '../simulators/mysql-server/private-server.ts'
import type { ServerKind } from '../simulators/mysql-server/server-program.ts'
import { openMariaDbEngine } from '../simulators/planetscale/mariadb-engine.ts'
import { startOfflinePlanetScale } from '../simulators/planetscale/server.ts'
import { openSqliteEngine } from '../simulators/planetscale/sqlite-engine.ts'
import { selfSignedCertificate } from '../simulators/self-signed-certificate.ts'
import { startOfflineWeChat } from '../simulators/wechat/server.ts'
import { runtimeNode } from './measured-node.ts'
import { ratingFormFile } from './rating-form.ts'
import { startTlsTerminator } from './tls-terminator.ts'

export interface BackEnd {
  /** For files of the benchmark; deleted at the end. */
  folder: string
  /** The variables of functions built for a door; nothing for MySQL on a machine without MariaDB. */
  variables: { mysql: Record<string, string> | undefined; planetscale: Record<string, string> }
  /** PEM file of the authority behind both TLS servers. */
  authorityFile: string
  /** An access token of somebody with `ratingsOfCaller` ratings of `readAccount`. */
  token: string
  /** A fresh code of a person who never logged in. */
  issueCode(): string
  /** Statements the offline PlanetScale was asked so far. */
  statements(): number
}

/** Queried by the benchmarks; what they submit goes to other accounts. */
export const readAccount = '13800138000'
const ratingsOfCaller = 25

/**
 * Acknowledged writes do not wait for the disk: it would be the same wait for everybody and hide
 * what our own code costs.
 */
const serverOptions: Readonly<Record<ServerKind, (bufferPoolMB: number) => string[]>> = {
  MariaDB: (bufferPoolMB) => [...innoDbOptions(bufferPoolMB), '--innodb-log-file-size=128M'],
  MySQL: (bufferPoolMB) => [
    ...innoDbOptions(bufferPoolMB),
    '--loose-innodb-redo-log-capacity=256M',
  ],
  // Its embedded store is no measure of a cluster, and takes none of these.
  TiDB: () => [],
}

function innoDbOptions(bufferPoolMB: number): string[] {
  return ['--innodb-flush-log-at-trx-commit=2', `--innodb-buffer-pool-size=${bufferPoolMB}M`]
}

export interface MeasuringServerOptions {
  kind: ServerKind
  bufferPoolMB?: number
}

/** A private server set up for measuring; `TEST_DATABASE_URL` lends another one as it is. */
export async function startMeasuringServer(
  { kind, bufferPoolMB = 256 }: MeasuringServerOptions,
  defer: Defer,
): Promise<DatabaseServer | undefined> {
  const lent = process.env.TEST_DATABASE_URL
  const server = lent
    ? await borrowServer(lent)
    : await startPrivateServer(kind, {
        serverOptions: serverOptions[kind](bufferPoolMB),
      })
  if (server) defer(() => server.close())
  return server
}

/** A folder for one benchmark, deleted at the end. */
export async function temporaryFolder(defer: Defer): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-bench-'))
  defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Starts everything; without MariaDB the PlanetScale side runs on sql.js. */
export async function startBackEnd(
  defer: Defer,
  { bufferPoolMB = 256 }: { bufferPoolMB?: number } = {},
): Promise<BackEnd> {
  const folder = await temporaryFolder(defer)
  const mariaDb = await startMeasuringServer({ kind: 'MariaDB', bufferPoolMB }, defer)
  const mySqlUrl = await mariaDb?.createDatabase()
  const planetScale = await startOfflinePlanetScale({
    engine: mySqlUrl
      ? await openMariaDbEngine({ url: mySqlUrl })
      : await openSqliteEngine(':memory:'),
  })
  defer(() => planetScale.close())
  const db = await openDb(planetScale.url)
  await migrate(db, { migrations: await readMigrations() }).finally(() => db.close())

  const certificate = selfSignedCertificate(['localhost'])
  const authorityFile = path.join(folder, 'authority.pem')
  await writeFile(authorityFile, certificate.certificate)
  const appid = `wx${randomBytes(8).toString('hex')}`
  const secret = randomBytes(16).toString('hex')
  const wechat = await startOfflineWeChat({ appid, secret })
  defer(() => wechat.close())
  const secureWeChat = await startTlsTerminator(wechat.port, certificate)
  defer(() => secureWeChat.close())
  const { port, username, password } = new URL(planetScale.url)
  const secureStore = await startTlsTerminator(Number(port), certificate)
  defer(() => secureStore.close())

  const shared: Record<string, string> = {
    TOKEN_KEYS: randomKey('k1'),
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomBytes(32).toString('base64url'),
    WECHAT_APPID: appid,
    WECHAT_SECRET: secret,
    WECHAT_API_URL: secureWeChat.origin,
    ACCESS_TOKEN_SECONDS: '86400',
    LIMITS: 'off',
  }
  const secureStoreUrl = secureStore.origin.replace('://', `://${username}:${password}@`)
  const issueCode = (): string => wechat.issueCode({}).code
  const token = await prepareCaller(folder, issueCode(), {
    ...shared,
    DATABASE_URL: planetScale.url,
    WECHAT_API_URL: wechat.url,
  })
  return {
    folder,
    variables: {
      mysql: mySqlUrl ? { ...shared, DATABASE_URL: mySqlUrl } : undefined,
      planetscale: { ...shared, DATABASE_URL: secureStoreUrl },
    },
    authorityFile,
    token,
    issueCode,
    statements: () => planetScale.statements(),
  }
}

/** How a function is deployed, where nothing else is said: serverless.yml. */
export const deployed = { functionType: 'event', memorySizeMb: 128 } as const

/** Bundles by the folder they are made in: several contestants may run the same one. */
const bundles = new Map<string, Promise<Bundle>>()

/** A bundle as it is deployed, compiled ahead where the runtime's Node is at hand. */
export function deployedBundle(
  name: string,
  storeDoor: StoreDoor,
  folder: string,
  functionType: 'event' | 'web' = deployed.functionType,
): Promise<Bundle> {
  const outdir = path.join(folder, functionType, storeDoor)
  const key = path.join(outdir, name)
  const options = { ...deployed, functionType, storeDoor, outdir, codeCacheBy: runtimeNode }
  const made = bundles.get(key) ?? bundleFunction(name, { ...options, ratingForm: ratingFormFile })
  bundles.set(key, made)
  return made
}

/** @returns the file of one */
export async function bundleOf(...which: Parameters<typeof deployedBundle>): Promise<string> {
  return (await deployedBundle(...which)).file
}

/** The user a token is about, as the 16 bytes in hex under which their ratings are stored. */
export function userIdOf(token: string): string {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
  return (JSON.parse(claims) as { sub: string }).sub.replaceAll('-', '')
}

/** A handler that does nothing, to be measured against. @returns its file */
export async function writeNoOp(folder: string): Promise<string> {
  const file = path.join(folder, 'no-op.cjs')
  const source = "exports.main_handler = async () => ({ statusCode: 204, headers: {}, body: '' })"
  await writeFile(file, `${source}\n`)
  return file
}

/** The event of a JSON request, as a function URL hands it over. */
export function jsonEvent(route: string, body: unknown, token?: string): Record<string, unknown> {
  const [method = '', url = ''] = route.split(' ')
  const headers: Record<string, string> = {
    host: 'miniscore.example.com',
    'content-type': 'application/json',
    'user-agent': 'MicroMessenger Client',
    referer: 'https://servicewechat.com/wx0000000000000000/1/page-frame.html',
    ...(token === undefined ? {} : { authorization: `JWT ${token}` }),
  }
  const received = { method, url, headers, body: Buffer.from(JSON.stringify(body)) }
  return toEvent({ ...received, clientIp: '203.0.113.7' }, 'function-url')
}

/** A rating of an ordinary length. */
export function ratingOf(acc_nbr: string): Record<string, unknown> {
  return {
    acc_nbr,
    grade1: 5,
    grade2: 4,
    grade3: 3,
    txt1: '师傅准时上门，态度很好，问题一次解决。',
    txt2: '希望预约时间可以更灵活',
    txt3: '',
  }
}

/** Logs somebody in and submits their ratings, through the functions themselves. @returns the access token */
async function prepareCaller(
  folder: string,
  code: string,
  environment: Record<string, string>,
): Promise<string> {
  const call = async (name: string, events: unknown[]): Promise<string> => {
    const file = await bundleOf(name, 'planetscale', path.join(folder, 'preparation'))
    const running = new FunctionProcess({ name, file, environment, timeoutMs: 10_000 })
    let body = ''
    try {
      for (const event of events) {
        const invocation = await running.invoke(event)
        const reply = invocation.ok ? (invocation.result as HttpReply) : undefined
        if (!reply || reply.statusCode >= 300) {
          throw new Error(`the preparation failed: ${name} answered ${JSON.stringify(invocation)}`)
        }
        body = reply.body
      }
    } finally {
      await running.stop()
    }
    return body
  }
  const { token } = JSON.parse(await call('login', [jsonEvent('POST /login', { code })])) as {
    token: string
  }
  const submission = jsonEvent('POST /score', ratingOf(readAccount), token)
  await call('submit-score', Array(ratingsOfCaller).fill(submission))
  return token
}

function randomKey(kid: string): string {
  return `${kid}:${randomBytes(32).toString('base64url')}`
}
