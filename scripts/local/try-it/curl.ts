/** A request as a line for a terminal. */

import { isUtf8 } from 'node:buffer'
import type { ClientRequest } from '../events.ts'

/** What every client adds for itself, and no function looks at. */
const OWN_AFFAIR =
  /^(host|connection|content-length|user-agent|referer|origin|cookie|cache-control|pragma|priority|dnt|upgrade-insecure-requests|accept(-.*)?|sec-.*)$/

/** The curl line that asks the same again, its token included; `undefined` for a body that is no text. */
export function curlLine(request: ClientRequest): string | undefined {
  const { method, url, headers, body } = request
  if (!isUtf8(body) || body.includes(0)) return undefined
  const hasBody = body.length > 0
  const words = ['curl', quoted(`http://${headers.host ?? '127.0.0.1'}${url}`)]
  // Brackets and braces stand for several addresses otherwise.
  if (/[[\]{}]/.test(url)) words.push('-g')
  if (method === 'HEAD') words.push('-I')
  else if (method !== (hasBody ? 'POST' : 'GET')) words.push('-X', quoted(method))
  for (const [name, value] of Object.entries(headers)) {
    if (!OWN_AFFAIR.test(name)) words.push('-H', quoted(`${name}: ${value}`))
  }
  // Without one, curl would call the body a form.
  if (hasBody && headers['content-type'] === undefined) words.push('-H', quoted('content-type:'))
  if (hasBody) words.push('--data-raw', quoted(body.toString()))
  return words.join(' ')
}

/** One word for a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
