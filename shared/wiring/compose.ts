/**
 * Environment → implementations, once per cold start. A part says which variables it takes, so what a function needs is
 * known without starting it, and a function without `weChat` never needs, or sees, the AppSecret.
 */

import { createLimiter, noLimiter, type Tallies } from '../limits/limiter.ts'
import type {
  AfterAnswer,
  Audit,
  Clock,
  Forgetting,
  Limiter,
  Pseudonyms,
  Tokens,
} from '../ports.ts'
import { createForgetting } from '../session/forgetting.ts'
import { createLookup } from '../session/lookup.ts'
import { createNumberHolding } from '../session/number-holding.ts'
import { createPlatformSessions } from '../session/platform-sessions.ts'
import { createPseudonyms } from '../session/pseudonym.ts'
import { createSessionCheck } from '../session/session-check.ts'
import { createSessions } from '../session/sessions.ts'
import { createTokenSigner, createTokenVerifier, type TokenOptions } from '../session/token.ts'
import { createVault } from '../session/vault.ts'
import type { Later } from '../store/account-counts.ts'
import { createAudit } from '../store/audit.ts'
import { createCodeClaimStore } from '../store/code-claims.ts'
import { createCounterStore } from '../store/counters.ts'
import type { Db } from '../store/db.ts'
import { countLimits } from '../store/folds.ts'
import { createPersonIdentities, createPersonStore } from '../store/people.ts'
import { createRatingEraser } from '../store/rating-erasure.ts'
import { createRatingSubmissions } from '../store/rating-submissions.ts'
import { createOwnRatings, createRatingReader } from '../store/ratings.ts'
import {
  createPlatformSessionStore,
  createSessionLookup,
  createSessionStore,
} from '../store/sessions.ts'
import { createWeChat } from '../wechat/client.ts'
import { guardWeChat } from '../wechat/guard.ts'
import { machine } from './clock.ts'
import {
  ConfigurationError,
  type ConfigurationFault,
  type Environment,
  type NamedKey,
  readVariables,
  type Values,
  type VariableName,
} from './configuration.ts'
import { databaseFrom } from './database.ts'

/** One need of a function: which variables it takes, and how it is made of them. */
export interface Part<Need> {
  readonly variables: readonly VariableName[]
  make(values: Values): Need | PerCall<Need>
}

/** A need made anew for each call, which has `remainingMs()` left, and perhaps a way to leave work for later. */
export class PerCall<Need> {
  readonly make: (remainingMs: () => number, afterAnswer?: AfterAnswer) => Need

  constructor(make: PerCall<Need>['make']) {
    this.make = make
  }
}

/** A part for each need of a function. */
export type Parts<Needs> = { readonly [Name in keyof Needs]: Part<Needs[Name]> }

/** The parts of a function, whatever it needs them for. */
export type AnyParts = Readonly<Record<string, Part<unknown>>>

/**
 * A part that takes `variables` and nothing else.
 * @__NO_SIDE_EFFECTS__ so that a bundle carries only the parts of its function
 */
export function part<Name extends VariableName, Need>(
  variables: readonly Name[],
  make: (values: Pick<Values, Name>) => Need,
): Part<Need> {
  return { variables, make }
}

/**
 * A part over the configured database, within the time of each call, and `variables` beside those of the database. `prepare`
 * is asked once; what it returns makes the need over the database of a call, which may leave work for `later`.
 * @__NO_SIDE_EFFECTS__
 */
function stored<Name extends VariableName, Need>(
  variables: readonly Name[],
  prepare: (values: Pick<Values, Name>) => (db: Db, later?: Later) => Need,
): Part<Need> {
  return {
    variables: ['DATABASE_URL', 'DATABASE_CONNECTIONS', ...variables],
    make(values) {
      const database = databaseFrom(values)
      const makeOver = prepare(values)
      // Without a caller who waits, a statement alone has its time.
      const unhurried = database.forCall(() => Number.POSITIVE_INFINITY)
      return new PerCall((remainingMs, afterAnswer) => {
        const later: Later | undefined =
          afterAnswer && ((work) => afterAnswer(() => work(unhurried)))
        return makeOver(database.forCall(remainingMs), later)
      })
    },
  }
}

/**
 * Makes all parts, and returns what gives the needs of one call, which has `remainingMs()` left.
 * @throws {ConfigurationError} with everything that is wrong
 */
