/** Which URLs the PlanetScale door takes. */

import { isLoopbackHost } from '../network-addresses.ts'
import { DatabaseUrlError } from './database-url-error.ts'

/**
 * True for https, false for plain http on loopback.
 * @throws {DatabaseUrlError}
 */
export function checkPlanetScaleUrl(text: string): boolean {
  if (!URL.canParse(text)) throw new DatabaseUrlError('not-a-url')
  const { protocol, hostname, username, password } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new DatabaseUrlError('scheme')
  }
  if (protocol === 'http:' && !isLoopbackHost(hostname)) {
    throw new DatabaseUrlError('plain-http')
  }
  if (username === '') throw new DatabaseUrlError('no-user')
  if (password === '') throw new DatabaseUrlError('no-password')
  // The driver sends both as they stand in the URL.
  if (username.includes('%') || password.includes('%')) {
    throw new DatabaseUrlError('percent-encoded-credentials')
  }
  return protocol === 'https:'
}
