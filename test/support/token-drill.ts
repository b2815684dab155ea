/** The forged tokens of drill E: those of the corpus, shapes of a JWS, tokens signed by public secrets, damaged good ones. */

import { createHmac, randomUUID } from 'node:crypto'
import type { TokenOptions } from '../../shared/session/token.ts'
import attacks from '../vectors/jwt-attacks.json' with { type: 'json' }
import type { Chance } from './drill-random.ts'

const { verifier, clock } = attacks.meta

/** What the verifier of the corpus is made of. */
export const corpusOptions: TokenOptions = {
  keys: Object.entries(verifier.keys).map(([kid, secret]) => ({
    kid,
    secret: new Uint8Array(Buffer.from(secret, 'base64url')),
  })),
  issuer: verifier.issuer,
  audience: verifier.audience,
  lifetimeSeconds: verifier.maxLifetimeSeconds,
  clockToleranceSeconds: verifier.clockToleranceSeconds,
  now: () => clock * 1000,
}

const [signingKey] = corpusOptions.keys
if (!signingKey) throw new Error('the corpus has no key')
const { kid, secret } = signingKey

export interface ForgedToken {
  kind: string
  token: string
}

/** Of the corpus: those to refuse, and those to accept. */
export function corpusTokens(expected: 'reject' | 'accept'): ForgedToken[] {
  return attacks.cases
    .filter((each) => each.expect === expected)
    .map((each) => ({ kind: `${each.class}: ${each.id}`, token: String(each.token) }))
}

const goodHeader = { alg: 'HS256', typ: 'at+jwt', kid }
const goodClaims = () => ({
  iss: corpusOptions.issuer,
  aud: corpusOptions.audience,
  sub: 'user-1',
  sid: 's-1',
  jti: randomUUID(),
  iat: clock,
  exp: clock + corpusOptions.lifetimeSeconds,
})

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  )
}

interface Signing {
  header?: unknown
  payload?: unknown
  key?: Uint8Array | string
  digest?: string
}

