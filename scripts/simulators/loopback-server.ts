/** What the simulators' HTTP servers have in common. */
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export const LOOPBACK_HOST = '127.0.0.1'

/** Listens on the port, 0 for any free one, and resolves to it. @throws {Error} in words when it is taken */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening)
      const isTaken = error.code === 'EADDRINUSE'
      reject(isTaken ? new Error(`Port ${port} is taken.`) : error)
    }
    const listening = () => {
      server.off('error', failed)
      resolve((server.address() as AddressInfo).port)
    }
    server.once('error', failed)
    server.once('listening', listening)
    server.listen(port, LOOPBACK_HOST)
  })
}

/** The whole body, or undefined when it is longer than the limit or breaks off. */
export async function readWholeBody(
  incoming: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes <= limitBytes) chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return bytes > limitBytes ? undefined : Buffer.concat(chunks)
}
