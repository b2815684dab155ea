/** The prose of the description: what holds for all routes, and what each function is for. */

import { BODY_MAX_BYTES } from '../../shared/transport/body.ts'
import { problemsOfServers, problemsOutside } from './problems.ts'

/** What comes before the routes, in Markdown. */
export function introduction(): string {
  const listed = (list: readonly string[]): string => list.map((code) => `\`${code}\``).join(', ')
  return `The back end of WeChat mini programs in which people rate a service: \`wx.login\` → \`POST /login\` → \`POST /score\` → \`POST /query\`.

JSON in, JSON out, UTF-8, at most ${BODY_MAX_BYTES / 1024} KiB in. Unknown fields are refused. Personal data never travels in a URL.

## Logging in

The token of \`POST /login\` goes into \`Authorization: JWT <token>\`, or \`Bearer <token>\`. A session bound with \`proofKey\` also wants its secret, in \`X-Session-Proof\`. Through
\`wx.cloud\` the same routes are called as \`wx.cloud.callFunction({ name, data: { route: 'POST /score', body: { … } } })\`; no login is needed there.

## Forms

Where a body may be \`application/x-www-form-urlencoded\`, its fields are written as \`wx.request\` clients of the rating article do: every value through \`JSON.stringify\`. A form whose texts are not all JSON strings is
read as plain text, every value exactly as sent; numbers and account numbers may come with or without quotes either way.

## Errors

Errors are \`application/problem+json\`. \`message\` is Chinese and fit for a toast, and may be more exact than here. \`retry\` says what to do: \`login\` anew, \`refresh\` the token, try the same \`later\`, or \`never\`. 429 and
503 carry \`Retry-After\` where a time is known, a 405 \`Allow\`. Each route lists its own.

${listed(problemsOutside)} are answered to other paths and methods. ${listed(problemsOfServers)} come from functions that run as a server, before a request is known to be one of a route.
`
}

const tags: Readonly<Record<string, string>> = {
  login: 'Who somebody is: sessions, devices, phone numbers, and being forgotten.',
  'submit-score': 'Ratings come in.',
  'query-scores': 'Ratings, summaries and the form go out.',
}

/** The chapter of a function. @throws {Error} where none is written */
export function tagOf(home: string): { name: string; description: string } {
  const description = tags[home]
  if (description === undefined) {
    throw new Error(`Function ${home} has no chapter: write one in scripts/openapi/chapters.ts.`)
  }
  return { name: home, description }
}
