/**
 * Types of the API, written by `npm run build` from the endpoints' schemas and the catalogue of problems.
 * A change made here does not last.
 */

/** The body of `POST /login`. */
export interface LoginInput {
  code: string
  encryptedData?: string
  iv?: string
  rawData?: string
  signature?: string
  device?: string
  proofKey?: string
}

/** What a login gives. */
export interface LoginAnswer {
  token: string
  tokenType: 'JWT'
  expiresIn: number
  refreshToken: string
  refreshExpiresIn: number
  user: {
    id: string
    nickName?: string
    gender?: number
    language?: string
    city?: string
    province?: string
    country?: string
    avatarUrl?: string
  }
}

/** Who is logged in. */
export type User = LoginAnswer['user']

/** What `POST /login/refresh` gives. */
export interface TokenPair {
  token: string
  tokenType: 'JWT'
  expiresIn: number
  refreshToken: string
  refreshExpiresIn: number
}

/** A number bound, most of it hidden. */
export interface MaskedPhone {
  phone: string
}

/** The answer of `GET /login/devices`. */
export interface DeviceList {
  items: {
    id: string
    device: string
    createdAt: string
    lastUsedAt: string
    expiresAt: string
    current: boolean
  }[]
}

/** One session of the caller. Times are ISO 8601, UTC. */
export type Device = DeviceList['items'][number]

/** The rating form, as `GET /form` answers it. */
export interface Form {
  account: {
    name: string
    label: string
    pattern: string
    hint: string
  }
  grades: {
    name: string
    label: string
    min: number
    max: number
    required: boolean
  }[]
  texts: {
    name: string
    label: string
    maxLength: number
    required: boolean
  }[]
  policy?: {
    atMost: number
    per: 'ever' | 'week' | 'day' | 'hour'
    further: 'refuse' | 'replace-last'
  }
}

/** The body of `POST /score`. */
export interface RatingInput {
  acc_nbr: string
  grade1: number
  grade2: number
  grade3: number
  txt1?: string
  txt2?: string
  txt3?: string
}

/** The answer of `POST /score`; `message` is fit for a toast. */
export interface Submitted {
  id: string
  message: string
  replaced?: true
}

/** A page of ratings; `next` is the cursor of the next one, `null` on the last. */
export interface Page {
  items: {
    id: string
    acc_nbr: string
    grade1: number | null
    grade2: number | null
    grade3: number | null
    txt1: string
    txt2: string
    txt3: string
    insert_time: string
  }[]
  next: string | null
}

/** A page of `POST /query`; `since` asks for what is newer than it. */
export interface AccountPage {
  items: {
    id: string
    acc_nbr: string
    grade1: number | null
    grade2: number | null
    grade3: number | null
    txt1: string
    txt2: string
    txt3: string
    insert_time: string
  }[]
  next: string | null
  since: string | null
}

/** A rating as it is answered. `insert_time` is ISO 8601, UTC. */
export type Rating = Page['items'][number]

/** The answer of `POST /query/summary`. */
export interface Summary {
  count: number
  newest_only?: true
  grades: {
    grade1: {
      mean: number | null
      counts: Record<string, number>
    }
    grade2: {
      mean: number | null
      counts: Record<string, number>
    }
    grade3: {
      mean: number | null
      counts: Record<string, number>
    }
  }
}

/** What an error answer is called; the list is closed. */
export type ProblemCode =
  | 'malformed-request'
  | 'invalid-json'
  | 'invalid-form'
  | 'invalid-utf8'
  | 'lone-surrogate'
  | 'too-deep'
  | 'invalid-field'
  | 'phone-code-rejected'
  | 'not-logged-in'
  | 'unauthenticated'
  | 'refresh-rejected'
  | 'wechat-rejected-code'
  | 'wechat-blocked-user'
  | 'fresh-login-required'
  | 'not-found'
  | 'session-key-stale'
  | 'already-rated'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'idempotency-key-reused'
  | 'too-many-requests'
  | 'wechat-rate-limited'
  | 'headers-too-large'
  | 'misconfigured'
  | 'wechat-misconfigured'
  | 'internal'
  | 'wechat-bad-answer'
  | 'login-in-progress'
  | 'server-busy'
  | 'store-unavailable'
  | 'wechat-unavailable'
  | 'wechat-timeout'

/** What helps after an error. */
export type RetryHint = 'later' | 'login' | 'never' | 'refresh'

/** The body of an error answer. */
export interface ProblemBody {
  code: ProblemCode
  message: string
  retry: RetryHint
  status: number
  requestId: string
  field?: string
}
