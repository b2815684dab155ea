import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto'

/** What wx.getUserProfile and the phone button of old give the client to pass on; both in base64. */
export interface EncryptedData {
  encryptedData: string
  iv: string
}

/**
 * Encrypts as WeChat does: AES-128-CBC with PKCS#7, key and iv being the decoded 16 bytes.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 * `sessionKey` and `iv` are base64; `iv` is random unless given.
 */
export function encryptUserData(
  plaintext: string,
  sessionKey: string,
  iv: string = randomBytes(16).toString('base64'),
): EncryptedData {
  const cipher = createCipheriv(
    'aes-128-cbc',
    Buffer.from(sessionKey, 'base64'),
    Buffer.from(iv, 'base64'),
  )
  const encrypted = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return { encryptedData: encrypted.toString('base64'), iv }
}

/** `hex(sha256(encryptedData))`, by which checkencryptedmsg knows what WeChat encrypted. */
export function encryptedDataHash(encryptedData: string): string {
  return createHash('sha256').update(encryptedData, 'utf8').digest('hex')
}

/** `hex(sha1(rawData + session_key))`: it vouches for rawData alone, not for the encrypted data. */
export function signRawData(rawData: string, sessionKey: string): string {
  return createHash('sha1')
    .update(rawData + sessionKey, 'utf8')
    .digest('hex')
}

/** `hex(hmac_sha256(session_key, ""))`; the key is the base64 text itself, not the bytes it stands for. */
export function sessionSignature(sessionKey: string, message = ''): string {
  return createHmac('sha256', sessionKey).update(message, 'utf8').digest('hex')
}
