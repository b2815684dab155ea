/** What each configuration variable may be: one rule a variable, for functions, deploys, the doctor and local runs alike. */

import { isLoopbackHost } from '../network-addresses.ts'
import { DatabaseUrlError, databaseUrlFaults } from '../store/database-url-error.ts'
import { checkDatabaseUrl } from '../store/doors.ts'
import { isKnownSecret } from './known-secrets.ts'

/** Variables by name; `process.env` in a function. */
export type Environment = Readonly<Record<string, string | undefined>>

const DATABASE_URL_FORMS =
  'should be mysql://user:password@host:3306/database or https://user:password@host'

/** Why a value is refused, to follow the variable's name; `{details}` are numbers and words of ours, never of the value. */
export const refusals = {
  missing: 'is not set',
  'not-one-of': 'should be {allowed}',
  'not-in-range': 'should be a whole number from {least} to {most}',
  'bad-limits': 'should be like user:120/60,address:600/60, or off',
  'bad-origin': 'should be exact origins like https://example.com, separated by commas',
  'bad-operator': 'should be user ids or openids, separated by commas',
  'bad-appid': 'should be the AppID of the mini program, wx and 16 hexadecimal digits',
  'bad-appsecret': 'should be the AppSecret of the mini program, 32 hexadecimal digits',
  'bad-api-url': 'should be an https address, or http on this machine',
  'bad-key-ring': 'should be id:key[,id:key] with keys in base64url',
  'bad-key': 'should be a key in base64url',
  'short-key': 'holds a key of {bytes} bytes; it needs {least}',
  'weak-key': 'holds a key that is not random',
  'known-secret': 'holds a key from a public list of secrets',
  'repeated-key-id': 'gives its keys {first} and {second} the same id',
  ...databaseUrlFaults,
  'not-a-url': DATABASE_URL_FORMS,
  scheme: DATABASE_URL_FORMS,
} as const satisfies Record<string, string>

/** One of the reasons. */
export type RefusalCode = keyof typeof refusals

/** What a sentence is filled with. */
export type Details = Readonly<Record<string, string | number>>

/** Puts the details into the sentence; `…` stands for the only one. */
export function fill(sentence: string, details: Details = {}): string {
  return sentence.replace(/\{(\w+)\}|…/g, (_place, name = 'detail') => String(details[name]))
}

class Refusal {
  readonly code: RefusalCode
  readonly details: Details | undefined

  constructor(code: RefusalCode, details?: Details) {
    this.code = code
    this.details = details
  }
}

/** A variable that is missing or not acceptable; never its value. */
export interface ConfigurationFault {
  variable: VariableName
  code: RefusalCode
  details?: Details | undefined
}

/** One or more variables are missing or not acceptable. */
export class ConfigurationError extends Error {
  readonly faults: readonly ConfigurationFault[]

  constructor(faults: readonly ConfigurationFault[]) {
    super()
    this.name = 'ConfigurationError'
    this.faults = faults
    this.message = `variables that cannot be used: ${this.variables.join('; ')}`
  }

  /** A sentence for each variable, with its name and without its value. */
  get variables(): string[] {
    return this.faults.map(
      ({ variable, code, details }) => `${variable} ${fill(refusals[code], details)}`,
    )
  }
}

interface Rule<Value> {
  read(text: string): Value | Refusal
  /** The text that stands for none; without it the variable has to be set. */
  otherwise?: string
}

const KEY_MIN_BYTES = 32
/** Fewer different bytes than this in a key of 32 is a password or a pattern, not random. */
const KEY_MIN_DISTINCT_BYTES = 16

/** A key with the id that sealed values and tokens name it by. */
export interface NamedKey {
  kid: string
  bytes: Uint8Array
}

function parseKey(encoded: string): Uint8Array | Refusal {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(encoded)) return new Refusal('bad-key')
  const bytes = new Uint8Array(Buffer.from(encoded, 'base64url'))
  if (bytes.length < KEY_MIN_BYTES) {
    return new Refusal('short-key', { bytes: bytes.length, least: KEY_MIN_BYTES })
  }
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  if (isText || new Set(bytes).size < KEY_MIN_DISTINCT_BYTES) return new Refusal('weak-key')
  return isKnownSecret(bytes) ? new Refusal('known-secret') : bytes
}

/** `id:base64url[,id:base64url …]`; the first key is the current one. */
function parseKeyRing(text: string): NamedKey[] | Refusal {
  const keys: NamedKey[] = []
  for (const entry of text.split(',')) {
    const [, kid, encoded = ''] = /^\s*([A-Za-z0-9_-]{1,32}):(\S*)\s*$/.exec(entry) ?? []
    if (kid === undefined) return new Refusal('bad-key-ring')
    const bytes = parseKey(encoded)
    if (bytes instanceof Refusal) {
      return bytes.code === 'bad-key' ? new Refusal('bad-key-ring') : bytes
    }
    const known = keys.findIndex((key) => key.kid === kid)
    if (known >= 0) {
      return new Refusal('repeated-key-id', { first: known + 1, second: keys.length + 1 })
    }
    keys.push({ kid, bytes })
  }
  return keys
}

