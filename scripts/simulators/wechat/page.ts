import type { IncomingHttpHeaders } from 'node:http'
import { isFromThisMachine, NOT_FROM_THIS_MACHINE } from '../from-this-machine.ts'
import { type PageFiles, readPageFiles } from './page-files.ts'
import { type SimulatedReply, textReply } from './routes.ts'
import type { WeChatRequest } from './wechat-request.ts'

const TYPES: Readonly<Record<keyof PageFiles, string>> = {
  'page.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'lists.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/** The page needs its own files and /sim, and nothing from anywhere else. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Which file a request is for; undefined when it is none of the page's. */
export function pageFileFor({ method, path }: WeChatRequest): keyof PageFiles | undefined {
  if (method !== 'GET') return undefined
  if (path === '/') return 'page.html'
  const name = path.startsWith('/page/') ? path.slice('/page/'.length) : ''
  return Object.keys(TYPES).find((each): each is keyof PageFiles => each === name)
}

/** The page in the browser, for browsers on this machine. */
export async function answerPage(
  name: keyof PageFiles,
  headers: IncomingHttpHeaders,
): Promise<SimulatedReply> {
  if (!isFromThisMachine(headers)) {
    return textReply(403, 'text/plain; charset=utf-8', `${NOT_FROM_THIS_MACHINE}\n`)
  }
  const files = await readPageFiles()
  const reply = textReply(200, TYPES[name], files[name])
  return { ...reply, headers: { ...reply.headers, ...HEADERS } }
}
