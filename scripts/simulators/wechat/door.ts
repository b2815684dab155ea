import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'
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
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function reopen(): Promise<void> {
    clearTimeout(timer)
    for (let tries = 1; !closed && !server.listening; tries += 1) {
      try {
        await listen(server, port)
        if (closed) server.close()
      } catch (error) {
        if (tries === REOPEN_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, REOPEN_EVERY_MS))
      }
    }
  }

  return {
    async open(wantedPort) {
      await listen(server, wantedPort)
      const address = server.address() as AddressInfo
      port = address.port
    },
    url: () => `http://${HOST}:${port}`,
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

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening)
      reject(error.code === 'EADDRINUSE' ? new Error(`Port ${port} is taken.`) : error)
    }
    const listening = () => {
      server.off('error', failed)
      resolve()
    }
    server.once('error', failed)
    server.once('listening', listening)
    server.listen(port, HOST)
  })
}
