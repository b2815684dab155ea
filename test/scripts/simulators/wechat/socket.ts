import { connect, type Socket } from 'node:net'

/** What a client that reads raw bytes saw of one exchange. */
export interface Seen {
  /** Everything received so far, headers included. */
  text: string
  /** `refused` and `reset` are what the operating system reports; `open` means that nothing ended it in time. */
  outcome: 'refused' | 'reset' | 'ended' | 'open'
  elapsedMs: number
}

/** Far longer than any exchange that ends by itself; tests that expect silence watch for less. */
const WATCH_MS = 5000

/**
 * Sends one GET on its own connection and watches it until it ends, until `enough` is satisfied, or
 * the watch is over.
 */
export function exchangeRaw(
  url: string,
  path: string,
  { watchMs = WATCH_MS, enough }: { watchMs?: number; enough?: (text: string) => boolean } = {},
): Promise<Seen> {
  const { hostname, port } = new URL(url)
  const startMs = performance.now()
  return new Promise((resolve) => {
    const socket: Socket = connect(Number(port), hostname)
    const chunks: Buffer[] = []
    const finish = (outcome: Seen['outcome']) => {
      clearTimeout(timer)
      socket.destroy()
      const text = Buffer.concat(chunks).toString('utf8')
      resolve({ text, outcome, elapsedMs: performance.now() - startMs })
    }
    const timer = setTimeout(() => finish('open'), watchMs)
    socket.on('connect', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nhost: api.weixin.qq.com\r\nconnection: close\r\n\r\n`)
    })
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      if (enough?.(Buffer.concat(chunks).toString('utf8'))) finish('open')
    })
    socket.on('end', () => finish('ended'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'),
    )
  })
}

/** The parts of a raw HTTP/1.1 reply. */
export function parts(text: string): { status: number; headers: Headers; body: string } {
  const at = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, Math.max(at, 0)).split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(at + 4) }
}
