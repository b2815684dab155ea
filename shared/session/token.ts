/**
 * Access tokens: HS256 by jose, keys by `kid`. One recipe for signing and verifying, strict
 * enough that nothing but a token of ours passes (RFC 8725).
 */

import type { webcrypto } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
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

const ALGORITHM = 'HS256'
const TOKEN_TYPE = 'at+jwt'
const REQUIRED_CLAIMS = ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']
/** Ours are below 500 characters; a longer text is not worth a look. */
const TOKEN_MAX_LENGTH = 4096
/** Three canonical base64url parts. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const SUBJECT = /^[A-Za-z0-9_-]{1,64}$/

/** Signs access tokens with the first key. */
export function createTokenSigner(options: TokenOptions): Pick<Tokens, 'sign'> {
  const { keys, issuer, audience, lifetimeSeconds, now } = options
  const importKey = keyImporter(keys)

  return {
    async sign({ userId, sessionId }) {
      const { kid = '' } = keys[0] ?? {}
      const key = await importKey(kid)
      if (!key) throw new Error('no signing key')
      const issuedAt = Math.floor(now() / 1000)
      const token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(randomUuid())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(key)
      return { token, expiresInSeconds: lifetimeSeconds }
    },
  }
}

/** Verifies access tokens by all keys. */
export function createTokenVerifier(options: TokenOptions): Pick<Tokens, 'verify'> {
  const { keys, issuer, audience, lifetimeSeconds, clockToleranceSeconds, now } = options
  const importKey = keyImporter(keys)

  return {
    async verify(token, security) {
      if (!isCanonical(token)) return undefined
      try {
        const { payload, protectedHeader } = await jwtVerify<{ sid?: unknown }>(
          token,
          ({ kid }) => {
            const key = typeof kid === 'string' ? importKey(kid) : undefined
            if (!key) throw new Error('unknown key')
            return key
          },
          {
            algorithms: [ALGORITHM],
            typ: TOKEN_TYPE,
            issuer,
            audience,
            requiredClaims: REQUIRED_CLAIMS,
            maxTokenAge: lifetimeSeconds,
            clockTolerance: clockToleranceSeconds,
            currentDate: new Date(now()),
          },
        )
        const isBare = Object.keys(protectedHeader).every((name) => HEADER_NAMES.has(name))
        return isBare ? readClaims(payload, lifetimeSeconds) : undefined
      } catch (error) {
        // The key was looked up before: it is one of ours.
        if (isWrongSignature(error)) security?.note('token-forged')
        return undefined
      }
    },
  }
}

/** By jose's code: its error classes, imported for this, would all come along. */
function isWrongSignature(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
}

/** Imports each key once per instance: a third of the time of giving jose the bytes at every call. */
function keyImporter(
  keys: readonly SigningKey[],
): (kid: string) => Promise<webcrypto.CryptoKey> | undefined {
  const imported = new Map<string, Promise<webcrypto.CryptoKey>>()
  return (kid) => {
    const known = imported.get(kid)
    if (known) return known
    const key = keys.find((each) => each.kid === kid)
    if (!key) return undefined
    const importing = crypto.subtle.importKey(
      'raw',
      key.secret,
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    )
    imported.set(kid, importing)
    return importing
  }
}

const HEADER_NAMES: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])

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

/**
 * jose accepts several spellings of the same bytes in the last character of a part; only the one
 * an encoder writes is a token of ours.
 */
function isCanonical(token: string): boolean {
  if (token.length > TOKEN_MAX_LENGTH || !COMPACT_JWS.test(token)) return false
  return token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}
