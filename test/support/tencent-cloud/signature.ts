/**
 * Verifies TC3-HMAC-SHA256 (cloud.tencent.com/document/api/583/33846): everything is computed again from the raw bytes
 * that arrived, nothing is taken on trust from the signer.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Refusal } from './refusal.ts'

export interface Account {
  secretId: string
  secretKey: string
  sessionToken?: string | undefined
}

export interface SignedRequest {
  method: string
  /** Path and query as in the request line. */
  url: string
  headers: Readonly<Record<string, string | undefined>>
  body: Buffer
}

const windowSeconds = 5 * 60
function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Throws a `Refusal` (`AuthFailure.*`) unless the account signed exactly this request within five minutes of `nowMs`. */
export function verifySignature(request: SignedRequest, account: Account, nowMs: number): void {
  const header = (name: string): string => request.headers[name] ?? ''
  const authorization =
    /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\d{4}-\d\d-\d\d)\/(\w+)\/tc3_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    )
  if (!authorization)
    throw new Refusal('AuthFailure.InvalidAuthorization', '请求头部的 Authorization 不符合标准。')
  const [, secretId, date, service, signedHeaders = '', signature = ''] = authorization

  const timestamp = Number(header('x-tc-timestamp'))
  if (!Number.isInteger(timestamp) || Math.abs(nowMs / 1000 - timestamp) > windowSeconds)
    throw new Refusal('AuthFailure.SignatureExpire', '签名过期。请检查本机时间。')
  if (date !== new Date(timestamp * 1000).toISOString().slice(0, 10))
    throw new Refusal('AuthFailure.SignatureFailure', '签名中的日期与时间戳不符。')
  if (secretId !== account.secretId)
    throw new Refusal('AuthFailure.SecretIdNotFound', '密钥不存在。')
  if (service !== header('host').split('.')[0])
    throw new Refusal('AuthFailure.SignatureFailure', '签名中的产品名与域名不符。')
  const names = signedHeaders.split(';')
  if (!names.includes('host') || !names.includes('content-type'))
    throw new Refusal('AuthFailure.SignatureFailure', 'host 与 content-type 必须参与签名。')

  const [path = '/', query = ''] = request.url.split('?')
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${header(name).trim()}`),
    '',
    signedHeaders,
    sha256(request.body),
  ].join('\n')
  const toSign = `TC3-HMAC-SHA256\n${timestamp}\n${date}/${service}/tc3_request\n${sha256(canonical)}`
  const dateKey = hmac(`TC3${account.secretKey}`, date ?? '')
  const expected = hmac(hmac(hmac(dateKey, service ?? ''), 'tc3_request'), toSign)
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    throw new Refusal('AuthFailure.SignatureFailure', '请求签名验证失败,请检查 SecretKey。')
  if ((account.sessionToken ?? '') !== header('x-tc-token'))
    throw new Refusal('AuthFailure.TokenFailure', 'Token 错误。')
}
