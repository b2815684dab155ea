/**
 * What a function asks of the outside, counted and spoilt: proxies in front of its database and of WeChat that count requests
 * together, and do something to the k-th. A request is what a client says after it connected or was answered, which is so in
 * HTTP and in MySQL's protocol alike.
 */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the request. */
export const outsideFaults = [
  'reset', // the connection is cut, the request never arrives
  'lost', // it is done, and the connection is cut instead of an answer
  'hang', // it never arrives, and nothing is ever answered
  'silence', // it is done, and nothing is ever answered
  'garbage', // something that is not the protocol's
  'empty', // an answer without anything in it
] as const
export type OutsideFault = (typeof outsideFaults)[number]

export interface OutsideCalls {
  /** Puts a proxy in front of an address and returns its own. */
  between(outside: 'database' | 'wechat', url: string): Promise<string>
  /** Counts from one again, and spoils the `at`-th request, if any. */
  begin(spoilt?: { at: number; by: OutsideFault }): void
  /** Requests since then. */
  count(): number
  /** Ends all connections there are: an instance that is done with keeps its own for ever. */
  disconnect(): Promise<void>
  close(): Promise<void>
}

const GARBAGE = '<html>504 Gateway Time-out</html>'

/** In HTTP, and in a packet of MySQL that is none. */
function answerOf(isHttp: boolean, fault: 'garbage' | 'empty'): Buffer {
  if (!isHttp) {
    // An OK packet that ends before its counts, and one of an unknown kind, each as the answer to a first request.
    return fault === 'empty'
      ? Buffer.from([1, 0, 0, 1, 0])
      : Buffer.from(`\x05\0\0\x01\xfc\xffabc`, 'latin1')
  }
  const body = fault === 'empty' ? '{}' : GARBAGE
  const type = fault === 'empty' ? 'application/json' : 'text/html'
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

export function createOutsideCalls(): OutsideCalls {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  let requests = 0
  let spoilt: { at: number; by: OutsideFault } | undefined

  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    return socket.once('close', () => sockets.delete(socket))
  }

  const link = (client: Socket, target: Socket, isHttp: boolean): void => {
    let isAsking = false
    let fault: OutsideFault | undefined
    client.on('data', (data: Buffer) => {
      if (!isAsking) {
        isAsking = true
        requests++
        fault ??= spoilt?.at === requests ? spoilt.by : undefined
        if (fault === 'reset') client.resetAndDestroy()
        if (fault === 'garbage' || fault === 'empty') client.end(answerOf(isHttp, fault))
      }
      const arrives = fault === undefined || fault === 'lost' || fault === 'silence'
      if (arrives) target.write(data)
    })
    target.on('data', (data: Buffer) => {
      isAsking = false
      if (fault === undefined) client.write(data)
      else if (fault === 'lost') client.resetAndDestroy()
    })
    client.once('close', () => target.destroy())
    target.once('close', () => {
      if (fault !== 'hang' && fault !== 'silence') client.destroy()
    })
  }

  const disconnect = async (): Promise<void> => {
    const open = [...sockets]
    await Promise.all(
      open.map(async (socket) => {
        socket.destroy()
        if (!socket.closed) await once(socket, 'close')
      }),
    )
    // The other ends hear of it.
    await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    async between(_outside, url) {
      const address = new URL(url)
      const isHttp = address.protocol.startsWith('http')
      const port = Number(address.port)
      const server = createServer({ noDelay: true }, (client) => {
        const target = connect({ host: '127.0.0.1', port, noDelay: true })
        link(keep(client), keep(target), isHttp)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      address.port = String((server.address() as { port: number }).port)
      return address.href
    },
    begin(next) {
      requests = 0
      spoilt = next
    },
    count: () => requests,
    disconnect,
    async close() {
      await disconnect()
      for (const server of servers) server.close()
    },
  }
}
