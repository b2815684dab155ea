import type { Server } from 'node:http'
import { listen } from '../../../shared/transport/server/listen.ts'

/** A port given up for a moment may take a moment to come back. */
const REOPEN_TRIES = 20
const REOPEN_EVERY_MS = 50

/** The listening side of a server: open, shut for a while, shut for good. */
export interface Door {
  /** Listens on the port, 0 for any; rejects with a sentence when that cannot be. */
  open(port: number): Promise<void>
  url(): string
  port(): number
  isOpen(): boolean
  /** Lets requests under way finish, refuses connections for so long, then listens on the same port again. */
  refuseFor(durationMs: number): void
  /** Listens again at once if it is shut for a while; nothing otherwise. */
  reopen(): Promise<void>
  close(): Promise<void>
}

export function createDoor(server: Server): Door {
  let port = 0
  let url = ''
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function reopen(): Promise<void> {
    clearTimeout(timer)
    for (let tries = 1; !closed && !server.listening; tries += 1) {
      try {
        await listen(server, { port })
        if (closed) server.close()
      } catch (error) {
        if (tries === REOPEN_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, REOPEN_EVERY_MS))
      }
    }
  }

  return {
    async open(wantedPort) {
      const address = await listen(server, { port: wantedPort, setting: 'WECHAT_PORT or --port' })
      port = address.port
      url = address.url
    },
    url: () => url,
    port: () => port,
    isOpen: () => server.listening,
    refuseFor(durationMs) {
      clearTimeout(timer)
      // Closes the listening socket and idle connections at once; the reply to the order still goes out.
      if (server.listening) server.close()
      timer = setTimeout(() => {
        reopen().catch((error: unknown) => console.error('offline WeChat:', error))
      }, durationMs)
    },
    reopen,
    async close() {
      closed = true
      clearTimeout(timer)
      server.closeAllConnections()
      if (!server.listening) return
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
