/** Attacks on user data without its key, as an outsider makes them. */

import { encryptUserData } from '../../scripts/simulators/wechat/encryption.ts'
import type { EncryptedUserData } from '../../shared/wechat/user-data.ts'
import { type Decrypt, inputBase, sample, sessionKey } from './user-data.ts'

/** Seeded 32-bit numbers (xorshift), so that a failure can be repeated. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/**
 * Forges the official sample without its key: XOR on one block rewrites the known text of the next
 * (`5pRjl1p8HQ/0","u`) and turns the block itself into noise. Counts what comes out changed.
 */
export function countForgeries(decrypt: Decrypt, tries: number): number {
  const next = randomNumbers(20_161_024)
  const ciphertext = Buffer.from(sample.encryptedData as string, 'base64')
  const known = Buffer.from('5pRjl1p8HQ/0","u')
  const letter = (): string => String.fromCharCode(97 + (next() % 26))
  let forged = 0
  for (let count = 0; count < tries; count++) {
    const name = Array.from({ length: 7 }, letter).join('')
    const wanted = Buffer.from(`","${name}":1,"u`)
    const changed = Buffer.from(ciphertext)
    for (let index = 0; index < 16; index++) {
      const at = 16 * 16 + index
      changed[at] = (changed[at] ?? 0) ^ (known[index] ?? 0) ^ (wanted[index] ?? 0)
    }
    if (decrypt({ ...sample, encryptedData: changed.toString('base64') })) forged++
  }
  return forged
}

/** What the attack on the padding is after. */
export const secret = '{"phoneNumber":1'

/**
 * Vaudenay's attack on the last bytes of one ciphertext block: tries all values of the byte before it
 * and looks for the one answer that differs from the rest. Returns the bytes it learnt.
 */
export function learnBytes(
  answerTo: (input: EncryptedUserData) => string,
  count: number,
): number[] {
  const { iv, encryptedData } = encryptUserData(secret, sessionKey)
  const [before, target] = [Buffer.from(iv, 'base64'), Buffer.from(encryptedData, 'base64')]
  const learnt: number[] = []
  const forged = Buffer.alloc(16, 0x5a)
  for (let pad = 1; pad <= count; pad++) {
    const at = 16 - pad
    learnt.forEach((byte, index) => {
      forged[15 - index] = byte ^ (before[15 - index] ?? 0) ^ pad
    })
    const answers = Array.from({ length: 256 }, (_, guess) => {
      forged[at] = guess
      const data = Buffer.concat([forged, target.subarray(0, 16)])
      return answerTo({ ...inputBase, iv, encryptedData: data.toString('base64') })
    })
    const odd = answers.findIndex(
      (answer) => answers.filter((other) => other === answer).length === 1,
    )
    if (odd < 0) break
    learnt.push(odd ^ pad ^ (before[at] ?? 0))
  }
  return learnt
}
