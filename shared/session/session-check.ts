/** Whether the session behind an access token may still be used: one indexed look at the store. */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { SessionStore, Sessions } from '../ports.ts'

/** What a bound client shows with a call is short; a longer text is not worth hashing. */
const PROOF_MAX_LENGTH = 256

/** The part of `Sessions` that every function needs. */
export function createSessionCheck({
  store,
  now,
}: {
  store: Pick<SessionStore, 'living'>
  now: () => number
}): Pick<Sessions, 'check' | 'unchecked'> {
  return {
    async check(claims, proof) {
      const session = await store.living(claims, now())
      if (!session) return undefined
      const { proofHash, ...living } = session
      return isProved(proofHash, proof) ? living : undefined
    },

    unchecked: (claims, proof) => ({ ...claims, proofHash: digestOfProof(proof) }),
  }
}

/** Whether `proof` is the secret a session is bound to; an unbound session needs none. */
export function isProved(proofHash: Uint8Array | null, proof: string | undefined): boolean {
  if (proofHash === null) return true
  const digest = digestOfProof(proof)
  return digest !== null && isEqual(digest, proofHash)
}

function digestOfProof(proof: string | undefined): Buffer | null {
  return proof === undefined || proof.length > PROOF_MAX_LENGTH ? null : sha256(proof)
}

/** SHA-256 of a text in UTF-8, 32 bytes. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Whether two secrets are the same bytes, in a time that does not tell where they differ. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