export function compose<Needs extends object>(
  parts: Parts<Needs>,
  env: Environment,
): (remainingMs: () => number, afterAnswer?: AfterAnswer) => Needs {
  const { values, faults } = readVariables(variablesOf(parts as AnyParts), env)
  if (faults.length > 0) throw new ConfigurationError(faults)
  const made: { [Name in keyof Needs]?: Needs[Name] | PerCall<Needs[Name]> } = {}
  for (const name of Object.keys(parts) as (keyof Needs)[]) {
    made[name] = parts[name].make(values as Values)
  }
  return (remainingMs, afterAnswer) => {
    const needs = { ...made }
    for (const name in made) {
      const need = made[name]
      if (need instanceof PerCall) needs[name] = need.make(remainingMs, afterAnswer)
    }
    return needs as Needs
  }
}

/** The variables that the parts take. */
export function variablesOf(parts: AnyParts): VariableName[] {
  return [...new Set(Object.values(parts).flatMap(({ variables }) => variables))]
}

/** Everything that `compose` would refuse; nothing is made. */
export function faultsOf(parts: AnyParts, env: Environment): ConfigurationFault[] {
  return readVariables(variablesOf(parts), env).faults
}

const DAY_MS = 24 * 60 * 60 * 1000

const TOKENS = ['TOKEN_KEYS', 'WECHAT_APPID', 'ACCESS_TOKEN_SECONDS'] as const
// Spelt out: a bundle could not drop a part that is called with a spread.
const SESSIONS = ['TOKEN_KEYS', 'WECHAT_APPID', 'ACCESS_TOKEN_SECONDS', 'SESSION_MAX_DAYS'] as const

/** The machine’s clock. */
export const clock = part([], (): Clock => machine)

/** The configured database itself, for whoever watches over a server. */
export const database = part(['DATABASE_URL', 'DATABASE_CONNECTIONS'], databaseFrom)

/** Reading ratings in the configured database. */
export const ratings = stored(
  [],
  () => (db, later) => createRatingReader(db, machine.now, countLimits, later),
)

/** A person's own ratings in it. */
export const ownRatings = stored([], () => createOwnRatings)

/** Ratings as they come into it. */
export const submissions = stored([], () => (db) => createRatingSubmissions(db, machine.now))

/** Whether ratings and people may lie in different databases. */
export const isSharded = part(['STORE_SHARDED'], (values) => values.STORE_SHARDED === '1')

/** Forgets people in the configured database. */
export const forgetting = stored(['ANONYMOUS_RATINGS'], ({ ANONYMOUS_RATINGS: choice }) => {
  // An instance finishes what others began now and then, whichever call it answers.
  const lastFinish = { atMs: 0 }
  return (db) => forgettingIn(db, choice, lastFinish)
})

/** The same for a command, over its database and by the values of its stage. @throws {ConfigurationError} */
export function forgettingFrom(db: Db, env: Environment): Forgetting {
  const { values, faults } = readVariables(['ANONYMOUS_RATINGS'], env)
  if (values.ANONYMOUS_RATINGS === undefined) throw new ConfigurationError(faults)
  return forgettingIn(db, values.ANONYMOUS_RATINGS, { atMs: 0 })
}

function forgettingIn(
  db: Db,
  choice: Values['ANONYMOUS_RATINGS'],
  lastFinish: { atMs: number },
): Forgetting {
  return createForgetting({
    ...machine,
    people: createPersonStore(db),
    ratings: createRatingEraser(db),
    forgottenRatings: choice === 'keep' ? 'keep-anonymous' : 'delete',
    lastFinish,
  })
}

/** People in the configured database. */
export const people = stored([], () => createPersonStore)

/** Claims on codes in the configured database. */
export const codeClaims = stored([], () => createCodeClaimStore)

/** Counters in the configured database. */
export const counters = stored(
  ['TOKEN_KEYS'],
  (values) => (db) => createCounterStore(db, counterSecret(values)),
)

/** A key that every function has; what it counts is over when the key is rotated. */
function counterSecret({ TOKEN_KEYS: [first] }: Pick<Values, 'TOKEN_KEYS'>): Uint8Array {
  return first?.bytes ?? new Uint8Array()
}

/** Session rows in the configured database. */
export const sessionStore = stored([], () => createSessionStore)

/** Enough of sessions to tell who calls. */
export const sessionCheck = stored(
  [],
  () => (db) => createSessionCheck({ store: createSessionLookup(db), now: machine.now }),
)

/** Sessions with their tokens. */
export const sessions = stored(SESSIONS, (values) => {
  const tokens = createTokenSigner(tokenOptions(values))
  const keys = secretsOf(values.TOKEN_KEYS)
  const maxAgeMs = values.SESSION_MAX_DAYS * DAY_MS
  const { now } = machine
  return (db) => createSessions({ store: createSessionStore(db), tokens, keys, now, maxAgeMs })
})

