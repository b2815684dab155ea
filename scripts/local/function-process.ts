/**
 * One function as the platform runs it: a child process with that function's environment only, one invocation at a time,
 * ended when it takes too long or too much, frozen between invocations. Started anew after it ended.
 */

import { randomUUID } from 'node:crypto'
import type { HostNews, ProcessSettings, StartedProcess } from './hosted-process.ts'
import {
  endLines,
  INIT_TIMEOUT_MS,
  initReport,
  MEMORY_DEFAULT,
  PAYLOAD_MAX_BYTES,
  type PlatformError,
  type PlatformStatus,
  platformContext,
} from './platform.ts'
import { startHandler } from './start-handler.ts'
import { startProgram } from './start-program.ts'

export interface FunctionProcessOptions extends ProcessSettings {
  /** A `web` function is a program that is reached over HTTP; it is invoked with a ClientRequest and gives a ClientReply. */
  type?: 'event' | 'web'
  /** How long it may load; 65 seconds by default. */
  initTimeoutMs?: number
  /** Told the lines the platform writes as well. */
  onPlatformLine?: (line: string) => void
  /** Told of every failure, and where or how it happened if that is known. */
  onFailure?: (error: PlatformError, place: string | undefined) => void
  /** Nothing runs in it between invocations, as on the platform. */
  freezes?: boolean
}

/** What became of an invocation; `error` is what the platform answers in place of a result. */
export type InvocationResult =
  | { ok: true; result: unknown; requestId: string; durationMs: number }
  | { ok: false; error: PlatformError; requestId: string; durationMs: number }

/** An invocation under way. */
interface InvocationUnderWay {
  requestId: string
  startedAt: number
  memoryBytes: number
}

interface QueuedTurn {
  event: unknown
  written: Record<string, string>
  answer: (result: InvocationResult) => void
}

type InvocationOutcome = { result: unknown } | Failure

const NEVER_EMPTY = 'callbackWaitsForEmptyEventLoop is true, and the event loop never got empty'

interface Failure {
  status: PlatformStatus
  message: string
  stack?: string | undefined
  place?: string | undefined
}

/** A local function; the process is started by the first invocation and again after it ended. */
export class FunctionProcess {
  readonly options: FunctionProcessOptions
  #running: Promise<StartedProcess> | undefined
  /** Of a process that is still loading. */
  #loading: Promise<HostNews> | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #pending = 0

  constructor(options: FunctionProcessOptions) {
    this.options = options
  }

  /** Invocations that have not ended: an answered one may still wait for an empty event loop. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Invokes the function after the invocations before it have ended, like one instance. `written` is what the
   * platform writes into this invocation's context, such as the caller of a function call.
   */
  invoke(event: unknown, written: Record<string, string> = {}): Promise<InvocationResult> {
    this.#pending++
    return new Promise((resolve, reject) => {
      this.#tail = this.#tail
        .then(() => this.#invokeNow(event, written, resolve))
        .catch(reject)
        .finally(() => this.#pending--)
    })
  }

  /** Starts the process before there is anything to do for it, as one that a debugger is to find. */
  async start(): Promise<void> {
    this.#running ??= this.#start()
    const { hosted } = await this.#running
    if (this.options.isDebugged) await hosted.debuggerUrl
  }

  /** Resolves once every invocation so far has ended. */
  async ended(): Promise<void> {
    await this.#tail
  }

  /** Ends the process; the next invocation starts a new one. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await (await running)?.hosted.stop()
  }

  /** Calls `answer` as soon as there is one; resolves when the invocation has ended. */
  async #invokeNow(
    event: unknown,
    written: Record<string, string>,
    answer: (result: InvocationResult) => void,
  ): Promise<void> {
    const { memoryMegabytes = MEMORY_DEFAULT, onPlatformLine = () => {}, onFailure } = this.options
    const call: InvocationUnderWay = {
      requestId: randomUUID(),
      startedAt: performance.now(),
      memoryBytes: 0,
    }
    onPlatformLine(`START RequestId:${call.requestId}`)
    const outcome = await this.#run(call, { event, written, answer })
    const ended = endedAs(call, outcome)
    if (!ended.ok) {
      const { status, place } = outcome as Failure
      // One that was stopped from outside has not failed.
      if (status !== 439 || this.#running) onFailure?.(ended.error, place)
      // The platform recycles an instance after any failure of its process or its code.
      if (status !== 406 && status !== 407) await this.stop()
    }
    // Lines of the function are on their way through a pipe: let them come first.
    await new Promise((resolve) => setImmediate(resolve))
    const said = ended.ok ? asText(ended.result) : ended.error
    const { requestId, durationMs } = ended
    const { memoryBytes } = call
    const end = { answer: said, isFailed: !ended.ok, requestId, durationMs, memoryBytes }
    for (const line of endLines({ ...end, memoryMegabytes })) onPlatformLine(line)
    answer(ended)
  }

  async #run(
    call: InvocationUnderWay,
    { event, written, answer }: QueuedTurn,
  ): Promise<InvocationOutcome> {
    const { timeoutMs, memoryMegabytes = MEMORY_DEFAULT, freezes, onPlatformLine } = this.options
    if (bytesOf(event) > PAYLOAD_MAX_BYTES)
      return { status: 406, message: 'the event is larger than 6 MB' }
    const { hosted, hand } = await this.#liveProcess()
    const loaded = await this.#loading
    this.#loading = undefined
    if (loaded && loaded.kind !== 'loaded') return this.#failureOf(loaded, true)
    if (loaded) onPlatformLine?.(initReport(call.requestId, loaded, memoryMegabytes))

    call.startedAt = performance.now()
    hosted.thaw()
    hand(event, platformContext(this.options, call.requestId, written))
    const news = await hosted.next(timeoutMs)
    if (news.kind !== 'result') return this.#failureOf(news)
    const { result, isDraining, memoryBytes } = news
    call.memoryBytes = memoryBytes
    if (freezes && !isDraining) hosted.freeze()
    if (hosted.usesTooMuch(memoryBytes)) return this.#failureOf({ kind: 'out-of-memory' })
    if (bytesOf(result) > PAYLOAD_MAX_BYTES)
      return { status: 407, message: 'the result is larger than 6 MB' }
    if (isDraining) {
      // The caller has the answer; the invocation goes on, and can still fail.
      answer(endedAs(call, { result }))
      const drained = await hosted.next(timeoutMs - (performance.now() - call.startedAt))
      if (drained.kind !== 'drained') return this.#failureOf(drained, false, NEVER_EMPTY)
      call.memoryBytes = drained.memoryBytes
      if (freezes) hosted.freeze()
    }
    return { result }
  }

  async #liveProcess(): Promise<StartedProcess> {
    const earlier = await this.#running
    if (earlier?.hosted.isAlive) return earlier
    const started = this.#start()
    this.#running = started
    return started
  }

