import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encryptUserData, signRawData } from '../../../scripts/simulators/wechat/encryption.ts'
import { decryptUserData, type UserData, verifyRawData } from '../../../shared/wechat/user-data.ts'
import {
  appid,
  type Decrypt,
  type DecryptCase,
  decryptAsSampleDoes,
  decryptCases,
  encrypted,
  inputBase,
  inputOf,
  openid,
  sample,
  sampleData,
  sampleTimestamp,
  sessionKey,
  signatureCases,
  timestamp,
  undefinedIfThrown,
  watermark,
} from '../../support/user-data.ts'

function decryptProfile(profile: object): UserData | undefined {
  return decryptUserData(encrypted(JSON.stringify({ watermark, ...profile })))
}

describe('the published and the made samples', () => {
  const isAsExpected = (vector: DecryptCase, decrypt: Decrypt): boolean => {
    const isAccepted = decrypt(inputOf(vector)) !== undefined
    return vector.expect.startsWith('either') || isAccepted === (vector.expect === 'accept')
  }

  test('the official sample gives its fields and no others', () => {
    expect(decryptUserData(sample)).toEqual(sampleData)
  })

  test.each(decryptCases)('$id: $expect', (vector) => {
    expect(isAsExpected(vector, decryptUserData)).toBe(true)
    const data = decryptUserData(inputOf(vector))
    if (vector.expect === 'either-uniform' && data) expect(data).toMatchObject({ openId: openid })
    expect(data ?? {}).not.toHaveProperty('admin')
    expect({}).not.toHaveProperty('admin')
  })

  test('they tell this from the sample code, which accepts what it must not', () => {
    const naive = undefinedIfThrown(decryptAsSampleDoes)
    const wrong = decryptCases.filter((vector) => !isAsExpected(vector, naive)).map(({ id }) => id)
    expect(wrong.length).toBeGreaterThan(5)
    expect(wrong).toContain('base64-junk-inside')
  })
})

