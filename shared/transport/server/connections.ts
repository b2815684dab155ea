/**
 * Who is connected. A connection that nothing whole has come from, or that waits for its next request, costs the
 * server as much as one that is answered; so one peer has a few dozen of those, and when there are too many in all, the
 * peer with most of them loses one.
 */

import type { Socket } from 'node:net'
import { networkOf, subscriberOf } from '../../network-addresses.ts'
import { steadyMs } from '../../wiring/clock.ts'

/**
 * Who may say where a request came from. `private`: a peer with a private or loopback address is a proxy, as on
 * the platform, so its `x-forwarded-for` counts. `none`: there is no proxy, the peer is the client.
 */
export type TrustProxy = 'private' | 'none'

/** The other end of a connection. */
export interface Peer {
  /** Its IP address; `undefined` when the connection ended before it could be asked. */
  address: string | undefined
  isProxy: boolean
}

/** Who is at the other end of a socket. */
export function peerOf({ remoteAddress = '' }: Socket, trustProxy: TrustProxy): Peer {
  // A socket that listens on `::` shows IPv4 peers as `::ffff:192.0.2.1`.
  const address = remoteAddress.replace(/^::ffff:(?=[0-9.]+$)/i, '').replace(/%.*/, '')
  const network = networkOf(address)
  if (network === undefined) return { address: undefined, isProxy: false }
  return { address, isProxy: trustProxy === 'private' && network !== 'public' }
}

/** How many connections there may be. */
export interface ConnectionLimits {
  connectionsMax: number
  /** Connections of one peer that wait; a proxy's only until their first request came. */
  waitingPerPeerMax: number
}

/** The connections of a server. */
export interface Connections {
  /** Takes a connection in, and lets others go for it if need be. */
  add(socket: Socket): void
  peer(socket: Socket): Peer
  /** A request is coming in. */
  receives(socket: Socket): void
  /** It came whole. */
  received(socket: Socket): void
  /** Everything that came was answered. */
  answered(socket: Socket): void
  sockets(): Iterable<Socket>
}

interface Connection {
  peer: Peer
  group: Group
}

/** The connections of one subscriber that wait, and since when, the longest first. */
interface Group {
  waiting: Map<Socket, number>
  count: number
  isTrimming: boolean
}

/** An honest client’s first request may be under way for so long, however many come at once. */
const GRACE_MS = 1000

/** No connections yet. `onDropped` is called for each that is let go. */
export function createConnections(
  { connectionsMax, waitingPerPeerMax }: ConnectionLimits,
  { trustProxy, onDropped }: { trustProxy: TrustProxy; onDropped: () => void },
): Connections {
  const connections = new Map<Socket, Connection>()
  const groups = new Map<string, Group>()

  const drop = (socket: Socket): void => {
    remove(socket)
    socket.destroy()
    onDropped()
  }

  const remove = (socket: Socket): void => {
    const group = connections.get(socket)?.group
    if (!group) return
    connections.delete(socket)
    group.waiting.delete(socket)
    group.count--
  }

  /** Lets go of those that waited longest, but not of any that has only just begun. */
  const trim = (group: Group): void => {
    group.isTrimming = false
    for (const [socket, sinceMs] of group.waiting) {
      if (group.waiting.size <= waitingPerPeerMax) return
      if (steadyMs() - sinceMs < GRACE_MS) break
      drop(socket)
    }
    trimLater(group)
  }

  const trimLater = (group: Group): void => {
    if (group.isTrimming || group.waiting.size <= waitingPerPeerMax) return
    group.isTrimming = true
    setTimeout(() => trim(group), GRACE_MS).unref()
  }

  const wait = (socket: Socket, { waiting }: Group): void => {
    waiting.delete(socket)
    waiting.set(socket, steadyMs())
  }

  /** When the server is full, whoever keeps most connections waiting gives one up; if nobody does, the newcomer goes. */
  const makeRoom = (newcomer: Socket): void => {
    let greediest: Group | undefined
    for (const group of groups.values()) {
      if (group.waiting.size > (greediest?.waiting.size ?? 0)) greediest = group
    }
    drop(greediest?.waiting.keys().next().value ?? newcomer)
  }

  return {
    add(socket) {
      const peer = peerOf(socket, trustProxy)
      const key = subscriberOf(peer.address ?? '')
      const group = groups.get(key) ?? { waiting: new Map(), count: 0, isTrimming: false }
      groups.set(key, group)
      group.count++
      connections.set(socket, { peer, group })
      wait(socket, group)
      socket.once('close', () => {
        remove(socket)
        if (group.count === 0) groups.delete(key)
      })
      if (connections.size > connectionsMax) makeRoom(socket)
      trimLater(group)
    },
    peer: (socket) => connections.get(socket)?.peer ?? { address: undefined, isProxy: false },
    receives(socket) {
      const group = connections.get(socket)?.group
      if (group && !group.waiting.has(socket)) wait(socket, group)
    },
    received: (socket) => void connections.get(socket)?.group.waiting.delete(socket),
    answered(socket) {
      const connection = connections.get(socket)
      if (!connection) return
      const { peer, group } = connection
      // Proxies keep connections for whoever comes next.
      if (peer.isProxy) group.waiting.delete(socket)
      else {
        wait(socket, group)
        trimLater(group)
      }
    },
    sockets: () => connections.keys(),
  }
}