function parseDatabaseUrl(text: string): string | Refusal {
  try {
    checkDatabaseUrl(text)
    return text
  } catch (error) {
    if (!(error instanceof DatabaseUrlError)) throw error
    return new Refusal(error.code, { detail: error.detail })
  }
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isSecureOrLoopback(url: URL | undefined): boolean {
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
}

function parseLimits(text: string) {
  if (text === 'off') return text
  const [, ...numbers] =
    /^user:([1-9][0-9]{0,6})\/([1-9][0-9]{0,4}),address:([1-9][0-9]{0,6})\/([1-9][0-9]{0,4})$/.exec(
      text,
    ) ?? []
  const [user, userSeconds, address, addressSeconds] = numbers.map(Number)
  if (!user || !userSeconds || !address || !addressSeconds) return new Refusal('bad-limits')
  return {
    user: { requests: user, windowMs: userSeconds * 1000 },
    address: { requests: address, windowMs: addressSeconds * 1000 },
  }
}

function listOf(isOne: (entry: string) => boolean, code: RefusalCode) {
  return (text: string): readonly string[] | Refusal => {
    const entries = text.split(',').flatMap((entry) => entry.trim() || [])
    return entries.every(isOne) ? entries : new Refusal(code)
  }
}

function matching(pattern: RegExp, code: RefusalCode) {
  return (text: string): string | Refusal => (pattern.test(text) ? text : new Refusal(code))
}

function numberFrom(least: number, most: number) {
  return (text: string): number | Refusal => {
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
    return number >= least && number <= most ? number : new Refusal('not-in-range', { least, most })
  }
}

function oneOf<Word extends string>(...words: Word[]) {
  return (text: string): Word | Refusal =>
    words.find((word) => word === text) ?? new Refusal('not-one-of', { allowed: words.join(' / ') })
}

const rules = {
  /** The address of a database whose driver this bundle carries. */
  DATABASE_URL: { read: parseDatabaseUrl },
  /** How many connections one process may have, opened as needed: an event function opens one. */
  DATABASE_CONNECTIONS: { read: numberFrom(1, 99), otherwise: '4' },
  /** Whether ratings and people lie in different databases: then a session is looked at in a statement of its own. */
  STORE_SHARDED: { read: oneOf('1', '0'), otherwise: '0' },
  TOKEN_KEYS: { read: parseKeyRing },
  SEALING_KEYS: { read: parseKeyRing },
  /** One key that is never rotated. */
  LOOKUP_KEY: { read: parseKey },
  WECHAT_APPID: { read: matching(/^[A-Za-z0-9_-]{4,64}$/, 'bad-appid') },
  WECHAT_SECRET: { read: matching(/^[\x21-\x7e]{16,128}$/, 'bad-appsecret') },
  WECHAT_API_URL: {
    read: (text: string) =>
      isSecureOrLoopback(parseUrl(text)) ? text : new Refusal('bad-api-url'),
    otherwise: 'https://api.weixin.qq.com',
  },
  /** Lifetime in seconds. */
  ACCESS_TOKEN_SECONDS: { read: numberFrom(60, 86_400), otherwise: '900' },
  /** User ids and openids of operators, who read everything. */
  OPERATORS: {
    read: listOf((id) => /^[A-Za-z0-9_-]{6,64}$/.test(id), 'bad-operator'),
    otherwise: '',
  },
  /**
   * `user:REQUESTS/SECONDS,address:REQUESTS/SECONDS`, each per route, or `off`. People submit and read a few ratings;
   * a carrier's address may stand for thousands of them.
   */
  LIMITS: { read: parseLimits, otherwise: 'user:120/60,address:600/60' },
  /** What becomes of the ratings of a person who wants to be forgotten. */
  ANONYMOUS_RATINGS: { read: oneOf('keep', 'delete'), otherwise: 'delete' },
  /** A session ends at this age, however often it is refreshed. */
  SESSION_MAX_DAYS: { read: numberFrom(1, 3650), otherwise: '180' },
  /** Who does not prove their number again for so many days holds it no more: carriers give numbers to others. */
  HOLDER_DAYS: { read: numberFrom(1, 3650), otherwise: '180' },
  /** What who takes over a number reads of it: ratings from that moment on, or all. */
  TAKEN_OVER_RATINGS: { read: oneOf('from-binding', 'all'), otherwise: 'from-binding' },
  /** Exact origins of browsers that may read answers. */
  ALLOWED_ORIGINS: {
    read: listOf((origin) => parseUrl(origin)?.origin === origin, 'bad-origin'),
    otherwise: '',
  },
  /** Whether answers of event functions are compressed, as base64; a server always compresses. */
  COMPRESS: { read: oneOf('1', '0'), otherwise: '0' },
} satisfies Record<string, Rule<unknown>>

/** The variables there are. */
export type VariableName = keyof typeof rules

/** What the variables hold once they were read. */
export type Values = {
  [Name in VariableName]: Exclude<ReturnType<(typeof rules)[Name]['read']>, Refusal>
}

/** The values of `names` that are acceptable, and what is wrong with the others. An empty value is none. */
export function readVariables(
  names: Iterable<VariableName>,
  env: Environment,
): { values: Partial<Values>; faults: ConfigurationFault[] } {
  const values: Record<string, unknown> = {}
  const faults: ConfigurationFault[] = []
  for (const variable of new Set(names)) {
    const { read, otherwise }: Rule<unknown> = rules[variable]
    const text = env[variable] || otherwise
    const value = text === undefined ? new Refusal('missing') : read(text)
    if (value instanceof Refusal) faults.push({ variable, ...value })
    else values[variable] = value
  }
  return { values, faults }
}