describe('user data as WeChat encrypts it', () => {
  test('gives the allow-listed fields, well formed and of the right type, and nothing else', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 })
    const names = ['nickName', 'city', 'avatarUrl', 'phoneNumber', 'purePhoneNumber', 'unionId']
    const profiles = fc.dictionary(
      fc.constantFrom(...names, '__proto__', 'constructor', 'isAdmin', 'watermark'),
      fc.oneof(text, fc.jsonValue()),
    )
    fc.assert(
      fc.property(profiles, (profile) => {
        const kept = names.filter(
          (name) => Object.hasOwn(profile, name) && typeof profile[name] === 'string',
        )
        const expected = Object.fromEntries(kept.map((name) => [name, profile[name]]))
        const json = JSON.stringify({ ...profile, watermark })
        const data = decryptUserData(encrypted(json))
        expect(data).toEqual({ ...expected, watermarkTimestamp: timestamp })
        expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
      }),
    )
  })

  test('a phone number comes with its country code as text, however WeChat wrote it', () => {
    const phone = { phoneNumber: '13580006666', purePhoneNumber: '13580006666' }
    for (const countryCode of ['86', 86]) {
      const data = decryptProfile({ ...phone, countryCode })
      expect(data).toEqual({ ...phone, countryCode: '86', watermarkTimestamp: timestamp })
    }
  })

  test.each([
    ['a number for a name', { nickName: 5 }],
    ['a list for a name', { nickName: ['Band'] }],
    ['half a character', { nickName: 'a\ud800b' }],
    ['a text too long', { avatarUrl: 'x'.repeat(1025) }],
    ['an unknown gender', { gender: 3 }],
    ['a gender in text', { gender: '1' }],
    ['a broken country code', { countryCode: 8.6 }],
    ['inherited names', { ['__proto__']: { nickName: 'Band' }, constructor: 'x', toString: 'y' }],
  ])('%s is left out', (_name, profile) => {
    expect(decryptProfile(profile)).toEqual({ watermarkTimestamp: timestamp })
  })

  test('a + that became a space on the way is repaired in data and iv', () => {
    const spaced = (text: unknown): string => String(text).replaceAll('+', ' ')
    expect(spaced(sample.encryptedData)).toContain(' ')
    expect(decryptUserData({ ...sample, encryptedData: spaced(sample.encryptedData) })).toEqual(
      sampleData,
    )
    const iv = Buffer.alloc(16, 0xfb).toString('base64')
    const data = encryptUserData(JSON.stringify({ watermark }), sessionKey, iv)
    expect(decryptUserData({ ...inputBase, ...data, iv: spaced(iv) })).toBeDefined()
  })

  test('is taken from a minute in the future up to its greatest age, to the millisecond', () => {
    const at = (nowMs: number) => decryptUserData({ ...sample, nowMs }) !== undefined
    const madeMs = sampleTimestamp * 1000
    expect([-60_001, -60_000, 0, 600_000, 600_001].map((ageMs) => at(madeMs + ageMs))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ])
    expect(at(Number.NaN)).toBe(false)
    expect(decryptUserData({ ...sample, maxAgeMs: Number.NaN })).toBeUndefined()
  })

  test('with an openId inside is for that caller only; without one, the caller stays who they are', () => {
    expect(decryptUserData({ ...sample, openid: openid.toLowerCase() })).toBeUndefined()
    expect(decryptProfile({ openId: openid })).toEqual({
      openId: openid,
      watermarkTimestamp: timestamp,
    })
    expect(decryptProfile({ openId: null })).toBeUndefined()
    expect(decryptProfile({})).not.toHaveProperty('openId')
  })

  test.each<[string, string]>([
    ['a list', JSON.stringify([{ watermark }])],
    ['null', 'null'],
    ['a byte order mark', `\ufeff${JSON.stringify({ watermark })}`],
    ['something behind the object', `${JSON.stringify({ watermark })}x`],
    [
      'a fraction of a second',
      JSON.stringify({ watermark: { appid, timestamp: timestamp + 0.5 } }),
    ],
    ['an infinite time', `{"watermark":{"appid":"${appid}","timestamp":1e400}}`],
    ['a watermark lent by __proto__', JSON.stringify({ ['__proto__']: { watermark } })],
    [
      'an appid in other letters',
      JSON.stringify({ watermark: { timestamp, appid: 'WX4F4BC4DEC97D474B' } }),
    ],
    ['more than anybody needs', JSON.stringify({ watermark, x: 'y'.repeat(16_384) })],
  ])('%s is refused', (_name, plaintext) => {
    expect(decryptUserData(encrypted(plaintext))).toBeUndefined()
  })

  test('nesting thousands deep is neither a crash nor an answer', () => {
    const deep = `{"watermark":${JSON.stringify(watermark)},"nickName":${'['.repeat(5000)}${']'.repeat(5000)}}`
    expect(decryptUserData(encrypted(deep))).toEqual({ watermarkTimestamp: timestamp })
  })

  test('data of every length that is not whole blocks is refused without a throw', () => {
    for (let length = 0; length < 40; length++) {
      const encryptedData = Buffer.alloc(length, 1).toString('base64')
      expect(decryptUserData({ ...sample, encryptedData })).toBeUndefined()
    }
  })

  test('members that a polluted prototype lends are not taken for data', () => {
    const lent = { nickName: 'Mallory', watermark: { timestamp, appid } }
    Object.assign(Object.prototype, lent)
    try {
      const withoutWatermark = decryptUserData(encrypted('{}'))
      const withoutName = Object.keys(
        decryptUserData(encrypted(JSON.stringify({ watermark }))) ?? {},
      )
      expect([withoutWatermark, withoutName]).toEqual([undefined, ['watermarkTimestamp']])
    } finally {
      for (const name of Object.keys(lent)) Reflect.deleteProperty(Object.prototype, name)
    }
  })

  test('inputs of any type are refused without a throw', () => {
    const base64 = fc
      .uint8Array({ maxLength: 64 })
      .map((bytes) => Buffer.from(bytes).toString('base64'))
    const any = fc.oneof(fc.anything(), fc.string(), base64)
    fc.assert(
      fc.property(any, any, any, (iv, encryptedData, key) => {
        expect(decryptUserData({ ...sample, iv, encryptedData })).toBeUndefined()
        expect(decryptUserData({ ...sample, sessionKey: key })).toBeUndefined()
        expect(verifyRawData({ rawData: iv, signature: encryptedData, sessionKey: key })).toBe(
          false,
        )
      }),
    )
  })
})

describe('the signature of rawData', () => {
  test.each(signatureCases)('$id: $expect', ({ expect: expected, ...input }) => {
    const isGood = verifyRawData(input)
    if (expected !== 'either') expect(isGood).toBe(expected === 'accept')
  })

  test('is the one the offline WeChat makes, for any text, and for that text and key alone', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(text, text, (rawData, otherText) => {
        const signature = signRawData(rawData, sessionKey)
        expect(verifyRawData({ rawData, signature, sessionKey })).toBe(true)
        const isSame = rawData === otherText
        expect(verifyRawData({ rawData: otherText, signature, sessionKey })).toBe(isSame)
        expect(verifyRawData({ rawData, signature, sessionKey: 'AAECAwQFBgcICQoLDA0OEA==' })).toBe(
          false,
        )
      }),
    )
  })

  test('does not cover a text with half a character, whose bytes are those of another', () => {
    const signature = signRawData('\ud800', sessionKey)
    expect(verifyRawData({ rawData: '\ufffd', signature, sessionKey })).toBe(true)
    expect(verifyRawData({ rawData: '\ud800', signature, sessionKey })).toBe(false)
  })

  test('is not found good under a key that is not 16 bytes in canonical base64', () => {
    const keys = [
      '',
      'AAECAwQFBgcICQoLDA0O',
      'AAECAwQFBgcICQoLDA0ODx==',
      ` ${sessionKey}`,
      `${sessionKey}\n`,
    ]
    for (const key of keys) {
      const signature = signRawData('{}', key)
      expect(verifyRawData({ rawData: '{}', signature, sessionKey: key })).toBe(false)
    }
  })
})
