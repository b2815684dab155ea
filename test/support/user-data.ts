/** User data to try decryption on: the published sample and what the offline WeChat would make. */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { encryptUserData } from '../../scripts/simulators/wechat/encryption.ts'
import type { EncryptedUserData, UserData } from '../../shared/wechat/user-data.ts'
import { readVectors } from './vectors.ts'

export interface DecryptCase {
  id: string
  appid: string
  sessionKey: string
  iv: unknown
  encryptedData: unknown
  /** Seconds since 1970; without it, the official sample's own time. */
  clock?: number
  expect: 'accept' | 'reject' | 'either' | 'either-uniform'
}
export interface SignatureCase {
  id: string
  sessionKey: string
  rawData: string
  signature: unknown
  expect: 'accept' | 'reject' | 'either'
}
export type Decrypt = (input: EncryptedUserData) => object | undefined

export const { decryptCases, signatureCases } = readVectors<{
  decryptCases: DecryptCase[]
  signatureCases: SignatureCase[]
}>('wechat-decrypt')

export const appid = 'wx4f4bc4dec97d474b'
export const openid = 'oGZUI0egBJY1zhBYw2KhdUfwVJJE'
export const sampleTimestamp = 1477314187
export const maxAgeMs = 600_000

export const sample = inputOf(
  decryptCases.find(({ id }) => id === 'official-sample') as DecryptCase,
)
export const sampleData: UserData = {
  openId: openid,
  unionId: 'ocMvos6NjeKLIBqg5Mr9QjxrP1FA',
  nickName: 'Band',
  gender: 1,
  language: 'zh_CN',
  city: 'Guangzhou',
  province: 'Guangdong',
  country: 'CN',
  avatarUrl:
    'http://wx.qlogo.cn/mmopen/vi_32/aSKcBBPpibyKNicHNTMM0qJVh8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3mo8ibKicsnfN5pRjl1p8HQ/0',
  watermarkTimestamp: sampleTimestamp,
}

export function inputOf({ clock = sampleTimestamp + 5, ...rest }: DecryptCase): EncryptedUserData {
  const { sessionKey, iv, encryptedData } = rest
  return { appid: rest.appid, openid, sessionKey, iv, encryptedData, nowMs: clock * 1000, maxAgeMs }
}

export const sessionKey = 'AAECAwQFBgcICQoLDA0ODw=='
export const timestamp = 1_900_000_000
export const watermark = { timestamp, appid }
export const inputBase = { appid, openid, sessionKey, nowMs: timestamp * 1000, maxAgeMs }

/** What the offline WeChat would make of this text. */
export function encrypted(plaintext: string): EncryptedUserData {
  return { ...inputBase, ...encryptUserData(plaintext, sessionKey) }
}

/** Encrypts bytes that may be neither padded nor UTF-8. */
export function encryptedBytes(padded: Buffer): EncryptedUserData {
  const iv = Buffer.alloc(16, 3)
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), iv)
  const encryptedData = cipher.setAutoPadding(false).update(padded).toString('base64')
  return { ...inputBase, iv: iv.toString('base64'), encryptedData }
}

/** As the sample code that WeChat publishes: padding by OpenSSL, lenient base64 and UTF-8, the appid looked at. */
export function decryptAsSampleDoes({
  sessionKey,
  iv,
  encryptedData,
  appid,
}: EncryptedUserData): object {
  const [key, start, data] = [sessionKey, iv, encryptedData].map((text) =>
    Buffer.from(text as string, 'base64'),
  ) as [Buffer, Buffer, Buffer]
  const decipher = createDecipheriv('aes-128-cbc', key, start)
  const profile = JSON.parse(decipher.update(data).toString('utf8') + decipher.final('utf8'))
  if (profile.watermark.appid !== appid) throw new Error('Illegal Buffer')
  return profile
}

export function undefinedIfThrown(decrypt: (input: EncryptedUserData) => object): Decrypt {
  return (input) => {
    try {
      return decrypt(input)
    } catch {
      return undefined
    }
  }
}
