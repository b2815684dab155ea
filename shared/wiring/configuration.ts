/** What configuration variables may be: read by name, checked once, refused by name and never by value. */

import * as v from 'valibot'
import { hasDoorFor } from '../store/doors.ts'

/** Variables by name; `process.env` in a function. */
export type Environment = Record<string, string | undefined>

/** One or more variables are missing or not acceptable. */
export class ConfigurationError extends Error {
  readonly variables: readonly string[]

  constructor(variables: readonly string[]) {
    super(`missing or not acceptable: ${variables.join('; ')}`)
    this.name = 'ConfigurationError'
    this.variables = variables
  }
}

/** The variables of `entries`, checked. @throws {ConfigurationError} */
export function readVariables<Entries extends v.ObjectEntries>(
  env: Environment,
  entries: Entries,
): v.InferOutput<v.ObjectSchema<Entries, undefined>> {
  const own: Environment = {}
  // An empty value in a deployment's environment means the same as none.
  for (const name of Object.keys(entries)) if (env[name]) own[name] = env[name]
  const parsed = v.safeParse(v.object(entries), own, { abortPipeEarly: true })
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

/** The mini program’s appid. */
export const AppId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{4,64}$/))

/** An https address, or http on this machine. */
export const ApiUrl = v.pipe(v.string(), v.check(isSecureOrLoopback))

/** The address of a database whose driver this bundle carries. */
export const DatabaseUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = parseUrl(text)
    if (!url || url.username === '' || url.hostname === '') return false
    return url.protocol === 'mysql:' || isSecureOrLoopback(text)
  }, 'should be https://user:password@host or mysql://user:password@host:3306/database'),
  v.check(
    hasDoorFor,
    'this bundle was built for another driver; build again with the new DATABASE_URL',
  ),
)

/** How many connections one process may have. */
export const Connections = v.pipe(
  v.string(),
  v.regex(/^[1-9][0-9]?$/, 'should be 1 to 99'),
  v.transform(Number),
)

/** Exact origins, separated by commas. */
export const Origins = v.pipe(
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
export const Limits = v.pipe(
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

/** User ids and openids, separated by commas. */
export const Operators = v.pipe(
  v.optional(v.string(), ''),
  v.transform((text) => new Set(text.split(',').flatMap((id) => id.trim() || []))),
  v.check(
    (ids) => [...ids].every((id) => /^[A-Za-z0-9_-]{6,64}$/.test(id)),
    'should be user ids or openids, separated by commas',
  ),
)

/** A number of seconds, 60 to 86400. */
export const Seconds = v.pipe(
  v.string(),
  v.regex(/^[0-9]{2,5}$/),
  v.transform(Number),
  v.check((seconds) => seconds >= 60 && seconds <= 86_400, 'should be 60 to 86400 seconds'),
)

const KEY_MIN_BYTES = 32
/** Fewer different bytes than this in a key of 32 is a password or a pattern, not random. */
const KEY_MIN_DISTINCT_BYTES = 16

/** `kid:base64url[,kid:base64url …]`; the first key is the current one. */
export const KeyRing = v.pipe(
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
export const Key = v.pipe(
  v.string(),
  v.transform((encoded) => parseKeyBytes(encoded)),
  v.instance(Uint8Array, 'should be at least 32 random bytes in base64url'),
)
