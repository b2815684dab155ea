/**
 * Environment → implementations, once per cold start. Each part reads only its own variables, so a
 * function that lists no `weChatFrom` never needs, or sees, the AppSecret.
 */

import * as v from 'valibot'
import { type Breaker, createBreaker } from './breaker.ts'
import { createLimiter, noLimiter } from './limits/limiter.ts'
import type {
  Clock,
  CodeClaimStore,
  CounterStore,
  Limiter,
  Lookup,
  PersonStore,
  PlatformSessions,
  RatingEraser,
  RatingStore,
  SessionStore,
  Sessions,
  Tokens,
  Vault,
  WeChat,
} from './ports.ts'
import { Problem, type ProblemCode } from './problem.ts'
import { createLookup } from './session/lookup.ts'
import { createPlatformSessions } from './session/platform-sessions.ts'
import { createSessionCheck } from './session/session-check.ts'
import { createSessions } from './session/sessions.ts'
import { createTokenSigner, createTokenVerifier, type TokenOptions } from './session/token.ts'
import { createVault } from './session/vault.ts'
import { createCodeClaimStore } from './store/code-claims.ts'
import { createCounterStore } from './store/counters.ts'
import { type Db, DbError } from './store/db.ts'
import { createPersonIdentities, createPersonStore } from './store/people.ts'
import { createRatingEraser } from './store/rating-erasure.ts'
import { createRatingStore } from './store/ratings.ts'
import {
  createPlatformSessionStore,
  createSessionLookup,
  createSessionStore,
} from './store/sessions.ts'
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
export const DATABASE_BUDGET_MS = 3000
/** Left over for our own answer when the platform's deadline is nearer than the budget. */
const RESERVE_MS = 200

let invocationEndsAtMs = Number.POSITIVE_INFINITY

/**
 * Tells the database how long this invocation may take. With several at a time (a Web function) the latest
 * counts for all; the budget of a statement still holds for each.
 */
export function beginInvocation(remainingMs: number): void {
  invocationEndsAtMs = performance.now() + remainingMs
}

function statementTimeoutMs(): number {
  const leftMs = invocationEndsAtMs - performance.now() - RESERVE_MS
  return Math.max(Math.min(DATABASE_BUDGET_MS, leftMs), 1)
}

/** Commands change schemas and count millions of rows. */
const COMMAND_BUDGET_MS = 60_000

/** One connection per environment, whatever number of stores is made over it. */
const databases = new WeakMap<Environment, Db>()

/** The database behind `DATABASE_URL`; its driver is loaded at the first statement. */
function dbFrom(env: Environment): Db {
  const known = databases.get(env)
  if (known) return known
  const { DATABASE_URL: url, DATABASE_CONNECTIONS: connections } = read(env, {
    DATABASE_URL: DatabaseUrl,
    DATABASE_CONNECTIONS: v.optional(Connections, '1'),
  })
  const db = guardedDb(lazyDb(() => openDb(url, { timeoutMs: statementTimeoutMs, connections })))
  databases.set(env, db)
  return db
}

export function ratingsFrom(env: Environment): RatingStore {
  return createRatingStore(dbFrom(env), systemClock.now)
}

export function ratingEraserFrom(env: Environment): RatingEraser {
  return createRatingEraser(dbFrom(env))
}

export function peopleFrom(env: Environment): PersonStore {
  return createPersonStore(dbFrom(env))
}

export function codeClaimsFrom(env: Environment): CodeClaimStore {
  return createCodeClaimStore(dbFrom(env))
}

export function countersFrom(env: Environment): CounterStore {
  return createCounterStore(dbFrom(env))
}

export function sessionStoreFrom(env: Environment): SessionStore {
  return createSessionStore(dbFrom(env))
}

/** Enough of sessions to tell who calls. */
export function sessionCheckFrom(env: Environment): Pick<Sessions, 'check'> {
  return createSessionCheck({ store: createSessionLookup(dbFrom(env)), now: systemClock.now })
}

export function sessionsFrom(env: Environment): Sessions {
  const { TOKEN_KEYS: keys } = read(env, { TOKEN_KEYS: KeyRing })
  return createSessions({
    store: sessionStoreFrom(env),
    tokens: createTokenSigner(tokenOptions(env)),
    keys: keys.map(({ kid, bytes }) => ({ kid, secret: bytes })),
    now: systemClock.now,
  })
}