/** Signs anything at all: what a library would refuse to make. */
export function signAnything({
  header = goodHeader,
  payload = goodClaims(),
  key = secret,
  digest = 'sha256',
}: Signing = {}): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${createHmac(digest, key).update(signed).digest('base64url')}`
}

/** A token changed in one way; each is made of a good one, so that nothing else is wrong with it. */
type Shape = (parts: [header: string, payload: string, signature: string]) => string

const join = (...parts: (string | undefined)[]): string => parts.join('.')

/**
 * The shapes that JWS suites try (after the kinds of Project Wycheproof's json_web_signature vectors): parts missing, added,
 * emptied, padded or in another alphabet; white space and NUL around them; JSON serialisation; cut and lengthened MACs.
 */
const shapes: Readonly<Record<string, Shape>> = {
  'no signature part': ([h, p]) => join(h, p),
  'empty signature': ([h, p]) => join(h, p, ''),
  'header alone': ([h]) => h,
  'two dots': () => '..',
  'empty header': ([, p, s]) => join('', p, s),
  'empty payload': ([h, , s]) => join(h, '', s),
  'a fourth part': ([h, p, s]) => join(h, p, s, s),
  'five parts, as a JWE has': ([h, p, s]) => join(h, p, s, p, s),
  'parts swapped': ([h, p, s]) => join(p, h, s),
  'signature first': ([h, p, s]) => join(s, h, p),
  'signature twice': ([h, p, s]) => join(h, p, s + s),
  'padded header': ([h, p, s]) => join(`${h}=`, p, s),
  'padded payload': ([h, p, s]) => join(h, `${p}=`, s),
  'padded signature': ([h, p, s]) => join(h, p, `${s}=`),
  'padded signature, twice': ([h, p, s]) => join(h, p, `${s}==`),
  'signature in plain base64': ([h, p, s]) =>
    join(h, p, Buffer.from(s, 'base64url').toString('base64')),
  'signature in hexadecimal': ([h, p, s]) =>
    join(h, p, Buffer.from(s, 'base64url').toString('hex')),
  'signature in capitals': ([h, p, s]) => join(h, p, s.toUpperCase()),
  'a space before': ([h, p, s]) => ` ${join(h, p, s)}`,
  'a space after': ([h, p, s]) => `${join(h, p, s)} `,
  'a line end after': ([h, p, s]) => `${join(h, p, s)}\n`,
  'a line end inside': ([h, p, s]) => join(h, p, `${s.slice(0, 9)}\n${s.slice(9)}`),
  'a tab inside the payload': ([h, p, s]) => join(h, `${p.slice(0, 9)}\t${p.slice(9)}`, s),
  'NUL after': ([h, p, s]) => `${join(h, p, s)}\0`,
  'NUL inside': ([h, p, s]) => join(h, `${p}\0`, s),
  'a byte order mark before': ([h, p, s]) => `\ufeff${join(h, p, s)}`,
  'a letter outside of ASCII': ([h, p, s]) => join(h, p, `${s.slice(0, -1)}ä`),
  'a full-width dot': ([h, p, s]) => `${h}．${p}.${s}`,
  'last character in another spelling': ([h, p, s]) => join(h, p, respell(s)),
  'header in another spelling': ([h, p, s]) => join(respell(h), p, s),
  'MAC cut to half': ([h, p, s]) => join(h, p, resize(s, 16)),
  'MAC without its last byte': ([h, p, s]) => join(h, p, resize(s, 31)),
  'MAC of one byte': ([h, p, s]) => join(h, p, resize(s, 1)),
  'MAC with a byte more': ([h, p, s]) => join(h, p, resize(s, 33)),
  'MAC of zeros': ([h, p]) => join(h, p, Buffer.alloc(32).toString('base64url')),
  'MAC of ones': ([h, p]) => join(h, p, Buffer.alloc(32, 255).toString('base64url')),
  'MAC of another payload': ([h, p]) => join(h, p, signAnything().split('.')[2]),
  'JSON, flattened': ([h, p, s]) => JSON.stringify({ protected: h, payload: p, signature: s }),
  'JSON, general': ([h, p, s]) =>
    JSON.stringify({ payload: p, signatures: [{ protected: h, signature: s }] }),
  'longer than any of ours': ([h, p, s]) => join(h, p, s + 'A'.repeat(8000)),
}

/** Signed with our own key and still not ours: what the recipe asks of header and claims. */
const wrongContents: Readonly<Record<string, () => Signing>> = {
  'alg none, in four spellings': () => ({ header: { ...goodHeader, alg: 'nOnE' } }),
  'alg HS384': () => ({ header: { ...goodHeader, alg: 'HS384' }, digest: 'sha384' }),
  'alg HS512': () => ({ header: { ...goodHeader, alg: 'HS512' }, digest: 'sha512' }),
  'alg RS256': () => ({ header: { ...goodHeader, alg: 'RS256' } }),
  'alg missing': () => ({ header: { typ: 'at+jwt', kid } }),
  'alg a number': () => ({ header: { ...goodHeader, alg: 256 } }),
  'typ missing': () => ({ header: { alg: 'HS256', kid } }),
  'typ JWT': () => ({ header: { ...goodHeader, typ: 'JWT' } }),
  'typ of a refresh token': () => ({ header: { ...goodHeader, typ: 'rt+jwt' } }),
  'kid missing': () => ({ header: { alg: 'HS256', typ: 'at+jwt' } }),
  'kid unknown': () => ({ header: { ...goodHeader, kid: 'k9' } }),
  'kid of the prototype': () => ({ header: { ...goodHeader, kid: '__proto__' } }),
  'kid a list': () => ({ header: { ...goodHeader, kid: [kid] } }),
  'crit, unknown': () => ({ header: { ...goodHeader, crit: ['b64x'], b64x: 1 } }),
  'crit b64': () => ({ header: { ...goodHeader, crit: ['b64'], b64: false } }),
  'a further header': () => ({ header: { ...goodHeader, jku: 'https://example.com/keys' } }),
  'a key inside the header': () => ({ header: { ...goodHeader, jwk: { kty: 'oct', k: 'AAAA' } } }),
  'header a list': () => ({ header: [goodHeader] }),
  'header null': () => ({ header: 'null' }),
  'header not JSON': () => ({ header: 'alg' }),
  'payload a list': () => ({ payload: [goodClaims()] }),
  'payload a text': () => ({ payload: '"user-1"' }),
  'payload not JSON': () => ({ payload: '{' }),
  'another issuer': () => claims({ iss: 'https://elsewhere.example' }),
  'issuer with a slash more': () => claims({ iss: `${corpusOptions.issuer}/` }),
  'another audience': () => claims({ aud: 'other-program' }),
  'no audience': () => claims({ aud: undefined }),
  'no issuer': () => claims({ iss: undefined }),
  'no jti': () => claims({ jti: undefined }),
  'empty jti': () => claims({ jti: '' }),
  'no sid': () => claims({ sid: undefined }),
  'sid a number': () => claims({ sid: 1 }),
  'sub with a space': () => claims({ sub: 'user 1' }),
  'sub an object': () => claims({ sub: { toString: 'user-1' } }),
  'no exp': () => claims({ exp: undefined }),
  'exp a text': () => claims({ exp: '9999999999' }),
  'exp a fraction': () => claims({ exp: clock + 899.5 }),
  'exp for ever': () => claims({ exp: 1e300 }),
  expired: () => claims({ iat: clock - 900, exp: clock - 1 }),
  'older than it may get': () => claims({ iat: clock - 2000, exp: clock + 10 }),
  'lives longer than ours': () => claims({ exp: clock + corpusOptions.lifetimeSeconds + 1 }),
  'made tomorrow': () => claims({ iat: clock + 86_400, exp: clock + 87_000 }),
  'not yet valid': () => claims({ nbf: clock + 3600 }),
  'no iat': () => claims({ iat: undefined }),
}

function claims(changes: Record<string, unknown>): Signing {
  return { payload: { ...goodClaims(), ...changes } }
}

/** Names of the shapes, for the record. */
export const shapeNames: readonly string[] = [...Object.keys(shapes), ...Object.keys(wrongContents)]

/** A token of every shape. */
export function shapedTokens(): ForgedToken[] {
  const [h = '', p = '', s = ''] = signAnything().split('.')
  return [
    ...Object.entries(shapes).map(([kind, shape]) => ({ kind, token: shape([h, p, s]) })),
    ...Object.entries(wrongContents).map(([kind, make]) => ({
      kind,
      token: signAnything(make()),
    })),
  ]
}

/** Good but for the key: each public secret, as text and as the bytes it spells. */
export function publiclySigned(secrets: readonly string[]): ForgedToken[] {
  return secrets.flatMap((text) => [
    { kind: 'public secret', token: signAnything({ key: text }) },
    { kind: 'public secret, decoded', token: signAnything({ key: Buffer.from(text, 'base64') }) },
  ])
}

/** `count` good tokens with one bit flipped. */
export function* flippedTokens(count: number, chance: Chance): Generator<ForgedToken> {
  const good = Buffer.from(signAnything())
  for (let index = 0; index < count; index++) {
    const flipped = Buffer.from(good)
    const bit = chance.below(good.length * 8)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield { kind: `bit ${bit}`, token: flipped.toString('latin1') }
  }
}

/** Five tokens that must pass. */
export function goodTokens(): string[] {
  const [, older] = corpusOptions.keys
  return [
    signAnything(),
    signAnything({ ...claims({ iat: clock - 890, exp: clock + 10 }) }),
    signAnything({ ...claims({ sub: 'A'.repeat(64) }) }),
    signAnything({ ...claims({ jti: '1' }) }),
    signAnything({ header: { ...goodHeader, kid: older?.kid }, key: older?.secret ?? '' }),
  ]
}

/** The same bytes, the last character of them spelt otherwise. */
function respell(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? '')
  const bytes = Buffer.from(part, 'base64url')
  const other = [...alphabet].find((letter, index) => {
    const text = part.slice(0, -1) + letter
    return index !== last && Buffer.from(text, 'base64url').equals(bytes)
  })
  // A part whose length is a multiple of four has one spelling only.
  return other === undefined ? `${part}=` : part.slice(0, -1) + other
}

function resize(signature: string, bytes: number): string {
  const mac = Buffer.from(signature, 'base64url')
  return Buffer.concat([mac, Buffer.alloc(bytes)])
    .subarray(0, bytes)
    .toString('base64url')
}
