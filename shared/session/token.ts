/**
 * Access tokens: JWTs whose claims jose writes and checks, and whose HS256 is node:crypto's: 5 µs where jose's WebCrypto makes
 * a trip to another thread. One recipe for signing and verifying, strict enough that nothing but a token of ours
 * passes (RFC 8725).
 */

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { UnsecuredJWT } from 'jose'
import { v4 as randomUuid } from 'uuid'
import type { AccessClaims, Tokens } from '../ports.ts'

/** A key that signs tokens, and the name it goes by in their header. */
export interface SigningKey {
  kid: string
  /** At least 32 random bytes. */
  secret: Uint8Array
}

/** What makes a token one of ours. */
export interface TokenOptions {
  /** The first signs, all verify. */
  keys: readonly SigningKey[]
  issuer: string
  audience: string
  lifetimeSeconds: number
  /** How far the clocks of two instances may differ. */
  clockToleranceSeconds: number
  now: () => number
}

const REQUIRED_CLAIMS = ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']
/** Ours are below 500 characters; a longer text is not worth a look. */
const TOKEN_MAX_LENGTH = 4096
const BASE64URL = /^[A-Za-z0-9_-]+$/
const SUBJECT = /^[A-Za-z0-9_-]{1,64}$/
/** jose checks claims without a signature under this header only. */
const UNSECURED_HEADER = encode({ alg: 'none' })

/** Signs access tokens with the first key. */
export function createTokenSigner(options: TokenOptions): Pick<Tokens, 'sign'> {
  const { keys, issuer, audience, lifetimeSeconds, now } = options
  const [first] = keysByHeader(keys)

  return {
    async sign({ userId, sessionId }) {
      if (!first) throw new Error('no signing key')
      const [header, key] = first
      const issuedAt = Math.floor(now() / 1000)
      const unsecured = new UnsecuredJWT({ sid: sessionId })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(randomUuid())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .encode()
      const signed = `${header}.${unsecured.split('.')[1]}`
      const token = `${signed}.${signatureOf(signed, key)}`
      return { token, expiresInSeconds: lifetimeSeconds }
    },
  }
}

/** Verifies access tokens by all keys. */
export function createTokenVerifier(options: TokenOptions): Pick<Tokens, 'verify'> {
  const { keys, issuer, audience, lifetimeSeconds, clockToleranceSeconds, now } = options
  const knownHeaders = keysByHeader(keys)

  return {
    async verify(token, security) {
      if (token.length > TOKEN_MAX_LENGTH) return undefined
      const [header = '', payload = '', signature = '', beyond] = token.split('.')
      const key = knownHeaders.get(header)
      if (!key || beyond !== undefined || !BASE64URL.test(payload)) return undefined
      if (!isSame(signature, signatureOf(`${header}.${payload}`, key))) {
        security?.note('token-forged')
        return undefined
      }
      try {
        const unsecured = `${UNSECURED_HEADER}.${payload}.`
        const claims = UnsecuredJWT.decode<{ sid?: unknown }>(unsecured, {
          issuer,
          audience,
          requiredClaims: REQUIRED_CLAIMS,
          maxTokenAge: lifetimeSeconds,
          clockTolerance: clockToleranceSeconds,
          currentDate: new Date(now()),
        })
        return readClaims(claims.payload, lifetimeSeconds)
      } catch {
        return undefined
      }
    },
  }
}

/** Our tokens have exactly these headers, letter by letter: one that differs in any way knows no key. */
function keysByHeader(keys: readonly SigningKey[]): ReadonlyMap<string, KeyObject> {
  return new Map(
    keys.map(({ kid, secret }) => [
      encode({ alg: 'HS256', typ: 'at+jwt', kid }),
      createSecretKey(secret),
    ]),
  )
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signatureOf(signed: string, key: KeyObject): string {
  return createHmac('sha256', key).update(signed).digest('base64url')
}

/** Compared as text, so that only the one canonical spelling passes. */
function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function readClaims(
  {
    sub,
    sid,
    jti,
    iat = 0,
    exp = Infinity,
  }: Record<string, unknown> & { iat?: number; exp?: number },
  lifetimeSeconds: number,
): AccessClaims | undefined {
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof jti !== 'string')
    return undefined
  if (!SUBJECT.test(sub) || !SUBJECT.test(sid) || jti === '') return undefined
  if (!Number.isInteger(iat) || !Number.isInteger(exp)) return undefined
  if (exp - iat > lifetimeSeconds) return undefined
  return { userId: sub, sessionId: sid }
}