/** Sessions of `wx.cloud.callFunction`. */
export const platformSessions = stored(
  ['WECHAT_APPID'],
  (values) => (db) =>
    createPlatformSessions({
      appid: values.WECHAT_APPID,
      people: createPersonIdentities(db),
      store: createPlatformSessionStore(db),
      now: machine.now,
    }),
)

/** Seals session keys and phone numbers. */
export const vault = part(['SEALING_KEYS'], ({ SEALING_KEYS: keys }) => createVault({ keys }))

/** Finds phone numbers and codes without storing them. */
export const lookup = part(['LOOKUP_KEY'], ({ LOOKUP_KEY: key }) => createLookup({ key }))

/** Tells whose number an account is. */
export const numbers = part(['LOOKUP_KEY', 'HOLDER_DAYS', 'TAKEN_OVER_RATINGS'], (values) =>
  createNumberHolding({
    lookup: createLookup({ key: values.LOOKUP_KEY }),
    holderDays: values.HOLDER_DAYS,
    takenOverRatings: values.TAKEN_OVER_RATINGS,
    now: machine.now,
  }),
)

/** Limits of requests; counted in the store. */
export const limiter = stored(['LIMITS', 'TOKEN_KEYS'], (values): ((db: Db) => Limiter) => {
  const { LIMITS: limits } = values
  if (limits === 'off') return () => noLimiter
  // An instance counts all its calls together.
  const tallies: Tallies = new Map()
  const { now, random } = machine
  const secret = counterSecret(values)
  return (db) =>
    createLimiter({ counters: createCounterStore(db, secret), ...limits, now, random, tallies })
})

/** User ids and openids of operators, who read everything. */
export const operators = part(
  ['OPERATORS'],
  ({ OPERATORS: ids }): ReadonlySet<string> => new Set(ids),
)

/** WeChat’s API behind a breaker. */
export const weChat = part(['WECHAT_APPID', 'WECHAT_SECRET', 'WECHAT_API_URL'], (values) =>
  guardWeChat(
    createWeChat({
      appid: values.WECHAT_APPID,
      secret: values.WECHAT_SECRET,
      apiUrl: values.WECHAT_API_URL,
      now: machine.now,
      steadyMs: machine.steadyMs,
    }),
    machine.now,
  ),
)

/** The mini program's appid: half of every person's identity, and the audience of tokens. */
export const appid = part(['WECHAT_APPID'], (values) => values.WECHAT_APPID)

/** Verifies access tokens. */
export const tokens = part(
  TOKENS,
  (values): Pick<Tokens, 'verify'> => createTokenVerifier(tokenOptions(values)),
)

/** Names people in the log by the key that signs, which every function has; a new key renames everybody. */
export const pseudonyms = part(['TOKEN_KEYS'], pseudonymsOf)

/** The same for a command, by the values of its stage. @throws {ConfigurationError} */
export function pseudonymsFrom(env: Environment): Pseudonyms {
  const { values, faults } = readVariables(['TOKEN_KEYS'], env)
  if (values.TOKEN_KEYS === undefined) throw new ConfigurationError(faults)
  return pseudonymsOf({ TOKEN_KEYS: values.TOKEN_KEYS })
}

function pseudonymsOf({ TOKEN_KEYS: [first] }: Pick<Values, 'TOKEN_KEYS'>): Pseudonyms {
  return createPseudonyms({ key: first?.bytes ?? new Uint8Array() })
}

/** The audit in the configured database. */
export const audit = stored(['TOKEN_KEYS'], (values): ((db: Db) => Audit) => {
  const names = pseudonymsOf(values)
  return (db) => createAudit(db, names)
})

function tokenOptions(values: Pick<Values, (typeof TOKENS)[number]>): TokenOptions {
  return {
    keys: secretsOf(values.TOKEN_KEYS),
    issuer: 'miniscore',
    audience: values.WECHAT_APPID,
    lifetimeSeconds: values.ACCESS_TOKEN_SECONDS,
    clockToleranceSeconds: 60,
    now: machine.now,
  }
}

function secretsOf(keys: readonly NamedKey[]) {
  return keys.map(({ kid, bytes }) => ({ kid, secret: bytes }))
}

/** Exact origins of browsers that may read answers; none by default. */
export const allowedOrigins = part(['ALLOWED_ORIGINS'], (values) => values.ALLOWED_ORIGINS)

/** Whether answers of event functions are compressed. */
export const compresses = part(['COMPRESS'], (values) => values.COMPRESS === '1')

/** What every function needs: to tell who calls (see `Authority`), and to answer. */
export const everyFunction = {
  tokens,
  sessions: sessionCheck,
  operators,
  limiter,
  platformSessions,
  pseudonyms,
  allowedOrigins,
  compresses,
}
