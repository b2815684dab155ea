/**
 * Environment → implementations, once per cold start. Each part reads only its own variables, so a
 * function that lists no `weChatFrom` never needs, or sees, the AppSecret.
 */

import * as v from 'valibot'
import type { Clock, Store, Tokens, WeChat } from './ports.ts'
import { createTokens } from './session/token.ts'
import type { Db } from './store/db.ts'
import { createStore } from './store/sql.ts'
import { createWeChat } from './wechat/client.ts'

export type Environment = Record<string, string | undefined>

/** Makes one need of a function. @throws {ConfigurationError} naming variables, never values */
export type Part<Need> = (env: Environment) => Need

/** A part for each need of a function. */
export type Parts<Needs> = { [Name in keyof Needs]: Part<Needs[Name]> }

/** One or more variables are missing or not acceptable. */
export class ConfigurationError extends Error {
  readonly variables: readonly string[]

  constructor(variables: readonly string[]) {
    super(`missing or not acceptable: ${variables.join('; ')}`)
    this.name = 'ConfigurationError'
    this.variables = variables
  }
}

/** Makes all parts, and reports all variables that are wrong at once. @throws {ConfigurationError} */
export function compose<Needs extends object>(parts: Parts<Needs>, env: Environment): Needs {
  const wrong = new Set<string>()
  const needs: Partial<Needs> = {}
  for (const name of Object.keys(parts) as (keyof Needs)[]) {
    try {
      needs[name] = parts[name](env)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const variable of error.variables) wrong.add(variable)
    }
  }
  if (wrong.size > 0) throw new ConfigurationError([...wrong])
  return needs as Needs
}

export const systemClock: Clock = { now: () => Date.now() }

export function clockFrom(): Clock {
  return systemClock
}

/** Which database driver a bundle carries; set by the build. Sources run without it and carry both. */
declare const STORE_DOOR: 'planetscale' | 'mysql' | undefined
const builtDoor = typeof STORE_DOOR === 'undefined' ? undefined : STORE_DOOR

/** Longest wait for one statement. */
const DATABASE_BUDGET_MS = 3000

/** The store behind `DATABASE_URL`; its driver is loaded at the first statement. */
export function storeFrom(env: Environment): Store {
  const { DATABASE_URL: url } = read(env, { DATABASE_URL: DatabaseUrl })
  return createStore(lazyDb(() => openDb(url)))
}

/** The database behind `url`, for functions and for commands. */
export async function openDb(url: string): Promise<Db> {
  const timeoutMs = (): number => DATABASE_BUDGET_MS
  // Spelt out, so that the build can drop the driver that a bundle does not carry.
  if ((typeof STORE_DOOR === 'undefined' || STORE_DOOR === 'mysql') && doorOf(url) === 'mysql') {
    const { openMySql } = await import('./store/mysql.ts')
    return openMySql({ url, timeoutMs, connections: 1 })
  }
  if (typeof STORE_DOOR === 'undefined' || STORE_DOOR === 'planetscale') {
    const { openPlanetScale } = await import('./store/planetscale.ts')
    return openPlanetScale({ url, timeoutMs })
  }
  throw new ConfigurationError(['DATABASE_URL: this bundle was built for mysql:'])
}

export function weChatFrom(env: Environment): WeChat {
  const variables = read(env, {
    WECHAT_APPID: AppId,
    WECHAT_SECRET: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{16,128}$/)),
    WECHAT_API_URL: v.optional(ApiUrl, 'https://api.weixin.qq.com'),
  })
  return createWeChat({
    appid: variables.WECHAT_APPID,
    secret: variables.WECHAT_SECRET,
    apiUrl: variables.WECHAT_API_URL,
  })
}

/** The mini program's appid: half of every person's identity, and the audience of tokens. */
export function appidFrom(env: Environment): string {
  return read(env, { WECHAT_APPID: AppId }).WECHAT_APPID
}

export function tokensFrom(env: Environment): Tokens {
  const { TOKEN_KEYS: keys, WECHAT_APPID: appid } = read(env, {
    TOKEN_KEYS: KeyRing,
    WECHAT_APPID: AppId,
  })
  return createTokens({
    keys: keys.map(({ kid, bytes }) => ({ kid, secret: bytes })),
    issuer: 'miniscore',
    audience: appid,
    lifetimeSeconds: ACCESS_TOKEN_SECONDS,
    clockToleranceSeconds: 60,
    now: systemClock.now,
  })
}

