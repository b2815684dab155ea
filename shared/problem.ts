/**
 * Every failure a caller can see, in one table. Messages are Chinese and fit for a toast
 * (the mini program shows them as they are); a title is the code in words, for developers.
 */

/** What the client should do next: log in again, refresh its token, try the same later, or give up. */
export type RetryHint = 'login' | 'refresh' | 'later' | 'never'

interface CatalogueEntry {
  status: number
  message: string
  retry: RetryHint
}

/** Every problem by its code. */
export const problemCatalogue = {
  'malformed-request': entry(400, '请求格式有误', 'never'),
  'invalid-json': entry(400, '请求内容不是有效的 JSON', 'never'),
  'invalid-form': entry(400, '请求内容不是有效的表单', 'never'),
  'invalid-utf8': entry(400, '请求内容不是有效的 UTF-8 文本', 'never'),
  'lone-surrogate': entry(400, '请求内容包含不完整的字符', 'never'),
  'too-deep': entry(400, '请求内容嵌套过深', 'never'),
  'invalid-field': entry(400, '请求字段有误', 'never'),
  'phone-code-rejected': entry(400, '手机号授权已失效，请重新点击获取手机号', 'never'),
  'not-logged-in': entry(401, '请先登录', 'login'),
  unauthenticated: entry(401, '登录状态已过期，请重试', 'refresh'),
  'refresh-rejected': entry(401, '登录状态已失效，请重新登录', 'login'),
  'wechat-rejected-code': entry(401, '登录凭证已失效，请重新登录', 'login'),
  'wechat-blocked-user': entry(403, '微信判定该账号存在风险，暂时无法登录', 'never'),
  'fresh-login-required': entry(403, '为确认是您本人，请重新操作一次', 'never'),
  'not-found': entry(404, '请求的地址不存在', 'never'),
  'session-key-stale': entry(409, '用户数据已过期，请重新登录后再试', 'login'),
  'already-rated': entry(409, '您已经评价过了', 'never'),
  'method-not-allowed': entry(405, '该地址不支持此请求方法', 'never'),
  'request-timeout': entry(408, '网络较慢，请稍后再试', 'later'),
  'body-too-large': entry(413, '请求内容过大', 'never'),
  'unsupported-media-type': entry(415, '不支持的内容类型', 'never'),
  'idempotency-key-reused': entry(422, '重复的提交标识对应了不同的内容', 'never'),
  'too-many-requests': entry(429, '操作过于频繁，请稍后再试', 'later'),
  'wechat-rate-limited': entry(429, '微信接口调用过于频繁，请稍后再试', 'later'),
  'headers-too-large': entry(431, '请求头过大', 'never'),
  misconfigured: entry(500, '服务配置有误，请联系管理员', 'never'),
  'wechat-misconfigured': entry(500, '微信接口配置有误，请联系管理员', 'never'),
  internal: entry(500, '服务出错了，请稍后再试', 'later'),
  'wechat-bad-answer': entry(502, '微信服务返回异常，请稍后再试', 'later'),
  'login-in-progress': entry(503, '正在登录，请稍后再试', 'later'),
  'server-busy': entry(503, '服务繁忙，请稍后再试', 'later'),
  'store-unavailable': entry(503, '数据服务暂时不可用，请稍后再试', 'later'),
  'wechat-unavailable': entry(503, '微信服务繁忙，请稍后再试', 'later'),
  'wechat-timeout': entry(504, '微信服务响应超时，请重新登录', 'login'),
} satisfies Record<string, CatalogueEntry>

/** The `code` of an error answer; the list is closed. */
export type ProblemCode = keyof typeof problemCatalogue

/** What one failure adds to its catalogue entry. */
export interface ProblemDetails {
  /** Replaces the catalogue's message; must not repeat anything the caller sent. */
  message?: string
  /** Name of the offending field, as the endpoint's schema calls it. */
  field?: string
  retryAfterSeconds?: number
  /** Allowed methods of a 405. */
  allow?: string[]
  /** Goes to the log, never to the caller. Must hold no secret, token or personal data. */
  cause?: unknown
}

/** The body of an error answer (RFC 9457, `application/problem+json`). */
export interface ProblemBody {
  type: string
  title: string
  status: number
  code: ProblemCode
  message: string
  requestId: string
  retry: RetryHint
  field?: string
}

/** A failure with a defined answer. Thrown anywhere, answered once in `transport/serve.ts`. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly details: ProblemDetails

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(code, { cause: details.cause })
    this.name = 'Problem'
    this.code = code
    this.details = details
  }

  get status(): number {
    return problemCatalogue[this.code].status
  }

  toBody(requestId: string): ProblemBody {
    const { status, message, retry } = problemCatalogue[this.code]
    return {
      type: `urn:miniscore:problem:${this.code}`,
      title: titleOf(this.code),
      status,
      code: this.code,
      message: this.details.message ?? message,
      requestId,
      retry,
      ...(this.details.field === undefined ? {} : { field: this.details.field }),
    }
  }
}

function entry(status: number, message: string, retry: RetryHint): CatalogueEntry {
  return { status, message, retry }
}

/** `body-too-large` → `Body too large`. */
function titleOf(code: ProblemCode): string {
  const words = code.replaceAll('-', ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`
}
