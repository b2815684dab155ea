/** What the log says of a function that failed before it could answer: one line of JSON, as of a request. */

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'
import { ownFrames } from './own-frames.ts'
import type { PlatformError, PlatformStatus } from './platform.ts'

export interface FailureLine {
  time: string
  level: 'error'
  event: 'function-failed'
  function: string
  requestId?: string
  /** The platform's number for it; none for a reply in the wrong shape. */
  status?: number
  message: string
  /** Where in the project's own code, or how, as far as known. */
  place?: string
  stack?: string[]
}

/** The platform's own words say less. */
const words: Partial<Record<PlatformStatus, string>> = { 430: 'it threw', 437: 'it does not load' }

/** `place` is what is known without a stack; `folder` that of the project. */
export function failureLine(
  name: string,
  error: PlatformError,
  place: string | undefined,
  folder?: string,
): FailureLine {
  const { errorMessage, requestId, statusCode, stackTrace } = error
  const [first = '', ...frames] = stackTrace?.split('\n') ?? []
  const firstFrame = frames.findIndex((frame) => /^\s+at /.test(frame))
  const message = [first, ...(firstFrame < 0 ? frames : frames.slice(0, firstFrame))].join('\n')
  const stack = ownFrames(frames, folder)
  const where = place ?? stack[0]
  return {
    ...head(name),
    requestId,
    status: statusCode,
    message:
      stackTrace === undefined ? errorMessage : `${words[statusCode] ?? errorMessage}: ${message}`,
    ...(where === undefined ? {} : { place: where }),
    ...(stack.length > 1 ? { stack } : {}),
  }
}

/** Of a handler's reply to an HTTP event; `fault` is what is wrong with it. */
export function shapeLine(name: string, fault: string): FailureLine {
  const message = `the reply has the wrong shape: ${fault}`
  return { ...head(name), message, place: placeOfHandler(name) }
}

function head(name: string): Pick<FailureLine, 'time' | 'level' | 'event' | 'function'> {
  const time = new Date().toISOString()
  return { time, level: 'error', event: 'function-failed', function: name }
}

/** A reply has no stack; its function has an entry. */
function placeOfHandler(name: string): string {
  const file = path.join('functions', name, 'index.ts')
  const lines = readFileSync(path.join(projectFolder, file), 'utf8').split('\n')
  return `${file}:${lines.findIndex((line) => line.includes('main_handler')) + 1}`
}
