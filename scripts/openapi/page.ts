/** The API's description as a page, by Swagger UI. All of it comes from this machine, and it asks no other. */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../build/bundle.ts'

/** An answer to a browser. */
export interface DocumentationReply {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/** A page for a local server. */
export interface DocumentationPage {
  /** Exact, or with `/*` at the end. */
  paths: readonly string[]
  /** `undefined` for a path that it does not have. */
  answer(request: { method: string; url: string }): Promise<DocumentationReply | undefined>
}

const PLACE = '/docs'

/** Swagger UI sets styles from its script, and has its icons in its style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>miniscore: the API</title>
<link rel="icon" href="${PLACE}/favicon-32x32.png">
<link rel="stylesheet" href="${PLACE}/swagger-ui.css">
<script src="${PLACE}/swagger-ui-bundle.js" defer></script>
<script src="${PLACE}/start.js" defer></script>
</head>
<body><div id="description"></div></body>
</html>
`

const start = `document.documentElement.classList.toggle(
  'dark-mode',
  matchMedia('(prefers-color-scheme: dark)').matches,
)
SwaggerUIBundle({
  url: '${PLACE}/openapi.json',
  dom_id: '#description',
  deepLinking: true,
  filter: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  validatorUrl: null,
})
`

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
}
const ofSwaggerUi = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png']

/** What is read with GET and HEAD below `/docs`; other methods get a 405. */
export function createDocumentationPage(): DocumentationPage {
  return {
    paths: [PLACE, `${PLACE}/*`],
    async answer({ method, url }) {
      const { pathname } = new URL(url, 'http://localhost')
      const read = readerOf(pathname.replace(/\/$/, ''))
      if (!read) return undefined
      if (method !== 'GET' && method !== 'HEAD') {
        return reply(405, 'text/plain', 'Read it with GET.\n', { allow: 'GET, HEAD' })
      }
      return read()
    },
  }
}

/** Makes what is at a path; `undefined` where nothing is. */
function readerOf(pathname: string): (() => Promise<DocumentationReply>) | undefined {
  if (pathname === PLACE) return async () => reply(200, 'text/html; charset=utf-8', html)
  if (!pathname.startsWith(`${PLACE}/`)) return undefined
  const name = pathname.slice(PLACE.length + 1)
  const type = types[path.extname(name)] ?? ''
  if (name === 'start.js') return async () => reply(200, type, start)
  if (name === 'openapi.json') return describe
  if (!ofSwaggerUi.includes(name)) return undefined
  return async () => reply(200, type, await readFile(path.join(swaggerUiFolder(), name)))
}

function swaggerUiFolder(): string {
  return path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
}

/** In a process of its own, which has the sources as they are now. */
async function describe(): Promise<DocumentationReply> {
  const command = ['--import', 'tsx', 'scripts/openapi.ts']
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      cwd: projectFolder,
      maxBuffer: 16 * 1024 * 1024,
    })
    return reply(200, 'application/json', stdout)
  } catch (error) {
    const { stderr } = error as { stderr?: string }
    return reply(500, 'text/plain; charset=utf-8', stderr || String(error))
  }
}

function reply(
  status: number,
  type: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): DocumentationReply {
  return {
    status,
    headers: {
      'content-type': type,
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...headers,
    },
    body: Buffer.from(body),
  }
}
