/** A function as the platform scales it: one request an instance, another instance while all are busy. */

import {
  FunctionProcess,
  type FunctionProcessOptions,
  type InvocationResult,
} from './function-process.ts'

/** More than a laptop wants; further requests wait. */
const INSTANCES_MAX = 4

export class FunctionInstances {
  readonly #options: FunctionProcessOptions
  readonly #max: number
  readonly #instances: { process: FunctionProcess; busy: number }[] = []

  /** `max` instances at a time, four by default; one when a debugger is to find it. */
  constructor(options: FunctionProcessOptions, max: number = INSTANCES_MAX) {
    this.#options = options
    this.#max = max
  }

  /** See `FunctionProcess.invoke`. */
  async invoke(event: unknown, written?: Record<string, string>): Promise<InvocationResult> {
    const instance = this.#choose()
    instance.busy++
    try {
      return await instance.process.invoke(event, written)
    } finally {
      instance.busy--
    }
  }

  /** Ends all instances; the next request starts a new one. */
  async stop(): Promise<void> {
    await Promise.all(this.#instances.splice(0).map(({ process }) => process.stop()))
  }

  #choose(): { process: FunctionProcess; busy: number } {
    const idle = this.#instances.find(({ busy }) => busy === 0)
    if (idle) return idle
    if (this.#instances.length < this.#max) {
      const started = { process: new FunctionProcess(this.#options), busy: 0 }
      this.#instances.push(started)
      return started
    }
    return this.#instances.reduce((least, each) => (each.busy < least.busy ? each : least))
  }
}
