/**
 * Finding a value again without storing it: HMAC-SHA256 under a secret key, so that a copy of the
 * database does not allow trying out all phone numbers. Pure: no I/O, no clock.
 */

import { createHmac, hkdfSync } from 'node:crypto'
import type { Lookup } from '../ports.ts'
import { KEY_MIN_BYTES, KeyError } from './key-error.ts'

/** The one key of a lookup. */
export interface LookupOptions {
  /** At least 32 random bytes. Changing it makes all digests stored so far unfindable. */
  key: Uint8Array
}

const HMAC_KEY_BYTES = 32
/** Keeps this key apart from any other use of the same configured secret. */
const DERIVATION_LABEL = 'miniscore lookup hmac-sha256'

/** @throws {KeyError} when the key is too short */
export function createLookup({ key }: LookupOptions): Lookup {
  if (key.length < KEY_MIN_BYTES) throw new KeyError('key-too-short', 'of the lookup')
  let derived: Uint8Array | undefined
  return {
    digest(purpose, value) {
      derived ??= new Uint8Array(hkdfSync('sha256', key, '', DERIVATION_LABEL, HMAC_KEY_BYTES))
      // UTF-16, because UTF-8 would give all halves of characters the same bytes.
      return createHmac('sha256', derived)
        .update(`${purpose.length}:${purpose}${value}`, 'utf16le')
        .digest()
    },
  }
}
