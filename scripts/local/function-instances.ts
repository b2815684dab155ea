/** A function as the platform scales it: one request an instance, another instance while all are busy. */

import {
  FunctionProcess,
  type FunctionProcessOptions,
  type InvocationResult,
} from './function-process.ts'

/** More than a laptop wants; further requests wait. */
const INSTANCES_MAX = 4

export class FunctionInstances {
  readonly options: FunctionProcessOptions
  readonly #max: number
  readonly #instances: FunctionProcess[] = []
  /** With code of before, until what they are at has ended. */
  readonly #retired = new Set<FunctionProcess>()

  /** `max` instances at a time, four by default; one when a debugger is to find it. */
  constructor(options: FunctionProcessOptions, max: number = INSTANCES_MAX) {
    this.options = options
    this.#max = max
  }

  /** See `FunctionProcess.invoke`. */
  invoke(event: unknown, written?: Record<string, string>): Promise<InvocationResult> {
    return this.#choose().invoke(event, written)
  }

  /** Starts an instance before there is anything to do for it. */
  async start(): Promise<void> {
    await this.#choose().start()
  }

  /** Resolves once every invocation so far has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#instances.map((each) => each.ended()))
  }

  /** The next request gets a new instance, with new code; requests under way end on the code they were begun with. */
  async renew(): Promise<void> {
    // A debugger's port is needed at once.
    if (this.options.isDebugged) return this.stop()
    for (const instance of this.#instances.splice(0)) {
      this.#retired.add(instance)
      void instance.ended().then(async () => {
        await instance.stop()
        this.#retired.delete(instance)
      })
    }
  }

  /** Ends all instances; the next request starts a new one. */
  async stop(): Promise<void> {
    const all = [...this.#instances.splice(0), ...this.#retired]
    await Promise.all(all.map((each) => each.stop()))
  }

  #choose(): FunctionProcess {
    const idle = this.#instances.find(({ pending }) => pending === 0)
    if (idle) return idle
    if (this.#instances.length < this.#max) {
      const started = new FunctionProcess(this.options)
      this.#instances.push(started)
      return started
    }
    return this.#instances.reduce((least, each) => (each.pending < least.pending ? each : least))
  }
}