const ACCESS_TOKEN_SECONDS = 2 * 60 * 60

/** Exact origins of browsers that may read answers; none by default. */
export function allowedOriginsFrom(env: Environment): readonly string[] {
  const { ALLOWED_ORIGINS: origins } = read(env, { ALLOWED_ORIGINS: Origins })
  return origins
}

const AppId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{4,64}$/))

const ApiUrl = v.pipe(v.string(), v.check(isSecureOrLoopback))

const DatabaseUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = parseUrl(text)
    if (!url || url.username === '' || url.hostname === '') return false
    return url.protocol === 'mysql:' || isSecureOrLoopback(text)
  }, 'should be https://user:password@host or mysql://user:password@host:3306/database'),
  v.check(
    (text) => builtDoor === undefined || doorOf(text) === builtDoor,
    `this bundle was built for ${builtDoor}; build again with the new DATABASE_URL`,
  ),
)

/** Which driver a database URL needs. */
export function doorOf(databaseUrl: string): 'planetscale' | 'mysql' {
  return databaseUrl.startsWith('mysql:') ? 'mysql' : 'planetscale'
}

const Origins = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) => text.split(',').flatMap((origin) => origin.trim() || [])),
  v.check(
    (origins) => origins.every((origin) => parseUrl(origin)?.origin === origin),
    'should be exact origins like https://example.com, separated by commas',
  ),
)

const KEY_MIN_BYTES = 32
/** Fewer different bytes than this in a key of 32 is a password or a pattern, not random. */
const KEY_MIN_DISTINCT_BYTES = 16

/** `kid:base64url[,kid:base64url …]`; the first key is the current one. */
const KeyRing = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map(parseKey)),
  v.array(
    v.nonNullable(
      v.custom<{ kid: string; bytes: Uint8Array }>((key) => key !== undefined),
      'should be kid:key with at least 32 random bytes in base64url',
    ),
  ),
  v.check((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'key ids repeat'),
)

function parseKey(text: string): { kid: string; bytes: Uint8Array } | undefined {
  const [, kid, encoded] = /^\s*([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+)={0,2}\s*$/.exec(text) ?? []
  if (kid === undefined || encoded === undefined) return undefined
  const bytes = new Uint8Array(Buffer.from(encoded, 'base64url'))
  const isStrong = bytes.length >= KEY_MIN_BYTES && new Set(bytes).size >= KEY_MIN_DISTINCT_BYTES
  return isStrong ? { kid, bytes } : undefined
}

function read<Entries extends v.ObjectEntries>(
  env: Environment,
  entries: Entries,
): v.InferOutput<v.ObjectSchema<Entries, undefined>> {
  const own: Environment = {}
  // An empty value in a deployment's environment means the same as none.
  for (const name of Object.keys(entries)) if (env[name]) own[name] = env[name]
  const parsed = v.safeParse(v.object(entries), own)
  if (parsed.success) return parsed.output
  throw new ConfigurationError(parsed.issues.map(describeVariable))
}

/** Own messages hold no values; valibot's may, and are replaced. */
function describeVariable(issue: v.BaseIssue<unknown>): string {
  const name = String(issue.path?.[0]?.key)
  if (issue.type === 'object') return `${name} is missing`
  const isOwn = issue.message.startsWith('should') || /^(this|key)/.test(issue.message)
  return isOwn ? `${name} ${issue.message}` : `${name} is not acceptable`
}

function isSecureOrLoopback(text: string): boolean {
  const url = parseUrl(text)
  if (url?.protocol === 'https:') return true
  return url?.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname)
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function lazyDb(open: () => Promise<Db>): Db {
  let opening: Promise<Db> | undefined
  const opened = (): Promise<Db> => {
    opening ??= open()
    return opening
  }
  return {
    query: async (sql, parameters) => (await opened()).query(sql, parameters),
    transaction: async (work) => (await opened()).transaction(work),
    close: async () => (await opening)?.close(),
  }
}
