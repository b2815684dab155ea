import type { FaultSpec } from '../../scripts/simulators/wechat/faults.ts'

/** How an upstream is described in test/vectors/wechat-upstream.json. */
export interface UpstreamBehaviour {
  status?: number
  /** Content type of the reply. */
  ct?: string
  headers?: Record<string, string>
  body?: string
  delayMs?: number
  net?: string
  /** Behaviours for one request after the other. */
  sequence?: UpstreamBehaviour[]
}

/** Nobody listens for so long: longer than a caller's whole budget, retries included. */
const REFUSE_FOR_MS = 5000
const LIE_BYTES = 1000

/**
 * The faults that make the simulator behave as described, in the order to add them. `times` repeats a
 * single behaviour, for a caller that is expected to try again. Throws on a behaviour it does not know.
 */
export function playUpstream(
  behaviour: UpstreamBehaviour,
  { path = '/sns/jscode2session', times = 1 }: { path?: string; times?: number } = {},
): FaultSpec[] {
  if (behaviour.sequence) return behaviour.sequence.flatMap((step) => playUpstream(step, { path }))
  const { net, status, ct, body, delayMs } = behaviour
  const headers = { ...behaviour.headers, ...(ct === undefined ? {} : { 'content-type': ct }) }
  const reply = { path, times, headers, ...(body === undefined ? {} : { body }) }
  switch (net) {
    case undefined:
      return [{ kind: 'raw', ...reply, status: status ?? 200, delayMs: delayMs ?? 0 }]
    case 'refuse':
      return [{ kind: 'refuse', delayMs: REFUSE_FOR_MS }]
    case 'reset-after-request':
      return [{ kind: 'reset', path, times }]
    case 'hang':
      return [{ kind: 'hang', path, times }]
    case 'byte-per-second':
      return [{ kind: 'drip', ...reply, delayMs: 1000 }]
    case 'content-length-too-long': {
      const claimed = Buffer.byteLength(body ?? '') + LIE_BYTES
      return [{ kind: 'raw', ...reply, headers: { ...headers, 'content-length': `${claimed}` } }]
    }
    default:
      throw new Error(`unknown upstream behaviour: ${net}`)
  }
}
