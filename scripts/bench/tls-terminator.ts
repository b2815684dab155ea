/** TLS in front of a plain server on loopback, as a load balancer has it in front of the real one. */

import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { SelfSignedCertificate } from '../simulators/self-signed-certificate.ts'

export interface TlsTerminator {
  /** `https://localhost:port`. */
  origin: string
  close(): Promise<void>
}

/** Listens on `localhost`, which the certificate has to name. */
export async function startTlsTerminator(
  targetPort: number,
  { certificate, key }: SelfSignedCertificate,
): Promise<TlsTerminator> {
  const sockets = new Set<Socket>()
  const server = createServer({ cert: certificate, key, noDelay: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  // A client that goes away in the middle of a handshake is nobody's problem here.
  server.on('tlsClientError', () => {})
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `https://localhost:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
