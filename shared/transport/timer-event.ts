/**
 * The event of a timer trigger, `{ Type: 'Timer', TriggerName, Time, Message }`: https://cloud.tencent.com/document/product/583/9708
 * No client can make one: what comes over a URL or from a mini program is told apart before.
 */

import type { Logger } from '../ports.ts'
import { Problem } from '../problem.ts'
import { steadyMs } from '../wiring/clock.ts'
import type { FunctionCallReply } from './call-function.ts'
import { type InvocationContext, readRequestId, remainingTime } from './invocation.ts'

/** What a timer does, by its name in serverless.yml; the invocation ends when it resolves. */
export type Timers<Needs> = Readonly<Record<string, (needs: Needs) => Promise<unknown>>>

/** The timer's name; undefined for any other event. */
export function readTimerName(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null) return undefined
  const { Type, TriggerName } = event as { Type?: unknown; TriggerName?: unknown }
  if (Type !== 'Timer') return undefined
  // A name goes into the log.
  return /^[\w-]{1,100}$/.test(String(TriggerName)) ? String(TriggerName) : '?'
}

export interface TimerCall<Needs> {
  name: string
  timers: Timers<Needs>
  /** Throws when the function's configuration is not acceptable. */
  needsOf: (remainingMs: () => number) => Needs
  toProblem: (error: unknown) => Problem
  log: Logger
}

/**
 * Does what the timer is for, and leaves one line; nobody waits for the reply. @throws {Error} a sentence without data, so that the platform counts
 * the invocation as failed: for a timer that the function does not know, and when its work fails
 */
export async function runTimer<Needs>(
  { name, timers, needsOf, toProblem, log }: TimerCall<Needs>,
  context: InvocationContext,
): Promise<FunctionCallReply> {
  context.callbackWaitsForEmptyEventLoop = false
  const startedAt = steadyMs()
  const line = { event: 'timer', requestId: readRequestId(context), route: `timer ${name}` }
  const durationMs = (): number => Math.round(steadyMs() - startedAt)
  try {
    if (!Object.hasOwn(timers, name)) throw new Problem('not-found')
    await timers[name]?.(needsOf(remainingTime(context, startedAt)))
    log.write({ ...line, level: 'info', durationMs: durationMs() })
    return { status: 204 }
  } catch (error) {
    const { code, details } = toProblem(error)
    log.write({ ...line, level: 'error', code, durationMs: durationMs(), cause: details.cause })
    throw new Error(
      code === 'not-found' ? `This function has no timer ${name}.` : `Timer ${name}: ${code}.`,
    )
  }
}