/** Sessions of `wx.cloud.callFunction`. */
export function platformSessionsFrom(env: Environment): PlatformSessions {
  return createPlatformSessions({
    appid: appidFrom(env),
    people: createPersonIdentities(dbFrom(env)),
    store: createPlatformSessionStore(dbFrom(env)),
    now: systemClock.now,
  })
}

/** Seals session keys and phone numbers. */
export function vaultFrom(env: Environment): Vault {
  return createVault({ keys: read(env, { SEALING_KEYS: KeyRing }).SEALING_KEYS })
}

/** Finds phone numbers and codes without storing them. */
export function lookupFrom(env: Environment): Lookup {
  return createLookup({ key: read(env, { LOOKUP_KEY: Key }).LOOKUP_KEY })
}

/** Limits of requests by `LIMITS`; counted in the store. */
export function limiterFrom(env: Environment): Limiter {
  const { LIMITS: limits } = read(env, { LIMITS: Limits })
  if (limits === 'off') return noLimiter
  return createLimiter({
    counters: countersFrom(env),
    ...limits,
    now: systemClock.now,
    random: Math.random,
  })
}

/** User ids and openids of operators, who read everything. */
export function operatorsFrom(env: Environment): ReadonlySet<string> {
  return read(env, { OPERATORS: Operators }).OPERATORS
}

/** What becomes of the ratings of a person who wants to be forgotten. */
export function forgottenRatingsFrom(env: Environment): 'delete' | 'keep-anonymous' {
  const { ANONYMOUS_RATINGS: choice } = read(env, {
    ANONYMOUS_RATINGS: v.optional(
      v.picklist(['delete', 'keep'], 'should be keep or delete'),
      'delete',
    ),
  })
  return choice === 'keep' ? 'keep-anonymous' : 'delete'
}

export interface OpenDbOptions {
  timeoutMs?: () => number
  /** MySQL only: an event function has one request at a time and needs one. */
  connections?: number
}

/** The database behind `url`, for functions and, with a longer patience, for commands. */
export async function openDb(
  url: string,
  { timeoutMs = () => COMMAND_BUDGET_MS, connections = 1 }: OpenDbOptions = {},
): Promise<Db> {
  // Spelt out, so that the build can drop the driver that a bundle does not carry.
  if ((typeof STORE_DOOR === 'undefined' || STORE_DOOR === 'mysql') && doorOf(url) === 'mysql') {
    const { openMySql } = await import('./store/mysql.ts')
    return openMySql({ url, timeoutMs, connections })
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
  return guardedWeChat(
    createWeChat({
      appid: variables.WECHAT_APPID,
      secret: variables.WECHAT_SECRET,
      apiUrl: variables.WECHAT_API_URL,
      now: systemClock.now,
    }),
    createBreaker({ now: systemClock.now }),
  )
}

/** The mini program's appid: half of every person's identity, and the audience of tokens. */
export function appidFrom(env: Environment): string {
  return read(env, { WECHAT_APPID: AppId }).WECHAT_APPID
}

/** Verifies access tokens. */
export function tokensFrom(env: Environment): Pick<Tokens, 'verify'> {
  return createTokenVerifier(tokenOptions(env))
}

function tokenOptions(env: Environment): TokenOptions {
  const variables = read(env, {
    TOKEN_KEYS: KeyRing,
    WECHAT_APPID: AppId,
    ACCESS_TOKEN_SECONDS: v.optional(Seconds, String(ACCESS_TOKEN_SECONDS)),
  })
  return {
    keys: variables.TOKEN_KEYS.map(({ kid, bytes }) => ({ kid, secret: bytes })),
    issuer: 'miniscore',
    audience: variables.WECHAT_APPID,
    lifetimeSeconds: variables.ACCESS_TOKEN_SECONDS,
    clockToleranceSeconds: 60,
    now: systemClock.now,
  }
}

const ACCESS_TOKEN_SECONDS = 15 * 60

const Seconds = v.pipe(
  v.string(),
  v.regex(/^[0-9]{2,5}$/),
  v.transform(Number),
  v.check((seconds) => seconds >= 60 && seconds <= 86_400, 'should be 60 to 86400 seconds'),
)

/** Exact origins of browsers that may read answers; none by default. */
export function allowedOriginsFrom(env: Environment): readonly string[] {
  const { ALLOWED_ORIGINS: origins } = read(env, { ALLOWED_ORIGINS: Origins })
  return origins
}

/** Whether answers of event functions are compressed, as base64; a server always compresses. */
export function compressFrom(env: Environment): boolean {
  const { COMPRESS: choice } = read(env, {
    COMPRESS: v.optional(v.picklist(['0', '1'], 'should be 1 or 0'), '0'),
  })
  return choice === '1'
}

const Connections = v.pipe(
  v.string(),
  v.regex(/^[1-9][0-9]?$/, 'should be 1 to 99'),
  v.transform(Number),
)

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

/** People submit and read a few ratings; a carrier's address may stand for thousands of them. */
const LIMITS_DEFAULT = 'user:120/60,address:600/60'

/** `user:REQUESTS/SECONDS,address:REQUESTS/SECONDS`, each per route, or `off`. */
const Limits = v.pipe(
  v.optional(v.string(), LIMITS_DEFAULT),
  v.transform((text) => (text === 'off' ? text : parseLimits(text))),
  v.nonOptional(
    v.custom<'off' | ReturnType<typeof parseLimits>>(() => true),
    'should be like user:120/60,address:600/60, or off',
  ),
)

function parseLimits(text: string) {
  const [, ...numbers] =
    /^user:([1-9][0-9]{0,6})\/([1-9][0-9]{0,4}),address:([1-9][0-9]{0,6})\/([1-9][0-9]{0,4})$/.exec(
      text,
    ) ?? []
  const [user, userSeconds, address, addressSeconds] = numbers.map(Number)
  if (!user || !userSeconds || !address || !addressSeconds) return undefined
  return {
    user: { requests: user, windowMs: userSeconds * 1000 },
    address: { requests: address, windowMs: addressSeconds * 1000 },
  }
}

const Operators = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) => new Set(text.split(',').flatMap((id) => id.trim() || []))),
  v.check(
    (ids) => [...ids].every((id) => /^[A-Za-z0-9_-]{6,64}$/.test(id)),
    'should be user ids or openids, separated by commas',
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
  const bytes = parseKeyBytes(encoded)
  return kid === undefined || bytes === undefined ? undefined : { kid, bytes }
}

