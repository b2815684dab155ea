/** The API actions the provider uses, through Tencent's SDK (TC3-HMAC-SHA256): retries, timeouts, errors as `CloudFailure`. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isLoopbackHost } from '../../../shared/network-addresses.ts'
import { CommandProblem } from '../../cli/problem.ts'
import type { Credentials } from './credentials.ts'
import { type CloudFailure, failureFrom } from './failure.ts'
import type { ScfClient, ScfModels } from './sdk.ts'

type Request<Action extends keyof ScfModels> = ScfModels[Action]['request']
type Response<Action extends keyof ScfModels> = ScfModels[Action]['response']

export interface CloudClient {
  readonly region: string
  readonly namespace: string
  /** How what the cloud does by itself is waited for. */
  readonly patience: Patience
  /** Calls an SCF action in the service's namespace. Throws `CloudFailure`. */
  call<Action extends keyof ScfModels>(
    action: Action,
    request: Request<Action>,
    options?: { timeoutSeconds?: number },
  ): Promise<Response<Action>>
  /** CLS SearchLog, ascending (cloud.tencent.com/document/api/614/56447). Throws `CloudFailure`. */
  searchLog(request: LogSearch): Promise<LogPage>
  /** One of the few actions of the log service or of tags, whose SDKs are not installed. Throws `CloudFailure`. */
  callOther(service: OtherService, action: string, request: object): Promise<object>
}

type OtherService = keyof typeof otherVersions

const otherVersions = { cls: '2020-10-16', tag: '2018-08-13' } as const

interface LogSearch {
  TopicId: string
  From: number
  To: number
  Query: string
  Limit: number
  Context: string
}
export interface LogPage {
  Context: string
  ListOver: boolean
  Results: { Time: number; PkgId: string; PkgLogId: string; LogJson: string }[]
}

export interface Patience {
  /** In all. */
  totalMs: number
  /** Between looks; the last one again and again. */
  waitsMs: readonly number[]
}

const callTimeoutSeconds = 30
const usualPatience: Patience = { totalMs: 3 * 60_000, waitsMs: [100, 300, 700, 1500] }
const retryDelaysMs = [300, 1000]

/**
 * A read may be repeated whatever happened. A change is repeated only when the cloud said it did not begin it; after a
 * broken connection it may have begun, and the next deploy finds out.
 */
function mayRetry(action: string, failure: CloudFailure): boolean {
  if (failure.code.startsWith('RequestLimitExceeded')) return true
  if (!/^(Get|List|Search|Describe)/.test(action)) return false
  return failure.code === 'NetworkError' || failure.code.startsWith('InternalError')
}

async function withRetries<T>(action: string, send: () => Promise<T>): Promise<T> {
  for (const waitMs of [...retryDelaysMs, undefined]) {
    try {
      return await send()
    } catch (error) {
      const failure = failureFrom(action, error)
      if (waitMs === undefined || !mayRetry(action, failure)) throw failure
      await delay(waitMs)
    }
  }
  throw new Error('unreachable')
}

/**
 * For tests only: TENCENTCLOUD_API_ENDPOINT sends every call to a loopback address over plain HTTP, while the real host
 * stays in the request and in its signature. Any other address is a `CommandProblem`.
 */
function transportFor(endpoint: string | undefined) {
  // An agent of our own also keeps the SDK from sending calls to whatever `http_proxy` names.
  if (!endpoint) return { protocol: 'https://', agent: new HttpsAgent({ keepAlive: true }) }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol !== 'http:' || !isLoopbackHost(url.hostname))
    throw new CommandProblem(
      `TENCENTCLOUD_API_ENDPOINT is "${endpoint}". It is for tests: only http:// on this computer (127.0.0.1) is taken.`,
    )
  class LoopbackAgent extends HttpAgent {
    override createConnection() {
      return createConnection(Number(url?.port), url?.hostname.replace(/[[\]]/g, ''))
    }
  }
  return { protocol: 'http://', agent: new LoopbackAgent({ keepAlive: true }) }
}

/** Loads the SDK, which only commands that call the cloud pay for. */
export async function createCloudClient(input: {
  credentials: Credentials
  region: string
  namespace: string
  endpoint: string | undefined
  patience?: Patience | undefined
}): Promise<CloudClient> {
  const transport = transportFor(input.endpoint)
  const { scf } = await import('tencentcloud-sdk-nodejs-scf')
  const { CommonClient } = await import('tencentcloud-sdk-nodejs-common')
  const configFor = (timeoutSeconds: number) => ({
    credential: input.credentials,
    region: input.region,
    profile: { httpProfile: { ...transport, reqTimeout: timeoutSeconds } },
  })
  const client = (timeoutSeconds: number): ScfClient =>
    new scf.v20180416.Client(configFor(timeoutSeconds))
  const usual = client(callTimeoutSeconds)
  const other = (service: OtherService, action: string, request: object) => {
    const host = `${service}.tencentcloudapi.com`
    const sender = new CommonClient(host, otherVersions[service], configFor(callTimeoutSeconds))
    return withRetries(action, () => sender.request(action, request))
  }

  return {
    region: input.region,
    namespace: input.namespace,
    patience: input.patience ?? usualPatience,
    call: (action, request, options) =>
      withRetries(action, () => {
        const sender = options?.timeoutSeconds ? client(options.timeoutSeconds) : usual
        return sender.request(action, request)
      }),
    searchLog: (request) => other('cls', 'SearchLog', { ...request, Sort: 'asc', SyntaxRule: 1 }),
    callOther: other,
  }
}
