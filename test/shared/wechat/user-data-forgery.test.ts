import { afterEach, describe, expect, test, vi } from 'vitest'
import { encryptUserData } from '../../../scripts/simulators/wechat/encryption.ts'
import {
  decryptUserData,
  type EncryptedUserData,
  type UserData,
} from '../../../shared/wechat/user-data.ts'
import {
  type Decrypt,
  decryptAsSampleDoes,
  encryptedBytes,
  inputBase,
  sample,
  sampleData,
  sessionKey,
  undefinedIfThrown,
  watermark,
} from '../../support/user-data.ts'

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
function countForgeries(decrypt: Decrypt, tries: number): number {
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

describe('forging without the key', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  test('twenty thousand XOR forgeries of the official sample all fail', () => {
    expect(countForgeries(decryptUserData, 20_000)).toBe(0)
    expect(decryptUserData(sample)).toEqual(sampleData)
  })

  test('one in ten succeeds where bytes that are no UTF-8 are let through', async () => {
    const Strict = TextDecoder
    class Lenient extends Strict {
      constructor(label?: string) {
        super(label, { fatal: false })
      }
    }
    vi.stubGlobal('TextDecoder', Lenient)
    vi.resetModules()
    const broken = await import('../../../shared/wechat/user-data.ts')
    expect(countForgeries(broken.decryptUserData, 2000)).toBeGreaterThan(100)
    expect(countForgeries(undefinedIfThrown(decryptAsSampleDoes), 2000)).toBeGreaterThan(100)
  })

  test('what a sender writes through iv is sixteen bytes, and never another openId', () => {
    const rewrite = (start: string): UserData | undefined => {
      const iv = Buffer.from(sample.iv as string, 'base64')
      const known = Buffer.from('{"openId":"oGZUI')
      const wanted = Buffer.from(start)
      const forged = iv.map((byte, index) => byte ^ (known[index] ?? 0) ^ (wanted[index] ?? 0))
      return decryptUserData({ ...sample, iv: Buffer.from(forged).toString('base64') })
    }
    expect(rewrite('{"openId":"oGZUI')).toEqual(sampleData)
    expect(rewrite('{"openId":"oHACK')).toBeUndefined()
    expect(rewrite('{"openId":1,"a":"')).toBeUndefined()
    const { openId, ...rest } = sampleData
    expect(rewrite('{"nobody":"oGZUI')).toEqual(rest)
  })
})

/**
 * Vaudenay's attack on the last bytes of one ciphertext block: tries all values of the byte before it
 * and looks for the one answer that differs from the rest. Returns the bytes it learnt.
 */
function learnBytes(answerTo: (input: EncryptedUserData) => string, count: number): number[] {
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

const secret = '{"phoneNumber":1'

describe('the padding', () => {
  const ours = (input: EncryptedUserData): string => JSON.stringify(decryptUserData(input)) ?? 'no'

  test('tells nothing: the attack that reads a block learns no byte', () => {
    expect(learnBytes(ours, 16)).toEqual([])
  })

  test('would give away the text if its errors could be told from others', () => {
    const telling = (input: EncryptedUserData): string => {
      try {
        return JSON.stringify(decryptAsSampleDoes(input))
      } catch (error) {
        return error instanceof SyntaxError ? 'no JSON' : 'bad decrypt'
      }
    }
    const learnt = Buffer.from(learnBytes(telling, 6)).reverse()
    expect(learnt.toString()).toBe(secret.slice(-6))
  })

  test('that is wrong does not spare the work that comes after it', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const body = Buffer.from(JSON.stringify({ watermark, nickName: 'Band' }).padEnd(111))
    const parsed = [1, 2, 0, 17].map((count) => {
      parse.mockClear()
      const data = decryptUserData(encryptedBytes(Buffer.concat([body, Buffer.of(count)])))
      return [data !== undefined, parse.mock.calls.length]
    })
    parse.mockRestore()
    expect(parsed).toEqual([
      [true, 1],
      [false, 1],
      [false, 1],
      [false, 1],
    ])
  })

  test('is not a row of spaces, which JSON would let pass', () => {
    const text = JSON.stringify({ watermark }).padEnd(128)
    expect(decryptUserData(encryptedBytes(Buffer.from(text)))).toBeUndefined()
  })

  test('must be whole: every byte of it counts', () => {
    const text = Buffer.from(JSON.stringify({ watermark, city: '' }))
    for (let count = 1; count <= 16; count++) {
      const body = Buffer.from(text.toString().padEnd(112 - count))
      const padded = Buffer.concat([body, Buffer.alloc(count, count)])
      expect(decryptUserData(encryptedBytes(padded))).toBeDefined()
      for (let index = body.length; index < padded.length - 1; index++) {
        const broken = Buffer.from(padded)
        broken[index] = 0x20
        expect(decryptUserData(encryptedBytes(broken))).toBeUndefined()
      }
    }
  })
})