  /** `reason` says of a time-out what is known without asking. */
  #failureOf(news: HostNews, isLoading = false, reason?: string): Failure {
    const { timeoutMs, initTimeoutMs = INIT_TIMEOUT_MS, memoryMegabytes } = this.options
    switch (news.kind) {
      case 'failed':
        return { status: 437, message: 'handler not found', stack: news.error }
      case 'threw':
        return { status: 430, message: 'user code exception caught', stack: news.error }
      case 'out-of-memory':
        return { status: 434, message: `more memory than ${memoryMegabytes ?? MEMORY_DEFAULT} MB` }
      case 'timed-out': {
        const place = reason ?? news.place
        const isWeb = this.options.type === 'web'
        return isLoading
          ? {
              status: isWeb ? 446 : 450,
              message: `Init timed out after ${initTimeoutMs / 1000} seconds`,
              place,
            }
          : {
              status: 433,
              message: `Invoking task timed out after ${timeoutMs / 1000} seconds`,
              place,
            }
      }
      default:
        return {
          status: 439,
          message: 'the process of the function ended',
          place: 'how' in news ? news.how : undefined,
        }
    }
  }

  async #start(): Promise<StartedProcess> {
    const { options } = this
    const started = options.type === 'web' ? await startProgram(options) : startHandler(options)
    this.#loading = started.hosted.next(options.initTimeoutMs ?? INIT_TIMEOUT_MS)
    return started
  }
}

function endedAs(
  { requestId, startedAt }: InvocationUnderWay,
  outcome: InvocationOutcome,
): InvocationResult {
  const durationMs = Math.round(performance.now() - startedAt)
  if ('result' in outcome) return { ok: true, result: outcome.result, requestId, durationMs }
  const { status: statusCode, message: errorMessage, stack } = outcome
  const stackTrace = stack === undefined ? {} : { stackTrace: stack }
  const error: PlatformError = { errorCode: -1, errorMessage, requestId, ...stackTrace, statusCode }
  return { ok: false, error, requestId, durationMs }
}

/** Of an event its JSON counts, of a request or a reply over HTTP its body. */
function bytesOf(value: unknown): number {
  const { body } = (value ?? {}) as { body?: unknown }
  return Buffer.isBuffer(body) ? body.length : Buffer.byteLength(JSON.stringify(value) ?? '')
}

function asText(value: unknown): unknown {
  const { body } = (value ?? {}) as { body?: unknown }
  return Buffer.isBuffer(body) ? { ...(value as object), body: body.toString() } : value
}
