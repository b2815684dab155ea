/** Ranges of rating ids, which begin with the millisecond at which they were made. */

/** Sorts before every id. */
export const BEFORE_FIRST_ID = new Uint8Array(16)

/** The last possible id of a millisecond. */
export function lastIdAt(atMs: number): Uint8Array {
  const id = new Uint8Array(16).fill(0xff)
  Buffer.from(id.buffer).writeUIntBE(Math.max(atMs, 0), 0, 6)
  return id
}
