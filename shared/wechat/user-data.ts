/**
 * The user data a mini program passes on from WeChat. Pure: no I/O, no clock.
 *
 * Encrypted data carries no MAC: through `iv` a sender writes the first 16 bytes as they like, and
 * may cut blocks off the front. So what comes out here is a convenience for showing a profile and
 * never a ground for a right, an identity or a phone number's ownership.
 */

import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'

/** What may come out, whatever else is inside. Every text is well formed. */
export interface UserData {
  /** If present, the caller's own. */
  openId?: string
  unionId?: string
  nickName?: string
  /** 0 unknown, 1 male, 2 female. */
  gender?: number
  language?: string
  city?: string
  province?: string
  country?: string
  avatarUrl?: string
  /** With the country code for a number from abroad. */
  phoneNumber?: string
  purePhoneNumber?: string
  countryCode?: string
  /** When WeChat made the data, in seconds since 1970. */
  watermarkTimestamp: number
}

/** Encrypted data and what it is held against. */
export interface EncryptedUserData {
  /** The mini program the data must have been made for. */
  appid: string
  /** The caller's; an `openId` inside must be this one. */
  openid: string
  /** 16 bytes in base64, from WeChat. */
  sessionKey: unknown
  /** Base64, from the client; a space stands for a `+` that form encoding lost. */
  encryptedData: unknown
  iv: unknown
  nowMs: number
  /** How old the watermark may be. WeChat names no limit; ten minutes is a sensible one. */
  maxAgeMs: number
}

/** Signed text and its signature. */
export interface SignedRawData {
  /** The text exactly as WeChat gave it; parsing and printing it again breaks the signature. */
  rawData: unknown
  /** 40 lower-case hexadecimal digits. */
  signature: unknown
  /** 16 bytes in base64, from WeChat. */
  sessionKey: unknown
}

/** How far WeChat's clock may be ahead of ours. */
export const WATERMARK_TOLERANCE_MS = 60_000
/** The published sample takes 536 characters; no more than this is worth decrypting. */
export const ENCRYPTED_DATA_MAX_LENGTH = 16_384
/** The longest text worth keeping is an avatar's address. */
export const FIELD_MAX_LENGTH = 1024

const BLOCK_BYTES = 16
const SHA1_HEX = /^[0-9a-f]{40}$/
const TEXT_FIELDS = [
  'openId',
  'unionId',
  'nickName',
  'language',
  'city',
  'province',
  'country',
  'avatarUrl',
  'phoneNumber',
  'purePhoneNumber',
] as const

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decrypts (AES-128-CBC, PKCS#7) and checks what `wx.getUserProfile` or the phone button handed to
 * the client: strict base64, whole UTF-8, a JSON object, our appid, a fresh watermark, the caller's openid.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 *
 * `undefined` is the one answer to everything that is not in order; nothing is thrown. A caller who
 * could tell a padding error from another could forge any content in a few thousand requests.
 * For the same reason nothing is skipped after a padding error.
 */
export function decryptUserData(input: EncryptedUserData): UserData | undefined {
  const key = decodeBase64(input.sessionKey, BLOCK_BYTES)
  const iv = decodeBase64(repairPlus(input.iv), BLOCK_BYTES)
  const ciphertext = decodeBase64(repairPlus(input.encryptedData))
  if (!key || !iv || !ciphertext?.length || ciphertext.length % BLOCK_BYTES !== 0) return undefined

  const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
  const { bytes, isPadded } = unpad(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
  const { text, isUtf8 } = decodeText(bytes)
  const profile = parseJson(text)
  return isPadded && isUtf8 && isObject(profile) ? readProfile(profile, input) : undefined
}

/**
 * Whether `signature` is `hex(sha1(utf8(rawData + session_key)))`. It vouches for `rawData` alone, not
 * for the encrypted data beside it. Never throws.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 *
 * Nothing separates the two hashed texts: only a key of exactly 16 bytes says where one ends.
 */
export function verifyRawData({ rawData, signature, sessionKey }: SignedRawData): boolean {
  if (typeof rawData !== 'string' || !rawData.isWellFormed()) return false
  if (typeof signature !== 'string' || !SHA1_HEX.test(signature)) return false
  if (typeof sessionKey !== 'string' || !decodeBase64(sessionKey, BLOCK_BYTES)) return false
  const expected = createHash('sha1').update(rawData, 'utf8').update(sessionKey, 'utf8').digest()
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}

function repairPlus(text: unknown): unknown {
  return typeof text === 'string' ? text.replaceAll(' ', '+') : text
}

/** The bytes of a text that is spelt just as an encoder would; Node alone skips whatever it does not know. */
function decodeBase64(text: unknown, byteLength?: number): Buffer | undefined {
  if (typeof text !== 'string' || text.length > ENCRYPTED_DATA_MAX_LENGTH) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (byteLength !== undefined && bytes.length !== byteLength) return undefined
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Looks at all of the last block, wherever a fault is; with a fault, the bytes are as long as they came. */
function unpad(padded: Buffer): { bytes: Buffer; isPadded: boolean } {
  const count = padded[padded.length - 1] ?? 0
  let faults = Number(count === 0 || count > BLOCK_BYTES)
  for (let fromEnd = 1; fromEnd <= BLOCK_BYTES; fromEnd++) {
    const isPadding = Number(fromEnd <= count)
    faults |= isPadding * ((padded[padded.length - fromEnd] ?? 0) ^ count)
  }
  const isPadded = faults === 0
  return { bytes: padded.subarray(0, padded.length - (isPadded ? count : 0)), isPadded }
}

function decodeText(bytes: Buffer): { text: string; isUtf8: boolean } {
  try {
    return { text: utf8.decode(bytes), isUtf8: true }
  } catch {
    return { text: bytes.toString('latin1'), isUtf8: false }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readProfile(
  profile: Record<string, unknown>,
  { appid, openid, nowMs, maxAgeMs }: EncryptedUserData,
): UserData | undefined {
  const watermark = own(profile, 'watermark')
  if (!isObject(watermark) || own(watermark, 'appid') !== appid) return undefined
  const timestamp = own(watermark, 'timestamp')
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp)) return undefined
  const ageMs = nowMs - timestamp * 1000
  const isFresh = ageMs <= maxAgeMs && ageMs >= -WATERMARK_TOLERANCE_MS
  if (!isFresh) return undefined
  if (Object.hasOwn(profile, 'openId') && profile.openId !== openid) return undefined
  return copyAllowed(profile, timestamp)
}

function copyAllowed(profile: Record<string, unknown>, watermarkTimestamp: number): UserData {
  const data: UserData = { watermarkTimestamp }
  for (const name of TEXT_FIELDS) {
    const value = own(profile, name)
    if (isText(value)) data[name] = value
  }
  const gender = own(profile, 'gender')
  if (gender === 0 || gender === 1 || gender === 2) data.gender = gender
  // Text in the documentation; a number is the same code.
  const code = own(profile, 'countryCode')
  const countryCode = Number.isSafeInteger(code) ? String(code) : code
  if (isText(countryCode)) data.countryCode = countryCode
  return data
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= FIELD_MAX_LENGTH && value.isWellFormed()
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member of the JSON itself, not one that the prototype lends. */
function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
