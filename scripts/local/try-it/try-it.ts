/**
 * The page of a local run: a phone with the example mini program, whose phone it is, and what happens meanwhile. Nothing
 * of it is made before somebody opens it.
 */

import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Db } from '../../../shared/store/db.ts'
import { openDb } from '../../../shared/wiring/database.ts'
import { projectFolder } from '../../build/bundle.ts'
import type { CompiledMiniProgram } from '../../simulators/mini-program/compile.ts'
import { answerAsPhone } from '../../simulators/mini-program/phone.ts'
import type { OfflineWeChat } from '../../simulators/wechat/server.ts'
import type { ClientReply, ClientRequest } from '../events.ts'
import type { LocalPage } from '../gateway.ts'
import type { About } from './browser/told.ts'
import { createExchanges, type Exchanges, PHONE_PATH } from './exchanges.ts'
import { createPeople, phoneWeChat } from './people.ts'
import { readRows } from './rows.ts'

export interface TryItOptions {
  wechat: OfflineWeChat
  databaseUrl: string
  /** Where there is more to read. */
  links: About['links']
}

/** The page, what it is to be told, and its end. */
export interface TryIt extends LocalPage, Pick<Exchanges, 'add' | 'line'> {
  close(): Promise<void>
}

const browserFolder = path.join(projectFolder, 'scripts/local/try-it/browser')
const exampleFolder = path.join(projectFolder, 'test/miniprogram')
/** A page that waits longer for its rows than this is told that they cannot be read. */
const ROWS_BUDGET_MS = 3000

const COMMON_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'"
const PAGE_POLICY = `${COMMON_POLICY}; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'none'; frame-ancestors 'none'`
/** glass-easel puts each component's style into the page. */
const PHONE_POLICY = `${COMMON_POLICY}; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; frame-ancestors 'self'`

export function createTryIt({ wechat, databaseUrl, links }: TryItOptions): TryIt {
  const exchanges = createExchanges()
  const people = createPeople(wechat)
  const phone = phoneWeChat(wechat)
  let db: Promise<Db> | undefined
  let compiled: Promise<CompiledMiniProgram> | undefined

  /** Anew for each page that is opened, so that a reload shows what was changed; the script is that of the page. */
  function compile(isPage: boolean): Promise<CompiledMiniProgram> {
    if (isPage || !compiled) {
      compiled = import('../../simulators/mini-program/compile.ts').then((compiler) =>
        compiler.compileMiniProgram(exampleFolder),
      )
    }
    return compiled
  }

  async function answer(request: ClientRequest): Promise<ClientReply | undefined> {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    const body = request.body.toString()
    if (pathname.startsWith(PHONE_PATH)) {
      const own = pathname.slice(PHONE_PATH.length)
      const context = { compiled: () => compile(own === ''), wechat: phone }
      const given = await answerAsPhone(own, body, context)
      return given && reply(given.status, given.type, given.body, PHONE_POLICY)
    }
    switch (`${request.method} ${pathname}`) {
      case 'GET /':
        if (!request.headers.accept?.includes('text/html')) return undefined
        return reply(200, 'text/html; charset=utf-8', await browserFile('page.html'), PAGE_POLICY)
      case 'GET /try-it/icon.svg':
        return reply(200, 'image/svg+xml', await browserFile('icon.svg'))
      case 'GET /try-it/page.css':
      case 'GET /try-it/happenings.css':
        return reply(200, 'text/css; charset=utf-8', await browserFile(path.basename(pathname)))
      case 'GET /try-it/page.js':
        return reply(200, 'text/javascript; charset=utf-8', await pageScript())
      case 'GET /try-it/about':
        return json({ people: people.all(), links } satisfies About)
      case 'GET /try-it/news':
        return json(
          await exchanges.news(searchParams.get('run') ?? '', Number(searchParams.get('after'))),
        )
      case 'GET /try-it/rows':
        db ??= openDb(databaseUrl, { budgetMs: ROWS_BUDGET_MS })
        return json(await readRows(await db))
      case 'POST /try-it/people/new':
        return json(people.add())
      case 'POST /try-it/people/prepare':
        if (!people.all().some(({ openid }) => openid === body))
          return reply(400, 'text/plain', 'The body must be the openid of somebody in about.\n')
        await people.prepare(body, `http://${request.headers.host}`)
        return json({ ok: true })
      default:
        return undefined
    }
  }

  return {
    add: exchanges.add,
    line: exchanges.line,
    answer: (request) =>
      answer(request).catch((error: unknown) =>
        reply(500, 'text/plain; charset=utf-8', `${(error as Error).message}\n`),
      ),
    close: async () => (await db)?.close(),
  }
}

function browserFile(name: string): Promise<string> {
  return readFile(path.join(browserFolder, name), 'utf8')
}

async function pageScript(): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [path.join(browserFolder, 'page.ts')],
    bundle: true,
    format: 'iife',
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

function json(value: unknown): ClientReply {
  return reply(200, 'application/json; charset=utf-8', JSON.stringify(value))
}

/** Nothing here is for a page of another origin, not even as a script or a picture of it. */
function reply(
  status: number,
  type: string,
  body: string,
  policy = "default-src 'none'; frame-ancestors 'none'",
): ClientReply {
  return {
    status,
    headers: {
      'content-type': type,
      'cache-control': 'no-store',
      'content-security-policy': policy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
    body: Buffer.from(body),
  }
}
