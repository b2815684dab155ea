import type { Server } from 'node:http'
import { type ListenOptions, listen } from '../../../shared/transport/server/listen.ts'

/** A port given up for a moment may take a moment to come back. */
const REOPEN_TRIES = 20
const REOPEN_EVERY_MS = 50

export type Listener = Awaited<ReturnType<typeof startListener>>

/** The listening side of a server: open, shut for a while, shut for good. Rejects with a sentence on a taken port. */
export async function startListener(server: Server, wanted: ListenOptions) {
  const { port, url } = await listen(server, wanted)
  let closed = false
  let timer: NodeJS.Timeout | undefined

  /** Listens again at once if it is shut for a while; nothing otherwise. */
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
    port,
    url,
    isOpen: () => server.listening,
    /** Lets requests under way finish, refuses connections for so long, then listens on the same port again. */
    refuseFor(durationMs: number): void {
      clearTimeout(timer)
      // Closes the listening socket and idle connections at once; the reply to the order still goes out.
      if (server.listening) server.close()
      timer = setTimeout(() => {
        reopen().catch((error: unknown) => console.error('offline WeChat:', error))
      }, durationMs)
    },
    reopen,
    async close(): Promise<void> {
      closed = true
      clearTimeout(timer)
      server.closeAllConnections()
      if (!server.listening) return
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
