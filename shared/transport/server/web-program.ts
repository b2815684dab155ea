/**
 * `node index.js`: the server as a program. Reads its own settings, says where it listens, and stops
 * when told to, after the requests under way were answered.
 */

import type { Logger } from '../../ports.ts'
import { type Environment, readVariables } from '../../wiring/configuration.ts'
import type { MainHandler } from '../invocation.ts'
import type { TrustProxy } from './connections.ts'
import { serveWeb, type WebOptions } from './web.ts'

/** Where the platform expects a Web function: https://cloud.tencent.com/document/product/583/56124 */
const PORT_DEFAULT = 9000

/** Runs the server until SIGTERM or SIGINT; a second signal does not wait. Ends the process with 1 when it cannot start. */
export async function runWeb(
  handler: MainHandler,
  { env, log }: { env: Environment; log: Logger },
): Promise<void> {
  const server = await start(handler, env, log)
  if (!server) return
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) process.exit(1)
    isStopping = true
    console.log('stopping')
    const cut = await server.stop()
    if (cut > 0) console.error(`${cut} requests took too long and were cut off`)
    process.exit(cut > 0 ? 1 : 0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)
  // Said last: whoever reads it may send a signal at once.
  console.log(`listening on ${server.url}`)
}

async function start(handler: MainHandler, env: Environment, log: Logger) {
  try {
    return await serveWeb(handler, { ...settingsFrom(env), log })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
    return undefined
  }
}

/** `PORT`, `HOST` and `TRUST_PROXY`, and what the store can do. @throws {Error} naming the variable */
function settingsFrom(
  env: Environment,
): Pick<WebOptions, 'port' | 'host' | 'trustProxy' | 'limits'> {
  const port = env.PORT || String(PORT_DEFAULT)
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error('PORT should be a number from 0 to 65535')
  }
  const trustProxy = env.TRUST_PROXY || 'private'
  if (!isTrustProxy(trustProxy)) throw new Error('TRUST_PROXY should be private or none')
  // One that is not acceptable is what the function itself answers with.
  const { DATABASE_CONNECTIONS: concurrentLeast = 1 } = readVariables(
    ['DATABASE_CONNECTIONS'],
    env,
  ).values
  const host = env.HOST ? { host: env.HOST } : {}
  return { port: Number(port), trustProxy, ...host, limits: { concurrentLeast } }
}

function isTrustProxy(text: string): text is TrustProxy {
  return text === 'private' || text === 'none'
}
