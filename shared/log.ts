/**
 * One JSON line per event on standard output, where the platform collects it. Redaction lives
 * here: only the named members are written, and a cause is described by kind, code and place.
 */

import type { LogEvent, Logger } from './ports.ts'

declare global {
  /** Set by the build of a local run, where whoever reads the log is who wrote the request. */
  var IS_LOCAL_RUN: boolean | undefined
}

/** A logger for one function. `write` takes the finished line, by default `console.log`. */
export function createLogger({
  functionName,
  now,
  write = (line) => console.log(line),
}: {
  functionName: string
  now: () => number
  write?: (line: string) => void
}): Logger {
  return {
    write(event: LogEvent) {
      const line: Record<string, unknown> = {
        time: new Date(now()).toISOString(),
        level: event.level,
        event: event.event,
        function: functionName,
        requestId: event.requestId,
        route: event.route,
        transport: event.transport,
        status: event.status,
        code: event.code,
        durationMs: event.durationMs,
        person: event.person,
        account: event.account,
        coldStart: event.coldStart,
        codeCache: event.codeCache,
        count: event.count,
        variables: event.variables,
        cause: event.cause === undefined ? undefined : describeCause(event.cause),
      }
      if (globalThis.IS_LOCAL_RUN) Object.assign(line, event.local)
      write(JSON.stringify(line))
    },
  }
}

/** What `describe` of an error may add; implemented by our own error classes only. */
export interface SafeDetails {
  /** Facts fit for a log: numbers and fixed words, never a value from outside. */
  readonly logDetails: Record<string, string | number | undefined>
}

const CAUSES_MAX = 3
const FRAMES_MAX = 4

function describeCause(cause: unknown, level = 0): unknown {
  if (!(cause instanceof Error)) return { kind: typeof cause }
  const nested = cause.cause
  return {
    kind: cause.name.slice(0, 60),
    message: globalThis.IS_LOCAL_RUN ? cause.message : undefined,
    ...('logDetails' in cause ? (cause as SafeDetails).logDetails : {}),
    // Messages may repeat data; the frames below them cannot.
    at: cause.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, FRAMES_MAX)
      .map((line) => line.trim()),
    ...(nested === undefined || level >= CAUSES_MAX
      ? {}
      : { cause: describeCause(nested, level + 1) }),
  }
}
