import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startOfflinePlanetScale } from '../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../scripts/simulators/planetscale/sqlite-engine.ts'
import { selfSignedCertificate } from '../../../scripts/simulators/self-signed-certificate.ts'
import { type HttpsClient, openHttpsClient } from '../../../shared/store/https-fetch.ts'
import { machine } from '../../../shared/wiring/clock.ts'
import { openPlanetScale } from '../../support/open-door.ts'
import { startTcpProxy } from '../../support/tcp-proxy.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closers.splice(0).reverse()) await close()
})

async function listening(server: Server, scheme: string): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}/`
}

function plain(listener: RequestListener): Promise<string> {
  return listening(createHttpServer(listener), 'http')
}

function secured(
  listener: RequestListener,
  dnsNames: string[],
): Promise<{ url: string; ca: string }> {
  const { certificate, key } = selfSignedCertificate(dnsNames)
  const server = createHttpsServer({ cert: certificate, key }, listener)
  return listening(server, 'https').then((url) => ({ url, ca: certificate }))
}

function client(secure: boolean, ca?: string): HttpsClient {
  const opened = openHttpsClient(secure, { ...machine, ca })
  closers.push(() => opened.close())
  return opened
}

const POST = { headers: { 'X-Test': '1' }, body: '{"é":1}', deadlineMs: 2000, retryStale: true }

const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  response.end(`${request.method} ${request.headers['x-test']} ${Buffer.concat(chunks).toString()}`)
}

describe('over TLS', () => {
  test('a trusted server gets the request and answers, on one connection', async () => {
    const ports = new Set<number | undefined>()
    const listener: RequestListener = (request, response) => {
      ports.add(request.socket.remotePort)
      echo(request, response)
    }
    const { url, ca } = await secured(listener, ['localhost'])
    const https = client(true, ca)
    for (const _ of [1, 2, 3]) {
      const { status, body } = await https.post(url, POST)
      expect([status, body]).toEqual([200, 'POST 1 {"é":1}'])
    }
    expect(ports.size).toBe(1)
  })

  test('a server of an unknown authority is never sent anything', async () => {
    let requests = 0
    const { url } = await secured(
      (_, response) => {
        requests++
        response.end()
      },
      ['localhost'],
    )
    await expect(client(true).post(url, POST)).rejects.toMatchObject({
      failure: 'unreachable',
      sent: false,
    })
    expect(requests).toBe(0)
  })

  test('a certificate for another name is refused', async () => {
    const { url, ca } = await secured(echo, ['elsewhere.example'])
    await expect(client(true, ca).post(url, POST)).rejects.toMatchObject({
      failure: 'unreachable',
      sent: false,
    })
  })

  test('a kept connection that the server ended is replaced', async () => {
    let requests = 0
    const { url, ca } = await secured(
      (request, response) => {
        requests++
        if (requests === 2) request.socket.destroy()
        else response.end(String(requests))
      },
      ['localhost'],
    )
    const https = client(true, ca)
    expect((await https.post(url, POST)).body).toBe('1')
    expect((await https.post(url, POST)).body).toBe('3')
  })
})

describe('a deadline', () => {
  test('covers the whole answer, also one that trickles for ever', async () => {
    const url = await plain((_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(timer))
    })
    await expect(client(false).post(url, { ...POST, deadlineMs: 100 })).rejects.toMatchObject({
      failure: 'timeout',
      sent: true,
    })
  })

  test('covers the retry too', async () => {
    let requests = 0
    const url = await plain((request, response) => {
      requests++
      if (requests === 1) response.end('ok')
      if (requests === 2) request.socket.destroy()
    })
    const http = client(false)
    await http.post(url, POST)
    await expect(http.post(url, { ...POST, deadlineMs: 100 })).rejects.toMatchObject({
      failure: 'timeout',
      sent: true,
    })
    expect(requests).toBe(3)
  })

  test('of an endless wait is cut to what a timer takes, not to nothing', async () => {
    const url = await plain(echo)
    const { status } = await client(false).post(url, {
      ...POST,
      deadlineMs: Number.POSITIVE_INFINITY,
    })
    expect(status).toBe(200)
  })
})

describe('an answer', () => {
  test('beyond the size limit is given up', async () => {
    const url = await plain((_, response) => {
      response.on('error', () => undefined)
      const chunk = Buffer.alloc(1024 * 1024)
      const more = (): void => {
        while (response.write(chunk));
        response.once('drain', more)
      }
      more()
    })
    await expect(client(false).post(url, { ...POST, deadlineMs: 10_000 })).rejects.toMatchObject({
      failure: 'bad-answer',
    })
  })

  test('that redirects is not followed', async () => {
    let requests = 0
    const url = await plain((_, response) => {
      requests++
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect((await client(false).post(url, POST)).status).toBe(307)
    expect(requests).toBe(1)
  })

  test('that is not HTTP is a broken connection', async () => {
    const url = await plain((request) => request.socket.end('SSH-2.0-server\r\n'))
    await expect(client(false).post(url, POST)).rejects.toMatchObject({
      failure: 'unreachable',
      sent: true,
    })
  })
})

test('a connection that fell silent while the instance was frozen is not used again', async () => {
  const server = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  closers.push(() => server.close())
  const proxy = await startTcpProxy({ targetPort: Number(new URL(server.url).port) })
  closers.push(() => proxy.close())
  const url = server.url.replace(/:\d+$/, `:${proxy.port}`)
  let frozenMs = 0
  const now = (): number => Date.now() + frozenMs
  const db = openPlanetScale({ url, timeoutMs: () => 300, now })
  closers.push(() => db.close())
  await db.query('select 1')
  proxy.mode({ kind: 'blackhole' })
  // A second later the connection is trusted, and costs the deadline.
  await expect(db.query('select 1')).rejects.toMatchObject({ failure: 'timeout', outcome: 'none' })
  await db.query('select 1')
  proxy.mode({ kind: 'blackhole' })
  frozenMs = 11_000
  await expect(db.query('select 1')).resolves.toMatchObject({ rows: [{ '1': 1 }] })
})

describe('the URL of the PlanetScale door', () => {
  test.each([
    ['nonsense', 'not-a-url'],
    ['mysql://u:secret@host/db', 'scheme'],
    ['http://u:secret@db.example.com', 'plain-http'],
    ['http://u:secret@127.0.0.1.example.com', 'plain-http'],
    ['https://host.example.com', 'no-user'],
    ['https://u@host.example.com', 'no-password'],
    ['https://u:sec%72et@host.example.com', 'percent-encoded-credentials'],
    ['https://u:sec ret@host.example.com', 'percent-encoded-credentials'],
  ])('%s is refused by a code, in words without credentials', (url, code) => {
    const open = (): unknown => openPlanetScale({ url, timeoutMs: () => 1 })
    expect(open).toThrow(expect.objectContaining({ name: 'DatabaseUrlError', code }))
    expect(open).not.toThrow(/secret|sec|nonsense/)
  })

  test.each([
    'https://u:p@host.example.com',
    'https://u:p@host.example.com:8443/db',
    'http://u:p@localhost:1',
    'http://u:p@[::1]:1',
  ])('%s is accepted', async (url) => {
    await openPlanetScale({ url, timeoutMs: () => 1 }).close()
  })
})