function parseKeyBytes(encoded: string | undefined): Uint8Array | undefined {
  if (encoded === undefined || !/^[A-Za-z0-9_-]+={0,2}$/.test(encoded)) return undefined
  const bytes = new Uint8Array(Buffer.from(encoded, 'base64url'))
  const isStrong = bytes.length >= KEY_MIN_BYTES && new Set(bytes).size >= KEY_MIN_DISTINCT_BYTES
  return isStrong ? bytes : undefined
}

/** One key that is never rotated. */
const Key = v.pipe(
  v.string(),
  v.transform((encoded) => parseKeyBytes(encoded)),
  v.instance(Uint8Array, 'should be at least 32 random bytes in base64url'),
)

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

/** Stops asking a database that does not answer. */
function guardedDb(db: Db): Db {
  const breaker = createBreaker({ now: systemClock.now })
  const judge = {
    isFailure: (error: unknown) =>
      error instanceof DbError && (error.failure === 'unreachable' || error.failure === 'timeout'),
    refuse: () => new DbError('unreachable', { outcome: 'none' }),
  }
  return {
    query: (sql, parameters) => breaker.run(() => db.query(sql, parameters), judge),
    transaction: (work) => breaker.run(() => db.transaction(work), judge),
    close: () => db.close(),
  }
}

const WECHAT_FAILURES: ReadonlySet<ProblemCode> = new Set([
  'wechat-unavailable',
  'wechat-timeout',
  'wechat-bad-answer',
])

/** Stops asking WeChat while it does not answer; codes keep five minutes, clients come back. */
function guardedWeChat(wechat: WeChat, breaker: Breaker): WeChat {
  const judge = {
    isFailure: (error: unknown) => error instanceof Problem && WECHAT_FAILURES.has(error.code),
    refuse: () => new Problem('wechat-unavailable', { retryAfterSeconds: 2 }),
  }
  return {
    exchangeCode: (code, remainingMs) =>
      breaker.run(() => wechat.exchangeCode(code, remainingMs), judge),
    exchangePhoneCode: (code, remainingMs) =>
      breaker.run(() => wechat.exchangePhoneCode(code, remainingMs), judge),
  }
}
