/** SHA-256 (FIPS 180-4), because mini programs have no WebCrypto, as compact as it gets. */

const primes: number[] = []
for (let candidate = 2; primes.length < 64; candidate++) {
  if (primes.every((prime) => candidate % prime)) primes.push(candidate)
}

/** The first 32 bits of the fractional parts of the roots of the primes. */
function fractionsOf(exponent: number): number[] {
  return primes.map((prime) => (prime ** exponent * 2 ** 32) | 0)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The digest of a text of ASCII characters, as 43 characters of base64url. */
export function sha256(ascii: string): string {
  const { length } = ascii
  const last = (((length + 8) >> 6) << 4) + 15
  const words = Array<number>(last).fill(0)
  for (let at = 0; at <= length; at++) {
    words[at >> 2] =
      (words[at >> 2] as number) | ((ascii.charCodeAt(at) || 0x80) << (24 - (at % 4) * 8))
  }
  words[last] = length * 8

  const constants = fractionsOf(1 / 3)
  // Of which eight count.
  let state = fractionsOf(1 / 2)
  for (let offset = 0; offset < last; offset += 16) {
    const schedule = words.slice(offset, offset + 16)
    let working = state
    for (let round = 0; round < 64; round++) {
      const [a, b, c, d, e, f, g, h] = working as Eight
      const early = schedule[round - 15] as number
      const late = schedule[round - 2] as number
      if (round > 15) {
        schedule[round] =
          ((schedule[round - 16] as number) +
            (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) +
            (schedule[round - 7] as number) +
            (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10))) |
          0
      }
      const first =
        h +
        (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
        ((e & f) ^ (~e & g)) +
        (constants[round] as number) +
        (schedule[round] as number)
      const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
      working = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g]
    }
    state = state.map((before, index) => (before + (working[index] as number)) | 0)
  }

  let text = ''
  for (let bit = 0; bit < 256; bit += 6) {
    const within = bit & 31
    const here = ((state[bit >> 5] as number) << within) >>> 26
    const beyond = within > 26 ? (state[(bit >> 5) + 1] as number) >>> (58 - within) : 0
    text += ALPHABET[here | beyond]
  }
  return text
}

type Eight = [number, number, number, number, number, number, number, number]

function turn(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits))
}
