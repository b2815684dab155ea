/** Which URLs the PlanetScale door takes. */

import { isLoopbackHost } from '../network-addresses.ts'

/**
 * True for https, false for plain http on loopback.
 * @throws {Error} in words that repeat nothing of the URL, since it holds a password
 */
export function checkPlanetScaleUrl(text: string): boolean {
  if (!URL.canParse(text)) throw new Error('the PlanetScale URL is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error('the PlanetScale URL begins with https:// (or http:// on loopback)')
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    throw new Error('the PlanetScale URL must use https: plain http is for loopback only')
  }
  if (url.username === '' || url.password === '') {
    throw new Error('the PlanetScale URL holds a user name and a password')
  }
  // The driver sends both as they stand in the URL.
  if (url.username.includes('%') || url.password.includes('%')) {
    throw new Error(
      'user name and password of the PlanetScale URL may not need percent-encoding: choose others',
    )
  }
  return url.protocol === 'https:'
}
