/**
 * Small secrets sealed at rest with AES-256-GCM. Pure: no I/O, no clock.
 *
 * Layout: version (1 byte), length of the key id (1), key id, iv (12), tag (16), ciphertext. Sealing adds
 * `30 + kid.length` bytes, so a session_key (24 characters) takes some 60.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Vault } from '../ports.ts'
import { KEY_MIN_BYTES, KeyError } from './key-error.ts'

/** A key that seals, and the name it is stored under. */
export interface SealingKey {
  /** 1 to 32 letters, digits, `-` or `_`; stored in clear beside each secret. */
  kid: string
  /** At least 32 random bytes. */
  bytes: Uint8Array
}

/** The keys of a vault. */
export interface VaultOptions {
  /** The first seals, all open. To rotate, put a new one first and drop an old one once nothing is sealed by it. */
  keys: readonly SealingKey[]
}

const CIPHER = 'aes-256-gcm'
const CIPHER_KEY_BYTES = 32
const VERSION = 1
const VERSION_AND_LENGTH_BYTES = 2
/** Random for each seal: safe for some four thousand million seals by one key. */
const IV_BYTES = 12
const TAG_BYTES = 16
const KID = /^[A-Za-z0-9_-]{1,32}$/
/** Keeps these keys apart from any other use of the same configured secret. */
const DERIVATION_LABEL = 'miniscore vault aes-256-gcm'

/** @throws {KeyError} when there is no key, or one is too short, badly named or named twice */
export function createVault({ keys }: VaultOptions): Vault {
  const ring = keys.map(prepareKey)
  const [current] = ring
  if (!current) throw new KeyError('no-key')
  const byKid = new Map(ring.map((key) => [key.kid, key]))
  if (byKid.size !== ring.length) throw new KeyError('repeated-key-id')

  return {
    seal(plaintext, context) {
      if (!plaintext.isWellFormed() || !context.isWellFormed()) {
        throw new TypeError('text to be sealed, or its context, is not well formed')
      }
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, current.cipherKey(), iv, { authTagLength: TAG_BYTES })
      cipher.setAAD(bindingOf(current.header, context))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([current.header, iv, cipher.getAuthTag(), ciphertext])
    },

    open(sealed, context) {
      const parts = takeApart(sealed)
      const key = parts && byKid.get(parts.kid)
      if (!key || !context.isWellFormed()) return undefined
      try {
        const decipher = createDecipheriv(CIPHER, key.cipherKey(), parts.iv, {
          authTagLength: TAG_BYTES,
        })
        decipher.setAAD(bindingOf(key.header, context)).setAuthTag(parts.tag)
        const plaintext = Buffer.concat([decipher.update(parts.ciphertext), decipher.final()])
        return { plaintext: plaintext.toString('utf8'), isCurrent: key === current }
      } catch {
        return undefined
      }
    },
  }
}

/** Checks a key now and derives from it at first use, once. */
function prepareKey({ kid, bytes }: SealingKey) {
  if (!KID.test(kid)) throw new KeyError('bad-key-id')
  if (bytes.length < KEY_MIN_BYTES) throw new KeyError('key-too-short', kid)
  const header = Buffer.concat([Buffer.of(VERSION, kid.length), Buffer.from(kid, 'latin1')])
  let derived: Uint8Array | undefined
  const cipherKey = (): Uint8Array => {
    derived ??= new Uint8Array(hkdfSync('sha256', bytes, '', DERIVATION_LABEL, CIPHER_KEY_BYTES))
    return derived
  }
  return { kid, header, cipherKey }
}

/** The header knows its own length, so the two cannot run into each other. */
function bindingOf(header: Uint8Array, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')])
}

/** The id of the key that sealed a value; `undefined` for what no vault sealed. */
export function sealingKeyIdOf(sealed: Uint8Array): string | undefined {
  return takeApart(sealed)?.kid
}

function takeApart(sealed: Uint8Array) {
  if (!(sealed instanceof Uint8Array) || sealed[0] !== VERSION) return undefined
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const ivStart = VERSION_AND_LENGTH_BYTES + (bytes[1] ?? 0)
  const tagStart = ivStart + IV_BYTES
  const ciphertextStart = tagStart + TAG_BYTES
  if (bytes.length < ciphertextStart) return undefined
  return {
    kid: bytes.toString('latin1', VERSION_AND_LENGTH_BYTES, ivStart),
    iv: bytes.subarray(ivStart, tagStart),
    tag: bytes.subarray(tagStart, ciphertextStart),
    ciphertext: bytes.subarray(ciphertextStart),
  }
}
