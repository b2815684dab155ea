import type { ServerResponse } from 'node:http'
import { anyRefusal } from './errcodes.ts'
import type { FaultKind, FaultSpec } from './faults.ts'
import type { RandomBytes } from './random.ts'
import { jsonAsText, type SimulatedReply, textReply } from './routes.ts'

const DEFAULT_DELAY_MS: Partial<Record<FaultKind, number>> = { slow: 1000, drip: 1000 }
const WORK_IS_DONE: ReadonlySet<FaultKind> = new Set(['truncate', 'hang', 'reset', 'slow', 'drip'])

/** Time for a first half to arrive: what is still on its way at a reset may be thrown away. */
const RESET_AFTER_MS = 20

/** What the client gets to see; undefined when no answer reaches it. */
export type Played = SimulatedReply | undefined

/**
 * Plays a fault on the socket. `work` does what WeChat would have done and gives its reply; it runs at
 * most once, before any delay.
 */
export function playFault(
  fault: FaultSpec,
  response: ServerResponse,
  work: () => SimulatedReply,
  random: RandomBytes,
): Played {
  const real = (fault.consumes ?? WORK_IS_DONE.has(fault.kind)) ? work() : undefined
  const reply = replyOf(fault, real, random)
  const delayMs = fault.delayMs ?? DEFAULT_DELAY_MS[fault.kind] ?? 0

  if (fault.kind === 'hang') return undefined
  if (fault.kind === 'drip') {
    drip(response, reply, delayMs)
    return reply
  }
  const act =
    fault.kind === 'reset'
      ? () => reset(response, fault.body === undefined ? undefined : reply)
      : () => sendReply(response, reply)
  afterDelay(response, delayMs, act)
  return fault.kind === 'reset' ? undefined : reply
}

/** Writes a reply; a `content-length` among its headers is kept even when it lies. */
export function sendReply(response: ServerResponse, reply: SimulatedReply): void {
  writeHead(response, reply)
  response.end(reply.body)
}

function replyOf(
  fault: FaultSpec,
  real: SimulatedReply | undefined,
  random: RandomBytes,
): SimulatedReply {
  const base = baseReply(fault, real, random)
  const headers = { ...base.headers }
  for (const [name, value] of Object.entries(fault.headers ?? {}))
    headers[name.toLowerCase()] = value
  return { status: fault.status ?? base.status, headers, body: base.body }
}

function baseReply(
  fault: FaultSpec,
  real: SimulatedReply | undefined,
  random: RandomBytes,
): SimulatedReply {
  const { kind, status = 200, body } = fault
  switch (kind) {
    case 'errcode':
      return jsonAsText(anyRefusal(random, fault.errcode ?? -1, fault.errmsg))
    case 'status':
      return textReply(status, 'text/html', body ?? `<html>${status}</html>`)
    case 'empty':
      return textReply(200, 'text/html; charset=gbk', '')
    case 'html':
      return textReply(200, 'text/html', body ?? '<html><body>Bad gateway</body></html>')
    case 'truncate': {
      const whole = body === undefined && real ? real : textReply(200, 'text/plain', body ?? '')
      return { ...whole, body: whole.body.subarray(0, Math.floor(whole.body.length / 2)) }
    }
    default:
      return body === undefined && real ? real : textReply(200, 'text/plain', body ?? '')
  }
}

function writeHead(response: ServerResponse, { status, headers, body }: SimulatedReply): void {
  response.writeHead(status, { 'content-length': String(body.length), ...headers })
}

/** A reset in the sense of TCP, not an orderly end: the client sees ECONNRESET. */
function reset(response: ServerResponse, partOf: SimulatedReply | undefined): void {
  const { socket } = response
  if (!socket) return
  // resetAndDestroy waits for an orderly end of the writing side first, which would send a FIN.
  socket.destroySoon = () => socket.destroy()
  if (!partOf) {
    socket.resetAndDestroy()
    return
  }
  writeHead(response, partOf)
  response.write(partOf.body.subarray(0, Math.ceil(partOf.body.length / 2)), () => {
    const timer = setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS)
    response.once('close', () => clearTimeout(timer))
  })
}

function drip(response: ServerResponse, reply: SimulatedReply, everyMs: number): void {
  writeHead(response, reply)
  response.flushHeaders()
  let sent = 0
  const timer = setInterval(() => {
    response.write(reply.body.subarray(sent, sent + 1))
    sent += 1
    if (sent >= reply.body.length) {
      clearInterval(timer)
      response.end()
    }
  }, everyMs)
  response.once('close', () => clearInterval(timer))
}

function afterDelay(response: ServerResponse, delayMs: number, act: () => void): void {
  if (delayMs === 0) {
    act()
    return
  }
  const timer = setTimeout(act, delayMs)
  response.once('close', () => clearTimeout(timer))
}
