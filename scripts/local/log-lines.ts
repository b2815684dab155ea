/** Log lines as people read them on a terminal; piped, they stay the JSON that they are in the cloud. */

import { styleText } from 'node:util'
import type { FailureLine } from './failure-line.ts'
import { ownFrames } from './own-frames.ts'

/** A terminal, or what stands in for one. */
export interface LineOutput {
  isTTY?: boolean
  /** Heeds NO_COLOR and FORCE_COLOR. */
  hasColors?(): boolean
}

interface LogLine {
  event: string
  level: string
  requestId?: string
  route?: string
  status?: number
  code?: string
  field?: string
  message?: string
  durationMs?: number
  person?: string
  account?: string
  coldStart?: boolean
  count?: number
  variables?: string[]
  cause?: Cause
}

interface Cause {
  kind: string
  message?: string
  at?: string[]
  cause?: Cause
  [detail: string]: unknown
}

type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold'
type Paint = (colour: Colour, text: string) => string

/** How lines are to be printed on this output. */
export function lineFormat(output: LineOutput): (line: string) => string {
  if (!output.isTTY) return (line) => line
  const isColoured = output.hasColors?.() ?? false
  const paint: Paint = (colour, text) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text
  return (line) => forPeople(line, paint)
}

function forPeople(line: string, paint: Paint): string {
  const entry = parsed(line)
  if (entry === undefined) return line
  if (entry.event === 'request') return requestLines(entry, paint)
  if (entry.event === 'function-failed') return failureLines(entry as unknown as FailureLine, paint)
  const { level, event, route, person, account, count } = entry
  const facts = { person, account, count }
  const words = [paint(level === 'info' ? 'bold' : 'yellow', event), route, ...pairs(facts)]
  return words.filter(Boolean).join('  ')
}

function parsed(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry = JSON.parse(line) as Partial<LogLine>
    return typeof entry.event === 'string' && typeof entry.level === 'string'
      ? (entry as LogLine)
      : undefined
  } catch {
    return undefined
  }
}

/** `POST /score  201  8 ms`, and of a failure what, where and why. */
function requestLines(entry: LogLine, paint: Paint): string {
  const { route = 'no such route', status = 0, durationMs, coldStart, code, field, message } = entry
  const colour: Colour = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green'
  const first = [
    paint('bold', route),
    paint(colour, String(status)),
    `${durationMs} ms`,
    code && paint(colour, code),
    field && paint('bold', field),
    message,
    coldStart && paint('dim', 'cold start'),
    status >= 500 && entry.requestId && paint('dim', entry.requestId),
  ]
  const variables = entry.variables?.length ? [`  ${entry.variables.join(', ')}`] : []
  const cause = entry.cause ? causeLines(entry.cause, paint) : []
  return [first.filter(Boolean).join('  '), ...variables, ...cause].join('\n')
}

function causeLines(cause: Cause, paint: Paint, because = ''): string[] {
  const { kind, message, at = [], cause: nested, ...details } = cause
  const head = [paint('red', message ? `${kind}: ${message}` : kind), ...pairs(details)]
  return [
    `  ${because}${head.join('  ')}`,
    ...ownFrames(at).map((place) => paint('dim', `    at ${place}`)),
    ...(nested ? causeLines(nested, paint, 'because of ') : []),
  ]
}

function failureLines(line: FailureLine, paint: Paint): string {
  const { function: name, status, message, place, stack = [] } = line
  const head = [paint('red', `${name} failed`), status && paint('dim', String(status))]
  return [
    head.filter(Boolean).join('  '),
    ...message.split('\n').map((each) => `  ${each}`),
    ...(place === undefined ? [] : [`  ${paint('bold', place)}`]),
    ...stack.slice(1).map((each) => paint('dim', `    at ${each}`)),
  ].join('\n')
}

function pairs(facts: Record<string, unknown>): string[] {
  return Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${String(value)}`],
  )
}
