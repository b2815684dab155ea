/**
 * `node index.js`: the server as a program. Reads its own settings, says where it listens, and stops
 * when told to, after the requests under way were answered.
 */

import type { Logger } from '../../ports.ts'
import { type Environment, readVariables } from '../../wiring/configuration.ts'
import type { MainHandler } from '../invocation.ts'
import type { TrustProxy } from './connections.ts'
import { serveWeb, type WebOptions, type WebServer } from './web.ts'

/** Where the platform expects a Web function: https://cloud.tencent.com/document/product/583/56124 */
const PORT_DEFAULT = 9000

/** What is told of a server while it runs, beside its answers. */
export interface Watching extends Required<Pick<WebOptions, 'answerFirst'>> {
  /** The server listens. @throws {Error} when what it is watched by cannot be reached */
  begin(): Promise<void>
  /** From now on it takes no more work. */
  end(): void
}

/** Begins to watch a server, whose load it is given. @throws {Error} naming the variable */
export type Watch = (load: WebServer['load']) => Watching

/** What the program runs by. */
export interface ProgramOptions {
  env: Environment
  log: Logger
  /** Why the function cannot be made, if so. */
  failure?: unknown
  watch?: Watch | undefined
}

/**
 * Runs the server until SIGTERM or SIGINT; a second signal does not wait. Ends the process with 1 when it cannot start,
 * so that whoever started it sees: a server that answers only errors looks healthy from outside.
 */
export async function runWeb(handler: MainHandler, options: ProgramOptions): Promise<void> {
  const started = await start(handler, options).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  })
  const { server, watching } = started
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) process.exit(1)
    isStopping = true
    console.log('stopping')
    watching?.end()
    const cut = await server.stop()
    if (cut > 0) console.error(`${cut} requests took too long and were cut off`)
    process.exit(cut > 0 ? 1 : 0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)
  // Said last: whoever reads it may send a signal at once.
  console.log(`listening on ${server.url}`)
}

async function start(
  handler: MainHandler,
  { env, log, failure, watch }: ProgramOptions,
): Promise<{ server: WebServer; watching: Watching | undefined }> {
  if (failure !== undefined) throw failure
  let server: WebServer | undefined
  const watching = watch?.(() => server?.load() ?? NO_LOAD)
  const { answerFirst } = watching ?? {}
  server = await serveWeb(handler, {
    ...settingsFrom(env),
    log,
    ...(answerFirst ? { answerFirst } : {}),
  })
  await watching?.begin()
  return { server, watching }
}

const NO_LOAD = { inside: 0, insideMost: 0, waiting: 0, connections: 0 }

/** `PORT`, `HOST` and `TRUST_PROXY`, and what the store can do. @throws {Error} naming the variable */
function settingsFrom(
  env: Environment,
): Pick<WebOptions, 'port' | 'host' | 'trustProxy' | 'limits'> {
  const port = portFrom('PORT', env.PORT || String(PORT_DEFAULT))
  const trustProxy = env.TRUST_PROXY || 'private'
  if (!isTrustProxy(trustProxy)) throw new Error('TRUST_PROXY should be private or none')
  const { DATABASE_CONNECTIONS: concurrentLeast = 1 } = readVariables(
    ['DATABASE_CONNECTIONS'],
    env,
  ).values
  const host = env.HOST ? { host: env.HOST } : {}
  return { port, trustProxy, ...host, limits: { concurrentLeast } }
}

/** @throws {Error} naming the variable */
export function portFrom(variable: string, text: string): number {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new Error(`${variable} should be a number from 0 to 65535`)
}

function isTrustProxy(text: string): text is TrustProxy {
  return text === 'private' || text === 'none'
}
