import type { IncomingHttpHeaders } from 'node:http'
import { isLoopbackHost } from '../../shared/network-addresses.ts'

/** What a request is told that `isFromThisMachine` refuses. */
export const NOT_FROM_THIS_MACHINE =
  'Only a Host of this machine (127.0.0.1, localhost) is answered here, with an Origin of this machine or none.'

/** A page in a browser must not steer what runs here, be it by a rebound name or by a plain form. */
export function isFromThisMachine({ host, origin }: IncomingHttpHeaders): boolean {
  const name = host?.replace(/:[0-9]+$/, '').toLowerCase()
  if (name === undefined || !isLoopbackHost(name)) return false
  if (origin === undefined) return true
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}
