import { createHmac, randomBytes } from 'node:crypto'

/** So many bytes that nobody can guess, or, from a seed, the same ones in the same order every time. */
export type RandomBytes = (count: number) => Buffer

/** Codes, openids, keys, tokens and ids are all made from this: one seed, one sequence of them. */
export function createRandom(seed?: string): RandomBytes {
  if (seed === undefined) return randomBytes
  let block = 0
  return (count) => {
    const blocks: Buffer[] = []
    for (let length = 0; length < count; length += 32) {
      blocks.push(createHmac('sha256', seed).update(String(block++)).digest())
    }
    return Buffer.concat(blocks).subarray(0, count)
  }
}
