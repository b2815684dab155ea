/**
 * A Tencent Cloud for tests, over real HTTP on loopback: the API actions of SCF and the log search of CLS with their
 * signatures, parameter types, phases and refusals, and the Function URLs behind them.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { alarmDeclarations } from './alarms.ts'
import { createDomainActions, type DomainParameters } from './custom-domains.ts'
import { type Public, servePublic } from './function-urls.ts'
import { createFunctionStore, type FunctionParameters } from './functions.ts'
import { createLogService, logServiceDeclarations, type SearchParameters } from './log-service.ts'
import { parameterTable } from './parameters.ts'
import { Refusal } from './refusal.ts'
import { createCodeRunner } from './run-code.ts'
import { type Runnable, runnable } from './runnable.ts'
import { type Account, verifySignature } from './signature.ts'
import { createTagActions, tagServiceDeclarations } from './tag-service.ts'
import { createTriggerActions, type TriggerParameters } from './triggers.ts'
import { createVersionActions } from './versions.ts'

export interface CloudOptions {
  account: Account
  /** How many GetFunction calls a phase lasts; 1 when left out. */
  phasePolls?: number
  /** The cloud stores other bytes than it was sent, as if it packed the code anew. */
  repackages?: boolean
  /** How many times a new Function URL is not listed yet. */
  urlHiddenLists?: number
  /** Log topics that exist; some when left out. */
  topics?: readonly string[]
  /** Whether the account has activated the log service. */
  hasLogService?: boolean
  /** Actions the account's key has a right to, as a policy names them (`scf:GetFunction`); all when left out. */
  rights?: readonly string[]
  /** Epoch milliseconds, against which signatures are judged. */
  now?: () => number
}

/** One API call as it arrived: what it asked, and the error code it was answered with. */
export interface RecordedCall {
  action: string
  functionName?: string
  region: string
  parameters: object
  error?: string
}

interface Fault {
  action: string
  functionName?: string
  nth: number
  code: string
  message: string
}

