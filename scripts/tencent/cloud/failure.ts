/** What the cloud, or the way to it, said no with; and what to do about it. */

import { CommandProblem } from '../../cli/problem.ts'

interface SdkError extends Error {
  code?: string
  requestId?: string
  httpCode?: number
}

/** A call that failed, in one line: the cloud's code, its words, its RequestId, and what to do. */
export class CloudFailure extends CommandProblem {
  /** The cloud's own, or `NetworkError` when no answer of the cloud's came back. */
  readonly code: string

  constructor(action: string, code: string, words: string, requestId = '') {
    const request = requestId ? ` (RequestId ${requestId})` : ''
    super(`${action} failed with ${code}: ${words}${request}. ${adviceFor(code)}`)
    this.code = code
  }

  /** The key is in order, but may not do this. */
  get isMissingRight(): boolean {
    return /^(AuthFailure\.)?UnauthorizedOperation/.test(this.code)
  }
}

/** From what the SDK throws. */
export function failureFrom(action: string, error: unknown): CloudFailure {
  const { code, message, requestId, httpCode } = error as SdkError
  if (code) return new CloudFailure(action, code, message, requestId)
  const status = httpCode === undefined ? '' : `HTTP ${httpCode} `
  return new CloudFailure(action, 'NetworkError', `${status}${message}`, requestId)
}

const grantRights =
  'Give this key the rights in scripts/tencent/cam-policy.json (or the policy QcloudSCFFullAccess and, for logs, CLS).'

const advice: readonly [prefix: string, sentence: string][] = [
  ['AuthFailure.SignatureExpire', "Set this computer's clock: signatures hold for five minutes."],
  [
    'AuthFailure.TokenFailure',
    'The session token is wrong or has run out: get new temporary keys.',
  ],
  ['AuthFailure.UnauthorizedOperation', grantRights],
  ['AuthFailure', 'Check TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY.'],
  ['UnauthorizedOperation', grantRights],
  ['InvalidParameterValue.Runtime', 'Set another `runtime` in serverless.yml; the region may lag.'],
  ['RequestLimitExceeded', 'Too many calls at once: wait a minute and run the command again.'],
  [
    'FailedOperation.FunctionStatusError',
    'Another change of this function is still running: run the command again in a minute.',
  ],
  [
    'FailedOperation.CNAME',
    'The domain has no CNAME record to the platform yet: make it, and run the command again.',
  ],
  ['LimitExceeded', 'A quota of the account is used up: see the SCF console, or ask for more.'],
  ['ResourceNotFound.Function', 'Deploy first, and check the stage and the region.'],
  ['NetworkError', 'Check the network and run the command again.'],
]

function adviceFor(code: string): string {
  return (
    advice.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'Running the command again is safe.'
  )
}
