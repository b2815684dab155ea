/**
 * Environment → implementations, once per cold start. Each part reads only its own variables, so a
 * function that lists no `weChatFrom` never needs, or sees, the AppSecret.
 */

import * as v from 'valibot'
import { type Breaker, createBreaker } from '../breaker.ts'
import { createLimiter, noLimiter, type Tallies } from '../limits/limiter.ts'
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
} from '../ports.ts'
import { Problem, type ProblemCode } from '../problem.ts'
import { createLookup } from '../session/lookup.ts'
import { createPlatformSessions } from '../session/platform-sessions.ts'
import { createSessionCheck } from '../session/session-check.ts'
import { createSessions } from '../session/sessions.ts'
import { createTokenSigner, createTokenVerifier, type TokenOptions } from '../session/token.ts'
import { createVault } from '../session/vault.ts'
import { createCodeClaimStore } from '../store/code-claims.ts'
import { createCounterStore } from '../store/counters.ts'
import type { Db } from '../store/db.ts'
import { createPersonIdentities, createPersonStore } from '../store/people.ts'
import { createRatingEraser } from '../store/rating-erasure.ts'
import { createRatingStore } from '../store/ratings.ts'
import {
  createPlatformSessionStore,
  createSessionLookup,
  createSessionStore,
} from '../store/sessions.ts'
import { createWeChat } from '../wechat/client.ts'
import { machine } from './clock.ts'
import {
  ApiUrl,
  AppId,
  ConfigurationError,
  type Environment,
  Key,
  KeyRing,
  Limits,
  Operators,
  Origins,
  readVariables,
  Seconds,
} from './configuration.ts'
import { databaseFrom } from './database.ts'

/** Makes one need of a function, for good or anew for each call. @throws {ConfigurationError} naming variables, never values */
export type Part<Need> = (env: Environment) => Need | PerCall<Need>

/** A part for each need of a function. */
export type Parts<Needs> = { [Name in keyof Needs]: Part<Needs[Name]> }

/** A need made for one call, which has `remainingMs()` left. */
export class PerCall<Need> {
  readonly make: (remainingMs: () => number) => Need

  constructor(make: (remainingMs: () => number) => Need) {
    this.make = make
  }
}

/**
 * Makes all parts, and reports all variables that are wrong at once. What it returns gives the needs of one call.
 * @throws {ConfigurationError}
 */
export function compose<Needs extends object>(
  parts: Parts<Needs>,
  env: Environment,
): (remainingMs: () => number) => Needs {
  const wrong = new Set<string>()
  const made: { [Name in keyof Needs]?: Needs[Name] | PerCall<Needs[Name]> } = {}
  for (const name of Object.keys(parts) as (keyof Needs)[]) {
    try {
      made[name] = parts[name](env)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const variable of error.variables) wrong.add(variable)
    }
  }
  if (wrong.size > 0) throw new ConfigurationError([...wrong])
  return (remainingMs) => {
    const needs = { ...made }
    for (const name in made) {
      const need = made[name]
      if (need instanceof PerCall) needs[name] = need.make(remainingMs)
    }
    return needs as Needs
  }
}

/** A need over the configured database, within the time of each call. */
function overDatabase<Need>(env: Environment, make: (db: Db) => Need): PerCall<Need> {
  const database = databaseFrom(env)
  return new PerCall((remainingMs) => make(database.forCall(remainingMs)))
}

/** The machine’s clock. */
export function clockFrom(): Clock {
  return machine
}

/** Ratings in the configured database. */
export function ratingsFrom(env: Environment): PerCall<RatingStore> {
  return overDatabase(env, (db) => createRatingStore(db, machine.now))
}

/** Removes people from ratings in the configured database. */
export function ratingEraserFrom(env: Environment): PerCall<RatingEraser> {
  return overDatabase(env, createRatingEraser)
}

/** People in the configured database. */
export function peopleFrom(env: Environment): PerCall<PersonStore> {
  return overDatabase(env, createPersonStore)
}

/** Claims on codes in the configured database. */
export function codeClaimsFrom(env: Environment): PerCall<CodeClaimStore> {
  return overDatabase(env, createCodeClaimStore)
}

/** Counters in the configured database. */
export function countersFrom(env: Environment): PerCall<CounterStore> {
  return overDatabase(env, createCounterStore)
}

/** Session rows in the configured database. */
export function sessionStoreFrom(env: Environment): PerCall<SessionStore> {
  return overDatabase(env, createSessionStore)
}

/** Enough of sessions to tell who calls. */
export function sessionCheckFrom(env: Environment): PerCall<Pick<Sessions, 'check'>> {
  return overDatabase(env, (db) =>
    createSessionCheck({ store: createSessionLookup(db), now: machine.now }),
  )
}

