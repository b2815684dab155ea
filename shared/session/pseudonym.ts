/** Names for the log: the same person always has the same one, and nobody without the key can tell whose it is. Pure. */

import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Pseudonyms } from '../ports.ts'
import { KEY_MIN_BYTES, KeyError } from './key-error.ts'

const HMAC_KEY_BYTES = 32
/** 96 bits in base64url: no two people of a service share one. */
const PSEUDONYM_LENGTH = 16
/** Keeps this key apart from any other use of the same configured secret. */
const DERIVATION_LABEL = 'miniscore log pseudonym hmac-sha256'

/** Pseudonyms under a key; another key gives everybody another one. @throws {KeyError} when the key is too short */
export function createPseudonyms({ key }: { key: Uint8Array }): Pseudonyms {
  if (key.length < KEY_MIN_BYTES) throw new KeyError('key-too-short', 'of the pseudonyms')
  let derived: KeyObject | undefined
  return {
    of(kind, value) {
      derived ??= derive(key)
      const mac = createHmac('sha256', derived).update(`${kind}:${value}`)
      return mac.digest('base64url').slice(0, PSEUDONYM_LENGTH)
    },
  }
}

/** Bytes would be made into a key object anew at every use. */
function derive(key: Uint8Array): KeyObject {
  const bytes = hkdfSync('sha256', key, '', DERIVATION_LABEL, HMAC_KEY_BYTES)
  return createSecretKey(new Uint8Array(bytes))
}
