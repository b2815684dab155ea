/**
 * A TCP proxy on loopback that breaks connections on purpose: the network between a function and
 * its database or upstream, at its worst, without touching either end.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type TcpProxyMode =
  /** Everything goes through. */
  | { kind: 'pass' }
  /** Both directions are held back by this much. */
  | { kind: 'delay'; delayMs: number }
  /** After this many bytes towards the client, counted from now, the connection is closed (FIN). */
  | { kind: 'cut'; afterBytes: number }
  /** Connections there are and connections to come are reset. */
  | { kind: 'reset' }
  /** Connections there are fall silent for ever, without FIN or RST; new ones pass. What a NAT does that forgot them. */
  | { kind: 'blackhole' }
  /** As `blackhole`, and new connections are accepted but never answered. */
  | { kind: 'silent' }
  /** The nth request (the first unless told; only those `containing` the text count) gets through, its answer is lost in a RST; then `pass`. */
  | { kind: 'drop-answer'; nth?: number; containing?: string }

export interface TcpProxy {
  readonly port: number
  /** Connections accepted so far. */
  readonly accepted: number
  /** Changes what happens to bytes from now on. */
  mode(mode: TcpProxyMode): void
  /** Ends every connection now, by RST unless told. */
  dropConnections(how?: 'reset' | 'close'): void
  /** Ends everything. */
  close(): Promise<void>
}

interface Link {
  client: Socket
  server: Socket
  /** True for ever once bytes and endings are swallowed. */
  silent: boolean
  /** True when the answer under way is to be lost. */
  answerLost: boolean
}

/** Starts a proxy in front of `127.0.0.1:targetPort`, passing everything. */
export async function startTcpProxy(options: { targetPort: number }): Promise<TcpProxy> {
  const links = new Set<Link>()
  let mode: TcpProxyMode = { kind: 'pass' }
  let bytesLeft = 0
  let requestsLeft = 0
  let accepted = 0

  const drop = (link: Link, how: 'reset' | 'close') => {
    links.delete(link)
    for (const socket of [link.client, link.server]) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.end(() => socket.destroy())
    }
  }

  const toServer = (link: Link, data: Buffer) => {
    if (link.silent) return
    if (mode.kind === 'drop-answer' && data.includes(mode.containing ?? '')) {
      requestsLeft -= 1
      if (requestsLeft === 0) link.answerLost = true
    }
    forward(link, link.server, data)
  }

  const toClient = (link: Link, data: Buffer) => {
    if (link.silent) return
    if (link.answerLost) {
      mode = { kind: 'pass' }
      drop(link, 'reset')
    } else if (mode.kind === 'cut' && data.length >= bytesLeft) {
      link.client.write(data.subarray(0, bytesLeft))
      bytesLeft = 0
      drop(link, 'close')
    } else {
      bytesLeft -= data.length
      forward(link, link.client, data)
    }
  }

  const forward = (link: Link, to: Socket, data: Buffer) => {
    if (mode.kind !== 'delay') {
      to.write(data)
      return
    }
    setTimeout(() => {
      if (!link.silent && to.writable) to.write(data)
    }, mode.delayMs)
  }

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    accepted += 1
    client.on('error', () => undefined)
    if (mode.kind === 'reset') {
      client.resetAndDestroy()
      return
    }
    const server = connect({
      port: options.targetPort,
      host: '127.0.0.1',
      noDelay: true,
      allowHalfOpen: true,
    })
    const link: Link = { client, server, silent: mode.kind === 'silent', answerLost: false }
    links.add(link)
    client.on('data', (data: Buffer) => toServer(link, data))
    server.on('data', (data: Buffer) => toClient(link, data))
    server.on('error', () => {
      if (!link.silent) drop(link, 'reset')
    })
    client.on('error', () => {
      if (!link.silent) drop(link, 'reset')
    })
    client.on('end', () => {
      if (!link.silent) server.end()
    })
    server.on('end', () => {
      if (!link.silent) client.end()
    })
    const forget = () => {
      if (client.destroyed && server.destroyed) links.delete(link)
    }
    client.on('close', forget)
    server.on('close', forget)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no loopback port')

  const dropConnections = (how: 'reset' | 'close' = 'reset') => {
    for (const link of links) drop(link, how)
  }

  return {
    port: address.port,
    get accepted() {
      return accepted
    },
    mode(next) {
      mode = next
      if (next.kind === 'cut') bytesLeft = next.afterBytes
      if (next.kind === 'drop-answer') requestsLeft = next.nth ?? 1
      if (next.kind === 'reset') dropConnections()
      if (next.kind === 'blackhole' || next.kind === 'silent') {
        for (const link of links) link.silent = true
      }
    },
    dropConnections,
    async close() {
      listener.close()
      dropConnections()
      await once(listener, 'close')
    },
  }
}