/** Sessions with their tokens: `TOKEN_KEYS`, `WECHAT_APPID`, `ACCESS_TOKEN_SECONDS`. */
export function sessionsFrom(env: Environment): PerCall<Sessions> {
  const options = tokenOptions(env)
  const tokens = createTokenSigner(options)
  return overDatabase(env, (db) =>
    createSessions({
      store: createSessionStore(db),
      tokens,
      keys: options.keys,
      now: machine.now,
    }),
  )
}

/** Sessions of `wx.cloud.callFunction`. */
export function platformSessionsFrom(env: Environment): PerCall<PlatformSessions> {
  const appid = appidFrom(env)
  return overDatabase(env, (db) =>
    createPlatformSessions({
      appid,
      people: createPersonIdentities(db),
      store: createPlatformSessionStore(db),
      now: machine.now,
    }),
  )
}

/** Seals session keys and phone numbers. */
export function vaultFrom(env: Environment): Vault {
  return createVault({ keys: readVariables(env, { SEALING_KEYS: KeyRing }).SEALING_KEYS })
}

/** Finds phone numbers and codes without storing them. */
export function lookupFrom(env: Environment): Lookup {
  return createLookup({ key: readVariables(env, { LOOKUP_KEY: Key }).LOOKUP_KEY })
}

/** Limits of requests by `LIMITS`; counted in the store. */
export function limiterFrom(env: Environment): Limiter | PerCall<Limiter> {
  const { LIMITS: limits } = readVariables(env, { LIMITS: Limits })
  if (limits === 'off') return noLimiter
  // An instance counts all its calls together.
  const tallies: Tallies = new Map()
  const { now, random } = machine
  return overDatabase(env, (db) =>
    createLimiter({ counters: createCounterStore(db), ...limits, now, random, tallies }),
  )
}

/** User ids and openids of operators, who read everything. */
export function operatorsFrom(env: Environment): ReadonlySet<string> {
  return readVariables(env, { OPERATORS: Operators }).OPERATORS
}

/** What becomes of the ratings of a person who wants to be forgotten. */
export function forgottenRatingsFrom(env: Environment): 'delete' | 'keep-anonymous' {
  const { ANONYMOUS_RATINGS: choice } = readVariables(env, {
    ANONYMOUS_RATINGS: v.optional(
      v.picklist(['delete', 'keep'], 'should be keep or delete'),
      'delete',
    ),
  })
  return choice === 'keep' ? 'keep-anonymous' : 'delete'
}

/** WeChat’s API behind a breaker: `WECHAT_APPID`, `WECHAT_SECRET`, `WECHAT_API_URL`. */
export function weChatFrom(env: Environment): WeChat {
  const variables = readVariables(env, {
    WECHAT_APPID: AppId,
    WECHAT_SECRET: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{16,128}$/)),
    WECHAT_API_URL: v.optional(ApiUrl, 'https://api.weixin.qq.com'),
  })
  return guardedWeChat(
    createWeChat({
      appid: variables.WECHAT_APPID,
      secret: variables.WECHAT_SECRET,
      apiUrl: variables.WECHAT_API_URL,
      now: machine.now,
      steadyMs: machine.steadyMs,
    }),
    createBreaker({ now: machine.now }),
  )
}

/** The mini program's appid: half of every person's identity, and the audience of tokens. */
export function appidFrom(env: Environment): string {
  return readVariables(env, { WECHAT_APPID: AppId }).WECHAT_APPID
}

/** Verifies access tokens. */
export function tokensFrom(env: Environment): Pick<Tokens, 'verify'> {
  return createTokenVerifier(tokenOptions(env))
}

function tokenOptions(env: Environment): TokenOptions {
  const variables = readVariables(env, {
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
    now: machine.now,
  }
}

const ACCESS_TOKEN_SECONDS = 15 * 60

/** Exact origins of browsers that may read answers; none by default. */
export function allowedOriginsFrom(env: Environment): readonly string[] {
  const { ALLOWED_ORIGINS: origins } = readVariables(env, { ALLOWED_ORIGINS: Origins })
  return origins
}

/** Whether answers of event functions are compressed, as base64; a server always compresses. */
export function compressFrom(env: Environment): boolean {
  const { COMPRESS: choice } = readVariables(env, {
    COMPRESS: v.optional(v.picklist(['0', '1'], 'should be 1 or 0'), '0'),
  })
  return choice === '1'
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

/** What every function needs to tell who calls; see `Authority`. */
export const authority = {
  tokens: tokensFrom,
  sessions: sessionCheckFrom,
  operators: operatorsFrom,
  limiter: limiterFrom,
  platformSessions: platformSessionsFrom,
}
