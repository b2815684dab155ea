import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/** Where to listen, and what sets that. */
export interface ListenOptions {
  /** 0 chooses a free port. */
  port: number
  /** Default `127.0.0.1`. */
  host?: string
  /** What an operator would change, such as `PORT`. */
  setting?: string
}

/** Listens, and resolves to where. @throws {Error} when it cannot: a sentence with address, reason and setting */
export async function listen(
  server: Server,
  { port, host = '127.0.0.1', setting }: ListenOptions,
): Promise<{ port: number; url: string }> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const advice = setting === undefined ? '' : ` Set ${setting}.`
    throw new Error(`Cannot listen on ${host}:${port} (${code}).${advice}`)
  }
  const { port: actualPort } = server.address() as AddressInfo
  const shownHost = host.includes(':') ? `[${host}]` : host
  return { port: actualPort, url: `http://${shownHost}:${actualPort}` }
}
