/**
 * One function as the platform runs it: a child process with that function's environment only, one
 * invocation at a time, ended when it takes too long. Restarted when the bundle was rebuilt.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface FunctionProcessOptions {
  name: string
  /** The bundle, `…/index.js`. */
  file: string
  environment: Record<string, string>
  timeoutMs: number
  memoryMegabytes?: number
  /** Node options of the child, such as `--inspect-brk` or `--enable-source-maps`. */
  execArgv?: string[]
  /** Told every line the function prints. */
  onLine?: (line: string) => void
  /** Told the lines the platform writes as well. */
  onPlatformLine?: (line: string) => void
  /** A debugger is attached: nothing is ended for taking long. */
  isDebugged?: boolean
}

/** What became of an invocation; `error` is what the platform answers in place of a result. */
export type InvocationResult =
  | { ok: true; result: unknown; requestId: string; durationMs: number }
  | { ok: false; error: PlatformError; requestId: string; durationMs: number }

/** https://cloud.tencent.com/document/product/583/42611 */
interface PlatformError {
  errorCode: -1
  errorMessage: string
  requestId: string
  stackTrace?: string
  /** 430 the handler threw, 433 timed out, 437 no handler, 439 the process ended. */
  statusCode: 430 | 433 | 437 | 439
}

type HostMessage =
  | { kind: 'failed'; error: string }
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'threw'; id: number; error: string }

const MEMORY_DEFAULT = 128
const DEBUGGING_TIMEOUT_MS = 60 * 60 * 1000

const hostFile = fileURLToPath(new URL('function-host.cjs', import.meta.url))

/** A local function; the process is started by the first invocation and again after it ended. */
export class FunctionProcess {
  readonly options: FunctionProcessOptions
  #child: ChildProcess | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #invocations = 0

  constructor(options: FunctionProcessOptions) {
    this.options = options
  }

  /**
   * Invokes the function after the invocations before it have ended, like one instance. `written` is what the
   * platform writes into this invocation's context, such as the caller of a function call.
   */
  invoke(event: unknown, written: Record<string, string> = {}): Promise<InvocationResult> {
    const result = this.#tail.then(() => this.#invokeNow(event, written))
    this.#tail = result.catch(() => {})
    return result
  }

  /** Ends the process; the next invocation starts a new one. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  async #invokeNow(event: unknown, written: Record<string, string>): Promise<InvocationResult> {
    const requestId = randomUUID()
    const child = this.#child ?? this.#start()
    this.#child = child
    const id = ++this.#invocations
    const startedAt = performance.now()
    const { timeoutMs, memoryMegabytes = MEMORY_DEFAULT, onPlatformLine = () => {} } = this.options
    onPlatformLine(`START RequestId:${requestId}`)

    const ended = await new Promise<InvocationResult>((resolve) => {
      const durationMs = (): number => Math.round(performance.now() - startedAt)
      const finish = (result: InvocationResult): void => {
        clearTimeout(timer)
        child.off('message', onMessage)
        child.off('exit', onExit)
        resolve(result)
      }
      const fail = (
        statusCode: PlatformError['statusCode'],
        errorMessage: string,
        stack?: string,
      ) => {
        const stackTrace = stack === undefined ? {} : { stackTrace: stack }
        const error = { errorCode: -1, errorMessage, requestId, ...stackTrace, statusCode } as const
        finish({ ok: false, error, requestId, durationMs: durationMs() })
      }
      const onMessage = (message: HostMessage): void => {
        if (message.kind === 'failed') fail(437, 'handler not found', message.error)
        else if (message.id !== id) return
        else if (message.kind === 'threw') fail(430, 'user code exception caught', message.error)
        else finish({ ok: true, result: message.result, requestId, durationMs: durationMs() })
      }
      const onExit = (): void => fail(439, 'the process of the function ended')
      const timer = setTimeout(
        () => fail(433, `Invoking task timed out after ${timeoutMs / 1000} seconds`),
        this.options.isDebugged ? DEBUGGING_TIMEOUT_MS : timeoutMs,
      )
      child.on('message', onMessage)
      child.once('exit', onExit)
      child.send({ id, event, context: this.#context(requestId, written) }, (error) => {
        if (error) onExit()
      })
    })
    // Lines of the function are on their way through a pipe: let them come first.
    await new Promise((resolve) => setImmediate(resolve))
    for (const line of endLines(ended, memoryMegabytes)) onPlatformLine(line)
    // The platform recycles an instance after any failure of its process or its code.
    if (!ended.ok) await this.stop()
    return ended
  }

  #start(): ChildProcess {
    const { file, environment, execArgv = [], onLine = () => {} } = this.options
    const child = fork(hostFile, [file], {
      env: { ...platformEnvironment(this.options.name), ...environment },
      execArgv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', onLine)
    }
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined
    })
    return child
  }

  /** https://cloud.tencent.com/document/product/583/9210 */
  #context(requestId: string, written: Record<string, string>): Record<string, unknown> {
    const { name, timeoutMs, memoryMegabytes = MEMORY_DEFAULT } = this.options
    return {
      memory_limit_in_mb: memoryMegabytes,
      time_limit_in_ms: timeoutMs,
      request_id: requestId,
      environment: JSON.stringify({ SCF_NAMESPACE: 'default', ...written }),
      environ: 'SCF_NAMESPACE=default',
      function_version: '$LATEST',
      function_name: name,
      namespace: 'default',
      tencentcloud_region: 'ap-guangzhou',
      tencentcloud_appid: '1250000000',
      tencentcloud_uin: '100000000000',
    }
  }
}

/** https://cloud.tencent.com/document/product/583/30228: the variables the platform sets by itself. */
function platformEnvironment(name: string): Record<string, string> {
  return {
    TENCENTCLOUD_RUNENV: 'SCF',
    SCF_RUNTIME: 'Nodejs20.19',
    SCF_FUNCTIONNAME: name,
    SCF_FUNCTIONVERSION: '$LATEST',
    SCF_NAMESPACE: 'default',
    LANG: 'en_US.UTF8',
    PATH: process.env.PATH ?? '',
  }
}

/**
 * The lines the platform itself writes behind the function's own, the return value of an event function among them: what
 * stands there stands in the deployed function's log. https://cloud.tencent.com/document/product/583/52637
 */
function endLines(invocation: InvocationResult, memoryMegabytes: number): string[] {
  const { ok, requestId, durationMs } = invocation
  const answer = JSON.stringify(ok ? invocation.result : invocation.error)
  return [
    ...(ok ? [] : [`ERROR RequestId:${requestId} Result:${answer}`]),
    `Response RequestId:${requestId} RetMsg:${JSON.stringify(answer)}`,
    `END RequestId:${requestId}`,
    `Report RequestId:${requestId} Duration:${durationMs}ms Memory:${memoryMegabytes}MB`,
  ]
}
