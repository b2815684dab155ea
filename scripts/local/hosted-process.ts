/** One child process of a local function: what it says and prints, what ends it, and how it is frozen in between. */

import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { guardFromOrphaning } from './orphan-guard.ts'
import { MEMORY_DEFAULT, type PlatformFunction } from './platform.ts'
import { whereItIsStuck } from './stuck-place.ts'

/** What the host in the process says (function-host.cjs). */
export type HostMessage =
  | { kind: 'loaded'; runtimeMs: number; functionMs: number; memoryBytes: number }
  | { kind: 'failed'; error: string }
  | { kind: 'result'; result: unknown; isDraining: boolean; memoryBytes: number }
  | { kind: 'drained'; memoryBytes: number }
  | { kind: 'threw'; error: string }

/** What came first: a message, or the end of waiting. */
export type HostNews =
  | HostMessage
  | { kind: 'exited'; how: string }
  | { kind: 'timed-out'; place: string | undefined }
  | { kind: 'out-of-memory' }

export interface ProcessSettings extends PlatformFunction {
  environment: Record<string, string>
  /** Node options of the process, such as `--inspect-brk` or `--enable-source-maps`. */
  execArgv?: string[]
  /** Told every line the function prints. */
  onLine?: (line: string) => void
  /** Told where a debugger finds it: `ws://127.0.0.1:9229/…`. */
  onDebugger?: (url: string) => void
  /** A debugger is attached: nothing is ended for taking long, and nothing is frozen. */
  isDebugged?: boolean
}

/** A process, and how an invocation is handed to it; what comes of it is reported to the process. */
export interface StartedProcess {
  hosted: HostedProcess
  hand(event: unknown, context: Record<string, unknown>): void
}

const MEMORY_LOOK_MS = 200
/** Of a process whose heap is full: V8 ends it with SIGABRT. */
const heapIsFull = /JavaScript heap out of memory/
const debuggerWords =
  /^(For help, see: https:\/\/nodejs\.org|Debugger attached|Debugger ending|Waiting for the debugger)/
const debuggerUrl = /^Debugger listening on (ws:\S+)/

export class HostedProcess {
  readonly #child: ChildProcess
  readonly #settings: ProcessSettings
  readonly #news: HostNews[] = []
  #onNews = (): void => {}
  #onDebuggerUrl = (_url: string): void => {}
  /** Where a debugger finds it, once one can. */
  readonly debuggerUrl: Promise<string>
  #isHeapFull = false
  #isGone = false
  #isFrozen = false
  readonly #exited: Promise<void>

  constructor(child: ChildProcess, settings: ProcessSettings) {
    this.#child = child
    this.#settings = settings
    this.debuggerUrl = new Promise((resolve) => {
      this.#onDebuggerUrl = resolve
    })
    child.on('message', (message) => this.report(message as HostMessage))
    guardFromOrphaning(child)
    this.#exited = new Promise((resolve) => {
      child.once('error', ({ message }) => {
        this.report({ kind: 'exited', how: message })
        resolve()
      })
      child.once('exit', (code, signal) => {
        this.#isGone = true
        const how = signal === null ? `exit code ${code}` : signal
        // What it printed last, the reason among it, may still be in the pipe.
        setImmediate(() => {
          this.report(this.#isHeapFull ? { kind: 'out-of-memory' } : { kind: 'exited', how })
          resolve()
        })
      })
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#print(line))
    }
  }

  /** Whether it can be given another invocation. */
  get isAlive(): boolean {
    return !this.#isGone
  }

  /** What it, or who talks to it, has to say. */
  report(news: HostNews): void {
    this.#news.push(news)
    this.#onNews()
  }

  /** Waits for the next news, `limitMs` at most. A process that takes longer, or more memory than it may, is left running. */
  async next(limitMs: number): Promise<HostNews> {
    const { isDebugged, file } = this.#settings
    const first = await new Promise<HostNews | undefined>((resolve) => {
      const look = (): void => {
        const news = this.#news.shift()
        if (news) finish(news)
      }
      const finish = (news: HostNews | undefined): void => {
        clearTimeout(timer)
        clearInterval(memory)
        this.#onNews = () => {}
        resolve(news)
      }
      const timer = isDebugged ? undefined : setTimeout(() => finish(undefined), limitMs)
      const memory = setInterval(() => {
        if (this.usesTooMuch(this.residentBytes)) finish({ kind: 'out-of-memory' })
      }, MEMORY_LOOK_MS)
      this.#onNews = look
      look()
    })
    if (first) return first
    const place = await whereItIsStuck({ pid: this.#child.pid, url: this.debuggerUrl, file })
    return { kind: 'timed-out', place }
  }

  /** Bytes of it that are in memory; 0 where the system does not say. */
  get residentBytes(): number {
    return residentBytes(this.#child.pid)
  }

  usesTooMuch(bytes: number): boolean {
    const { memoryMegabytes = MEMORY_DEFAULT } = this.#settings
    return bytes > memoryMegabytes * 1024 * 1024
  }

  /** Nothing in it runs any more, no timer either, until the next message: as on the platform between invocations. */
  freeze(): void {
    if (this.#settings.isDebugged || process.platform === 'win32') return
    this.#isFrozen = this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    if (this.#isFrozen) this.#child.kill('SIGCONT')
    this.#isFrozen = false
  }

  async stop(): Promise<void> {
    if (this.#isGone || this.#child.pid === undefined) return
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #print(line: string): void {
    if (heapIsFull.test(line)) this.#isHeapFull = true
    const [, url] = debuggerUrl.exec(line) ?? []
    if (url) {
      this.#onDebuggerUrl(url)
      if (this.#settings.isDebugged) this.#settings.onDebugger?.(url)
    } else if (!debuggerWords.test(line)) this.#settings.onLine?.(line)
  }
}

/** Only Linux has /proc. */
function residentBytes(pid: number | undefined): number {
  try {
    const [, kibibytes] =
      /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes ?? 0) * 1024
  } catch {
    return 0
  }
}
