/**
 * The event of a timer trigger, `{ Type: 'Timer', TriggerName, Time, Message }`: https://cloud.tencent.com/document/product/583/9708
 * No client can make one: what comes over a URL or from a mini program is told apart before.
 */

import type { Logger } from '../ports.ts'
import { Problem } from '../problem.ts'
import { steadyMs } from '../wiring/clock.ts'
import type { FunctionCallReply } from './call-function.ts'
import { type InvocationContext, readRequestId, remainingTime } from './invocation.ts'

/** What the event says the timer's name is; undefined for any other event. */
export function readTimerName(event: unknown): string | undefined {
  const timer = Object(event) as { Type?: unknown; TriggerName?: unknown }
  return timer.Type === 'Timer' ? `${timer.TriggerName}` : undefined
}

/** One event of a timer, for a function that has some. */
export interface TimerCall<Needs> {
  name: string
  context: InvocationContext
  /** The function's composition, or why its configuration is not acceptable. */
  started: { value: { needsOf: (remainingMs: () => number) => Needs } } | { error: unknown }
  toProblem: (error: unknown) => Problem
  log: Logger
}

export type Timers<Needs> = (call: TimerCall<Needs>) => Promise<FunctionCallReply>

/**
 * A function's timers by their names in serverless.yml; an invocation ends when its work resolves, and leaves one line.
 * It rejects with a sentence without data, so that the platform counts a failure, when the work fails and for a timer
 * that is not among these.
 */
export function timersOf<Needs>(
  works: Readonly<Record<string, (needs: Needs) => Promise<unknown>>>,
): Timers<Needs> {
  return async ({ name: told, context, started, toProblem, log }) => {
    // Any other name stays out of the log.
    const name = Object.hasOwn(works, told) ? told : '?'
    context.callbackWaitsForEmptyEventLoop = false
    const startedAt = steadyMs()
    const line = { event: 'timer', requestId: readRequestId(context), route: `timer ${name}` }
    const durationMs = (): number => Math.round(steadyMs() - startedAt)
    try {
      const work = works[name]
      if (!work) throw new Problem('not-found')
      if ('error' in started) throw started.error
      await work(started.value.needsOf(remainingTime(context, startedAt)))
      log.write({ ...line, level: 'info', durationMs: durationMs() })
      return { status: 204 }
    } catch (error) {
      const { code, details } = toProblem(error)
      log.write({ ...line, level: 'error', code, durationMs: durationMs(), cause: details.cause })
      throw new Error(name === '?' ? 'No such timer' : `Timer ${name}: ${code}.`)
    }
  }
}