const appId = '1300000000'
const largestBodyBytes = 10 * 1024 * 1024
const apiVersions: Record<string, string> = {
  scf: '2018-04-16',
  cls: '2020-10-16',
  tag: '2018-08-13',
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Starts the cloud on a random loopback port. Close it in the end: it holds a port and a temporary folder. */
export async function startTencentCloud(options: CloudOptions) {
  const table = parameterTable(
    `${logServiceDeclarations}${alarmDeclarations}${tagServiceDeclarations}`,
  )
  const logs = createLogService({
    topics: options.topics ?? ['topic-default', 'topic-1'],
    isActivated: options.hasLogService ?? true,
  })
  const functions = createFunctionStore({
    phasePolls: options.phasePolls ?? 1,
    repackages: options.repackages ?? false,
    logFault: logs.faultOf,
  })
  const versions = createVersionActions(functions)
  const tags = createTagActions(functions)
  const urlHiddenLists = options.urlHiddenLists ?? 0
  const triggers = createTriggerActions(functions, { appId, urlHiddenLists })
  /** How many more times a domain is asked for in vain. */
  const cnames = new Map<string, number>()
  const domains = createDomainActions(functions, (domain) => {
    const left = cnames.get(domain)
    if (left) cnames.set(domain, left - 1)
    return left === 0
  })
  const runner = await createCodeRunner(appId)
  const calls: RecordedCall[] = []
  const faults: Fault[] = []
  const watchers: ((call: RecordedCall) => void)[] = []

  const invoke = async (stored: Runnable, event: unknown) => {
    const run = await runner.invoke(stored, event)
    logs.record(stored, run)
    return run
  }

  const forward: Public['forward'] = async (stored, request, response) => {
    const requestId = randomUUID()
    const web = await runner.webFor(stored, (line) =>
      logs.record(stored, { requestId, lines: [line] }),
    )
    await web.forward(request, response)
  }

  type InvokeParameters = FunctionParameters & { ClientContext?: string; LogType?: string }
  const invokeAction = async (region: string, parameters: InvokeParameters) => {
    const whole = functions.mustBeActive(functions.find(region, parameters))
    const stored = runnable(whole, parameters.Qualifier ?? '$LATEST')
    functions.mustBeActive(stored)
    if (stored.type === 'HTTP')
      throw new Refusal('UnsupportedOperation.InvokeFunction', 'Web 函数不支持 Invoke 调用。')
    const run = await invoke(stored, JSON.parse(parameters.ClientContext || '{}'))
    return {
      Result: {
        RetMsg: run.value ?? '',
        ErrMsg: run.failure ? JSON.stringify(run.failure) : '',
        InvokeResult: run.failure ? -1 : 0,
        Log: parameters.LogType === 'Tail' ? run.lines.join('\n').slice(-4096) : '',
        Duration: run.durationMs,
        BillDuration: Math.ceil(run.durationMs),
        MemUsage: run.memoryBytes,
        FunctionRequestId: run.requestId,
      },
    }
  }

  type Action = (region: string, parameters: never) => object | Promise<object>
  const scf: Record<string, Action> = {
    CreateFunction: (region, parameters: FunctionParameters) => {
      functions.create(region, parameters)
      return {}
    },
    UpdateFunctionCode: (region, parameters: FunctionParameters) => {
      functions.updateCode(region, parameters)
      return {}
    },
    UpdateFunctionConfiguration: (region, parameters: FunctionParameters) => {
      functions.updateConfiguration(region, parameters)
      return {}
    },
    DeleteFunction: (region, parameters: FunctionParameters) => {
      functions.delete(region, parameters)
      return {}
    },
    GetFunction: functions.describe,
    GetFunctionAddress: functions.address,
    Invoke: invokeAction,
    PublishVersion: versions.publish,
    ListVersionByFunction: versions.list,
    GetAlias: versions.getAlias,
    UpdateAlias: versions.updateAlias,
    ListTriggers: (region, parameters: TriggerParameters) => triggers.list(region, parameters),
    CreateTrigger: (region, parameters: TriggerParameters) => triggers.create(region, parameters),
    UpdateTrigger: (region, parameters: TriggerParameters) => triggers.update(region, parameters),
    DeleteTrigger: (region, parameters: TriggerParameters) => triggers.delete(region, parameters),
    CreateCustomDomain: (region, parameters: DomainParameters) =>
      domains.create(region, parameters),
    UpdateCustomDomain: (region, parameters: DomainParameters) =>
      domains.update(region, parameters),
    DeleteCustomDomain: (region, parameters: DomainParameters) =>
      domains.delete(region, parameters),
    ListCustomDomains: (region, parameters: DomainParameters) => domains.list(region, parameters),
  }
  const cls: Record<string, Action> = {
    SearchLog: (_region, parameters: SearchParameters) => logs.search(parameters),
    DescribeTopics: (_region, parameters: object) => logs.describeTopics(parameters),
    ModifyTopic: (_region, parameters: { TopicId: string }) => logs.modifyTopic(parameters),
    CreateAlarm: (_region, parameters: never) => logs.alarms.create(parameters),
    ModifyAlarm: (_region, parameters: never) => logs.alarms.modify(parameters),
    DeleteAlarm: (_region, parameters: never) => logs.alarms.delete(parameters),
    DescribeAlarms: (_region, parameters: never) => logs.alarms.describe(parameters),
  }
  const tag: Record<string, Action> = { CreateTag: tags.create, AttachResourcesTag: tags.attach }

  const injectFault = (call: RecordedCall): void => {
    for (const [index, fault] of faults.entries()) {
      if (fault.action !== call.action) continue
      if (fault.functionName !== undefined && fault.functionName !== call.functionName) continue
      fault.nth -= 1
      if (fault.nth > 0) continue
      faults.splice(index, 1)
      throw new Refusal(fault.code, fault.message)
    }
  }

  const answer = async (request: IncomingMessage, body: Buffer): Promise<object> => {
    const headers = request.headers as Record<string, string | undefined>
    const header = (name: string): string => headers[name] ?? ''
    const service = header('host').split('.')[0] ?? ''
    const call: RecordedCall = {
      action: header('x-tc-action'),
      region: header('x-tc-region'),
      parameters: {},
    }
    calls.push(call)
    try {
      if (body.length > largestBodyBytes)
        throw new Refusal('RequestSizeLimitExceeded', '请求包超过 10MB 限制。')
      const { method = '', url = '/' } = request
      verifySignature({ method, url, headers, body }, options.account, (options.now ?? Date.now)())
      const actions = { scf, cls, tag }[service] ?? scf
      if (header('x-tc-version') !== apiVersions[service])
        throw new Refusal('NoSuchVersion', '接口版本不存在。')
      if (!/^[a-z]{2}-[a-z]+(-\d)?$/.test(call.region))
        throw new Refusal('UnsupportedRegion', '接口不支持所传地域。')
      const act = Object.hasOwn(actions, call.action) ? actions[call.action] : undefined
      if (!act) throw new Refusal('InvalidAction', `接口 \`${call.action}\` 不存在。`)
      const parameters = JSON.parse(body.toString()) as { FunctionName?: unknown }
      call.parameters = parameters
      if (typeof parameters.FunctionName === 'string') call.functionName = parameters.FunctionName
      table.check(call.action, parameters)
      if (options.rights && !options.rights.includes(`${service}:${call.action}`))
        throw new Refusal(
          'UnauthorizedOperation',
          `[request id] you are not authorized to perform operation (${service}:${call.action})`,
        )
      injectFault(call)
      const answered = await act(call.region, parameters as never)
      for (const watcher of watchers) watcher(call)
      return answered
    } catch (error) {
      const known = error instanceof Refusal
      call.error = known ? error.code : 'InternalError'
      return { Error: { Code: call.error, Message: (error as Error).message } }
    }
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const serve = async (): Promise<void> => {
      const body = await bodyOf(request)
      const host = request.headers.host ?? ''
      if (!/^(scf|cls|tag)\.tencentcloudapi\.com$/.test(host)) {
        const open = { functions: functions.all, domain: domains.byName, invoke, forward }
        return servePublic(open, request, body, response)
      }
      const answered = await answer(request, body)
      const text = JSON.stringify({ Response: { ...answered, RequestId: randomUUID() } })
      response.writeHead(200, { 'content-type': 'application/json' }).end(text)
    }
    serve().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    /** For TENCENTCLOUD_API_ENDPOINT. */
    endpoint: `http://127.0.0.1:${port}`,
    port,
    calls,
    functions: functions.all,
    addFunction: functions.add,
    alarms: logs.alarms.all,
    /** The names of alarms whose condition the log fulfils. */
    firingAlarms: logs.firing,
    domains: domains.all,
    /** Calls that would have changed something, in order, since the last `forgetCalls`. */
    changes: (): string[] =>
      calls
        .filter(
          ({ action, error }) =>
            !/^(Get|List|Search|Describe|Invoke)/.test(action) && error === undefined,
        )
        .map(({ action, functionName }) => (functionName ? `${action} ${functionName}` : action)),
    /** Tells each call after it was done. */
    onCall: (watcher: (call: RecordedCall) => void): void => void watchers.push(watcher),
    forgetCalls: (): void => void calls.splice(0),
    /** The nth next call of this action (for this function) is answered with this error. */
    failNext: (
      action: string,
      fault: { functionName?: string; nth?: number; code: string; message: string },
    ): void => void faults.push({ action, nth: 1, ...fault }),
    failNextPhase: functions.failNextPhase,
    /** The domain leads to the platform from now on, or after it was asked for in vain so many times. */
    setCname: (domain: string, inVain = 0): void => void cnames.set(domain, inVain),
    close: async (): Promise<void> => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await runner.close()
    },
  }
}

export type TencentCloud = Awaited<ReturnType<typeof startTencentCloud>>
