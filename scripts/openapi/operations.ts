/** What a reader of the description should know of each route, beyond what its declaration says. */

import { ratingPolicy } from '../../shared/domain/rating.ts'
import type { ProblemCode } from '../../shared/problem.ts'

/** A request of the description; its fields are filled in from the schemas. */
export interface RequestExample {
  summary: string
  /** Which of the fields that may be left out it has. */
  fields: readonly string[]
}

/** What is written of a route. */
export interface OperationWords {
  operationId: string
  summary: string
  description: string
  /** Names of the schemas of its body and its answer. */
  inputName?: string
  outputName?: string
  /** 200, or 204 without an answer, unless it says otherwise. */
  status?: 201
  /** Headers it reads beside `Authorization`. */
  headers?: readonly HeaderName[]
  /** Whether its answer may be kept, and is asked for with `If-None-Match`. */
  isCacheable?: true
  /** What a form gets in place of the answer. */
  formAnswer?: string
  /** Beside those that follow from its declaration; see `problems.ts`. */
  problems?: readonly ProblemCode[]
  /** By their names; without any the request is one with everything. */
  requests?: Readonly<Record<string, RequestExample>>
}

/** Headers that requests may carry. */
export type HeaderName = 'Idempotency-Key' | 'X-Session-Proof' | 'If-None-Match'

/** What WeChat may come to when a code is exchanged. */
const exchange: readonly ProblemCode[] = [
  'wechat-rejected-code',
  'wechat-blocked-user',
  'wechat-rate-limited',
  'wechat-misconfigured',
  'wechat-bad-answer',
  'wechat-unavailable',
  'wechat-timeout',
  'login-in-progress',
]

const refusesFurther = ratingPolicy?.further === 'refuse'

/** By the route, as endpoints declare it. */
export const operations: Readonly<Record<string, OperationWords>> = {
  'POST /login': {
    operationId: 'login',
    summary: 'Log in',
    description:
      'A code of `wx.login` for a session. The same code with the same `device` within a minute gives the same session again, so a lost answer costs nothing.',
    inputName: 'LoginInput',
    outputName: 'LoginAnswer',
    problems: [...exchange, 'session-key-stale'],
    requests: {
      code: { summary: 'A code alone', fields: [] },
      device: {
        summary: 'A device that is named, and bound to a secret',
        fields: ['device', 'proofKey'],
      },
      userData: {
        summary: 'With encrypted user data',
        fields: ['encryptedData', 'iv', 'rawData', 'signature'],
      },
    },
  },
  'POST /login/refresh': {
    operationId: 'refresh',
    summary: 'The next pair of tokens',
    description:
      'Before the access token runs out, or when a 401 says `retry: "refresh"`. The same refresh token gives the same successor for ten seconds; an older one is taken for stolen and ends the session.',
    inputName: 'RefreshInput',
    outputName: 'TokenPair',
    headers: ['X-Session-Proof'],
    problems: ['refresh-rejected'],
  },
  'POST /logout': {
    operationId: 'logout',
    summary: 'Log out',
    description:
      'Ends this session, or all sessions of the person. Their tokens are refused at once.',
    inputName: 'LogoutInput',
    requests: {
      here: { summary: 'This session', fields: [] },
      everywhere: { summary: 'All sessions', fields: ['everywhere'] },
    },
  },
  'GET /login/devices': {
    operationId: 'listDevices',
    summary: 'One’s sessions',
    description: 'The living sessions of the person, newest first.',
    outputName: 'DeviceList',
  },
  'DELETE /login/devices/{id}': {
    operationId: 'endDevice',
    summary: 'End a session',
    description: 'Ends one of the person’s sessions. Somebody else’s is not there.',
    problems: ['not-found'],
  },
  'POST /login/phone': {
    operationId: 'bindPhone',
    summary: 'Prove a phone number',
    description:
      'Only the code of getPhoneNumber makes somebody the holder of a number. One that is somebody else’s is taken over with a fresh `loginCode`; without it the answer is `fresh-login-required`, and the same code may be sent again with one within a minute.',
    inputName: 'PhoneInput',
    outputName: 'MaskedPhone',
    problems: [...exchange, 'phone-code-rejected', 'fresh-login-required', 'session-key-stale'],
    requests: {
      code: { summary: 'The code of the phone button', fields: ['code'] },
      takeOver: { summary: 'Taking a number over', fields: ['code', 'loginCode'] },
      encrypted: {
        summary: 'Encrypted data of older base libraries',
        fields: ['encryptedData', 'iv'],
      },
    },
  },
  'DELETE /login/phone': {
    operationId: 'unbindPhone',
    summary: 'Unbind one’s number',
    description: 'What it allowed to read ends at once.',
  },
  'POST /login/user-data': {
    operationId: 'readUserData',
    summary: 'Decrypt user data',
    description:
      'Encrypted user data for its fields, as far as they are worth showing. It proves nothing, and grants nothing.',
    inputName: 'UserDataInput',
    outputName: 'UserData',
    problems: ['session-key-stale'],
  },
  'DELETE /login/me': {
    operationId: 'forgetMe',
    summary: 'Forget a person',
    description:
      'With a fresh code of `wx.login`: removes the person’s sessions, keys, phone number, and the ratings or only whose they were. Through `wx.cloud` no code is needed.',
    inputName: 'ForgetMeInput',
    problems: [...exchange, 'fresh-login-required'],
  },
  'POST /score': {
    operationId: 'submitScore',
    summary: 'Submit a rating',
    description:
      'Stores a rating, once per `Idempotency-Key` of this person and account. What a further rating of the same person and account does is the form’s `policy`. A form gets the JSON string alone, fit for a toast.',
    inputName: 'RatingInput',
    outputName: 'Submitted',
    status: 201,
    headers: ['Idempotency-Key'],
    formAnswer: '数据提交成功',
    problems: ['idempotency-key-reused', ...(refusesFurther ? (['already-rated'] as const) : [])],
  },
  'GET /score': {
    operationId: 'listOwnScores',
    summary: 'One’s own ratings',
    description: 'Newest first.',
    outputName: 'Page',
  },
  'POST /query': {
    operationId: 'queryAccount',
    summary: 'The ratings of an account',
    description:
      'As far as the caller may read them: authors their own, the holder of the number and operators all. Nobody is told whether an account exists. The number stays out of URLs.',
    inputName: 'QueryInput',
    outputName: 'AccountPage',
    requests: {
      first: { summary: 'The newest', fields: [] },
      further: { summary: 'A further page', fields: ['cursor', 'limit'] },
      newer: { summary: 'What is newer than a page that was read', fields: ['since'] },
    },
  },
  'POST /query/summary': {
    operationId: 'summariseAccount',
    summary: 'Counts and means of an account',
    description:
      'Over the ratings that the caller may read; of one’s own at most the newest 1,000.',
    inputName: 'SummaryInput',
    outputName: 'Summary',
  },
  'GET /form': {
    operationId: 'readForm',
    summary: 'The rating form',
    description: 'So that a client can draw it. Needs neither login nor database.',
    outputName: 'Form',
    headers: ['If-None-Match'],
    isCacheable: true,
  },
}
