import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  decryptUserData,
  type EncryptedUserData,
  type UserData,
} from '../../../shared/wechat/user-data.ts'
import {
  decryptAsSampleDoes,
  encryptedBytes,
  sample,
  sampleData,
  undefinedIfThrown,
  watermark,
} from '../../support/user-data.ts'
import { countForgeries, learnBytes, secret } from '../../support/user-data-attacks.ts'

describe('forging without the key', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  test('two thousand XOR forgeries of the official sample all fail', () => {
    expect(countForgeries(decryptUserData, 2000)).toBe(0)
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
