/** HTTP by hand, for requests that no client would send. */

import net from 'node:net'

export interface RawConnection {
  write(data: string | Buffer): void
  /** Everything received so far. */
  received(): string
  /** Resolves once what was received matches. Rejects when the connection ends before. */
  until(pattern: RegExp): Promise<void>
  /** Resolves with everything received when the server has closed its side, or has cut the connection. */
  ended: Promise<string>
  /** Cuts the connection without a goodbye. */
  reset(): void
}

/** Opens a connection to `http://HOST:PORT`. */
export async function openRaw(url: string): Promise<RawConnection> {
  const { port } = new URL(url)
  const socket = net.connect({ host: '127.0.0.1', port: Number(port) })
  let received = ''
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
    tell()
  })
  let isEnded = false
  const ended = new Promise<string>((resolve) => {
    const finish = (): void => {
      isEnded = true
      socket.destroy()
      resolve(received)
      tell()
    }
    socket.once('end', finish)
    socket.once('close', finish)
    // A cut connection is an end like any other; 'close' follows.
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return {
    write: (data) => void socket.write(data),
    received: () => received,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const isSeen = pattern.test(received)
          if (!isSeen && !isEnded) return
          listeners.delete(check)
          if (isSeen) resolve()
          else reject(new Error(`ended before ${pattern} was seen:\n${received}`))
        }
        listeners.add(check)
        check()
      }),
    ended,
    reset: () => void socket.resetAndDestroy(),
  }
}

/** Sends one message and reads until the server ends the connection. */
export async function exchange(url: string, message: string | Buffer): Promise<string> {
  const connection = await openRaw(url)
  connection.write(message)
  return connection.ended
}

/** The status codes of the answers in what was received. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 ([0-9]{3}) [A-Z]/g)].map(([, status]) => Number(status))
}
