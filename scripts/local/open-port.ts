import { createServer } from 'node:net'
import { listen } from '../../shared/transport/server/listen.ts'

/** A port that nobody listens on now: this one, or any. @throws {Error} when it is taken, naming what sets it */
export async function openPort(port = 0, setting?: string): Promise<number> {
  const server = createServer()
  const listening = await listen(server, { port, ...(setting ? { setting } : {}) })
  await new Promise((resolve) => server.close(resolve))
  return listening.port
}
