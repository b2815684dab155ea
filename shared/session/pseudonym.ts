/** Names for the log: the same person always has the same one, and nobody without the key can tell whose it is. Pure. */

import { createHmac, hkdfSync } from 'node:crypto'
import type { Pseudonyms } from '../ports.ts'
import { KEY_MIN_BYTES, KeyError } from './key-error.ts'

const HMAC_KEY_BYTES = 32
/** 96 bits: no two people of a service share one. */
const PSEUDONYM_BYTES = 12
/** Keeps this key apart from any other use of the same configured secret. */
const DERIVATION_LABEL = 'miniscore log pseudonym hmac-sha256'

/** Pseudonyms under a key; another key gives everybody another one. @throws {KeyError} when the key is too short */
export function createPseudonyms({ key }: { key: Uint8Array }): Pseudonyms {
  if (key.length < KEY_MIN_BYTES) throw new KeyError('key-too-short', 'of the pseudonyms')
  let derived: Uint8Array | undefined
  return {
    of(kind, value) {
      derived ??= new Uint8Array(hkdfSync('sha256', key, '', DERIVATION_LABEL, HMAC_KEY_BYTES))
      const mac = createHmac('sha256', derived).update(`${kind}:${value}`).digest()
      return mac.subarray(0, PSEUDONYM_BYTES).toString('base64url')
    },
  }
}
