/**
 * One function as the platform runs it: a child process with that function's environment only, one
 * invocation at a time, ended when it takes too long. Restarted when the bundle was rebuilt.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { projectFolder } from '../build/bundle.ts'
import type { InvocationResult, PlatformError } from './invocation-result.ts'
import { endLines, startLines } from './platform-log.ts'

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

type HostMessage =
  | { kind: 'ready' }
  | { kind: 'failed'; error: string }
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'threw'; id: number; error: string }

const MEMORY_DEFAULT = 128
const DEBUGGING_TIMEOUT_MS = 60 * 60 * 1000

let hostFile: Promise<string> | undefined

/** Compiles the child's side once per process; several processes may do so at once. */
function compileHost(): Promise<string> {
  hostFile ??= (async () => {
    const folder = path.join(projectFolder, 'dist', 'local')
    const outfile = path.join(folder, 'function-host.cjs')
    const { outputFiles } = await build({
      entryPoints: [path.join(projectFolder, 'scripts/local/function-host.cts')],
      outfile,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'silent',
      write: false,
    })
    await mkdir(folder, { recursive: true })
    const unfinished = `${outfile}.${process.pid}`
    await writeFile(unfinished, outputFiles[0]?.contents ?? '')
    await rename(unfinished, outfile)
    return outfile
  })()
  return hostFile
}

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
    const child = this.#child ?? (await this.#start())
    this.#child = child
    const id = ++this.#invocations
    const startedAt = performance.now()
    const { timeoutMs, memoryMegabytes = MEMORY_DEFAULT, onPlatformLine = () => {} } = this.options
    for (const line of startLines(requestId)) onPlatformLine(line)

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
        stackTrace?: string,
      ) => {
        const error: PlatformError = {
          errorCode: -1,
          errorMessage,
          requestId,
          ...(stackTrace === undefined ? {} : { stackTrace }),
          statusCode,
        }
        finish({ ok: false, error, requestId, durationMs: durationMs() })
      }
      const onMessage = (message: HostMessage): void => {
        if (message.kind === 'failed') fail(437, 'handler not found', message.error)
        else if (message.kind === 'ready' || message.id !== id) return
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

  async #start(): Promise<ChildProcess> {
    const { file, environment, execArgv = [], onLine = () => {} } = this.options
    const child = fork(await compileHost(), [file], {
      env: { ...platformEnvironment(this.options.name), ...environment },
      execArgv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      let rest = ''
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onLine(line)
      })
      stream?.on('end', () => {
        if (rest !== '') onLine(rest)
      })
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
