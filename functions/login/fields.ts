/** Input and output fields that several endpoints of this function share. */

import * as v from 'valibot'
import type { UserData } from '../../shared/wechat/user-data.ts'

/** Codes are some 32 to 64 characters today; nothing but their being short and printable is promised. */
export function Code(name: string) {
  return v.pipe(
    v.string(`登录凭证（${name}）应为字符串`),
    v.regex(/^[\x21-\x7e]{1,128}$/, `登录凭证（${name}）格式不正确`),
  )
}

/** What is inside is judged by decryption alone, with one answer for every fault. */
function Encrypted(name: string, maxLength: number) {
  return v.pipe(
    v.string(`加密数据（${name}）应为字符串`),
    v.nonEmpty(`加密数据（${name}）不能为空`),
    v.maxLength(maxLength, `加密数据（${name}）过长`),
  )
}

/** Encrypted user data, and the signed text that may come with it. */
export const encryptedFields = {
  encryptedData: Encrypted('encryptedData', 12_000),
  iv: Encrypted('iv', 64),
}

/** The text that WeChat signed, exactly as it came, and its signature. */
export const signedFields = {
  rawData: v.optional(Encrypted('rawData', 8000)),
  signature: v.optional(Encrypted('signature', 64)),
}

/** What a client gets to keep of a session. */
export const TokenPairOutput = {
  token: v.string(),
  tokenType: v.literal('JWT'),
  expiresIn: v.number(),
  refreshToken: v.string(),
  refreshExpiresIn: v.number(),
}

/** What of decrypted data is shown. It proves nothing, and grants nothing. */
export const UserDataOutput = {
  nickName: v.optional(v.string()),
  gender: v.optional(v.number()),
  language: v.optional(v.string()),
  city: v.optional(v.string()),
  province: v.optional(v.string()),
  country: v.optional(v.string()),
  avatarUrl: v.optional(v.string()),
} satisfies Partial<Record<keyof UserData, unknown>>

/** A pair as it is answered. */
export function tokenPairOutput(pair: {
  token: string
  expiresInSeconds: number
  refreshToken: string
  refreshExpiresInSeconds: number
}) {
  return {
    token: pair.token,
    tokenType: 'JWT' as const,
    expiresIn: pair.expiresInSeconds,
    refreshToken: pair.refreshToken,
    refreshExpiresIn: pair.refreshExpiresInSeconds,
  }
}
