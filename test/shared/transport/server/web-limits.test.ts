import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { BODY_MAX_BYTES } from '../../../../shared/transport/body.ts'
import { type EchoServer, startEchoServer } from '../../../support/echo-server.ts'
import {
  getRequest as get,
  malformedRequests,
  postRequest as post,
  smuggled,
} from '../../../support/malformed-requests.ts'
import { exchange, openRaw, statusesIn } from '../../../support/raw-http.ts'

async function untilAnsweredWell(answer: Promise<Response>): Promise<Response> {
  const response = await answer
  if (response.status !== 200) throw new Error(`answered ${response.status}`)
  return response
}

async function start(options: Parameters<typeof startEchoServer>[0] = {}): Promise<EchoServer> {
  const server = await startEchoServer(options)
  onTestFinished(async () => void (await server.stop()))
  return server
}

describe('a request that does not follow HTTP', () => {
  let server: EchoServer
  beforeAll(async () => {
    server = await startEchoServer()
  })
  afterAll(() => server.stop())

  test.each(malformedRequests)(
    '%s: 400, the connection ends, the function never sees it',
    async (_name, message) => {
      const seen = server.events.length
      const received = await exchange(server.url, message)
      expect(statusesIn(received)).toEqual([400])
      expect(received).toMatch(/^connection: close\r$/im)
      expect(server.events.length).toBe(seen)
    },
  )

  test('this check finds a server that is lenient', async () => {
    const lenient = createServer({ insecureHTTPParser: true }, (_request, response) => {
      response.end('{}')
    })
    onTestFinished(() => void lenient.close())
    await new Promise<void>((resolve) => lenient.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(lenient.address() as AddressInfo).port}`
    const both = 'content-length: 4\r\ntransfer-encoding: chunked'
    const received = await exchange(url, post(both, `0\r\n\r\n${smuggled}`))
    expect(statusesIn(received)).toEqual([200, 200])
  })

  test.each([
    ['WebSocket', 'connection: upgrade\r\nupgrade: websocket'],
    ['HTTP/2', 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk'],
    ['TLS', 'connection: Upgrade\r\nupgrade: TLS/1.2'],
  ])('an upgrade to %s is refused', async (_name, headers) => {
    const seen = server.events.length
    const message = `GET /facts HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n`
    const received = await exchange(server.url, message + get('/facts'))
    expect(statusesIn(received)).toEqual([400])
    expect(received).toContain('"code":"malformed-request"')
    expect(server.events.length).toBe(seen)
  })

  test('CONNECT is refused, and a reset afterwards harms nobody', async () => {
    const connection = await openRaw(server.url)
    connection.write('CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n')
    await connection.until(/^HTTP\/1\.1 400 /)
    connection.reset()
    expect((await fetch(`${server.url}/facts`)).status).toBe(200)
  })

  test('after a good request on the same connection never answers for it', async () => {
    const connection = await openRaw(server.url)
    connection.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(1)
    connection.write('GARBAGE\r\n\r\n')
    expect(await connection.ended).toBe('')
    server.release()
  })

  test('leaves one line in the log, which repeats nothing of it', () => {
    const refusals = server.lines.filter(({ event }) => event === 'refused')
    expect(refusals.length).toBeGreaterThan(25)
    expect(refusals[0]).toEqual({
      event: 'refused',
      level: 'info',
      transport: 'web',
      requestId: expect.any(String),
      status: 400,
      code: 'malformed-request',
    })
  })
})

describe('a flood', () => {
  test('of headers: 431', async () => {
    const server = await start()
    for (const headers of [
      `x-a: ${'a'.repeat(17_000)}\r\n`,
      Array.from({ length: 4000 }, (_, index) => `x-${index}: 1\r\n`).join(''),
    ]) {
      const received = await exchange(server.url, get('/facts', headers))
      expect(statusesIn(received)).toEqual([431])
      expect(received).toContain('"code":"headers-too-large"')
    }
    expect(server.events).toEqual([])
    // The longest token fits.
    const headers = `authorization: JWT ${'a'.repeat(4096)}\r\n`
    expect(statusesIn(await exchange(server.url, get('/facts', headers)))).toEqual([200])
  })

  test.each([
    ['slightly more than is read', BODY_MAX_BYTES + 1, 'keep-alive'],
    ['far more than is read', 512 * 1024, 'close'],
  ])('of a body in chunks, %s: 413', async (_name, bytes, fate) => {
    const server = await start()
    const connection = await openRaw(server.url)
    const chunk = ' '.repeat(4096)
    connection.write(post('transfer-encoding: chunked', ''))
    for (let left = bytes; left > 0; left -= 4096) {
      const length = Math.min(left, 4096)
      connection.write(`${length.toString(16)}\r\n${chunk.slice(0, length)}\r\n`)
    }
    if (fate === 'keep-alive') connection.write('0\r\n\r\n')
    await connection.until(/"code":"body-too-large"/)
    expect(connection.received()).toMatch(new RegExp(`^connection: ${fate}\r$`, 'im'))
    if (fate === 'close') await connection.ended
    else connection.write(get('/facts'))
    expect(statusesIn(await connection.ended)).toEqual(fate === 'close' ? [413] : [413, 200])
    // What is too large never reaches the function.
    expect(String(server.events[0]?.body).length).toBe(BODY_MAX_BYTES + 1)
  })

  test('that is only announced: 413 before anything of it was sent', async () => {
    const server = await start()
    for (const headers of ['', 'expect: 100-continue\r\n']) {
      const received = await exchange(server.url, post(`${headers}content-length: 9000000`, ''))
      expect(statusesIn(received)).toEqual([413])
    }
  })

  test('a body of exactly the limit is accepted, one byte more is not', async () => {
    const server = await start()
    const send = (length: number) =>
      fetch(`${server.url}/echo`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{}${' '.repeat(length - 2)}`,
      })
    expect((await send(BODY_MAX_BYTES)).status).toBe(200)
    expect((await send(BODY_MAX_BYTES + 1)).status).toBe(413)
  })

  test('of chunk extensions is refused', async () => {
    const server = await start()
    const body = `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`
    const received = await exchange(server.url, post('transfer-encoding: chunked', body))
    expect(statusesIn(received)).toEqual([400])
    expect(server.events).toEqual([])
  })
})

describe('a slow client', () => {
  const limits = { headersTimeoutMs: 200, requestTimeoutMs: 300 }
  test.each([
    ['headers', 'GET /facts HTTP/1.1\r\nhost: a\r\nx-a: ', { headersTimeoutMs: 200 }],
    ['the body', post('content-length: 100', '{'), limits],
  ])('that does not finish %s: 408', async (_name, message, limits) => {
    const server = await start({ limits })
    const received = await exchange(server.url, message)
    expect(statusesIn(received)).toEqual([408])
    expect(received).toContain('"code":"request-timeout"')
    expect(server.events).toEqual([])
  })

  test('that says nothing at all is let go without a word or a line', async () => {
    const server = await start({ limits })
    expect(await (await openRaw(server.url)).ended).toBe('')
    expect(server.lines).toEqual([])
  })

  test('that goes away in the middle of a body is forgotten', async () => {
    const server = await start()
    const connection = await openRaw(server.url)
    connection.write(post('content-length: 100', '{'))
    connection.reset()
    expect((await fetch(`${server.url}/facts`)).status).toBe(200)
    expect(server.events.length).toBe(1)
  })
})

describe('more requests than can be worked on', () => {
  test('wait in a short queue, and beyond it are told to come back: 503', async () => {
    const server = await start({
      limits: { concurrentLeast: 2, concurrentMost: 2, queuedMost: 1, queueWaitMs: 10_000 },
    })
    const held = [1, 2].map(() => fetch(`${server.url}/held`))
    await expect.poll(() => server.held()).toBe(2)
    const queued = fetch(`${server.url}/facts`)
    // Which of the two waits and which is told to come back is not promised.
    const turnedAway = fetch(`${server.url}/facts`)
    const first = await Promise.race([queued, turnedAway])
    expect(first.status).toBe(503)
    expect(first.headers.get('retry-after')).toBe('1')
    expect(await first.json()).toMatchObject({ code: 'server-busy', retry: 'later' })
    server.release()
    const statuses = (await Promise.all([...held, queued, turnedAway])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([200, 200, 200, 503])
    expect((await fetch(`${server.url}/facts`)).status).toBe(200)
  })

  test('do not wait in the queue for long', async () => {
    const server = await start({
      limits: { concurrentLeast: 1, concurrentMost: 1, queuedMost: 9, queueWaitMs: 50 },
    })
    // Only the very first requests wait longer, for the server to be ready.
    expect((await fetch(`${server.url}/facts`)).status).toBe(200)
    const held = fetch(`${server.url}/held`)
    await expect.poll(() => server.held()).toBe(1)
    expect((await fetch(`${server.url}/facts`)).status).toBe(503)
    server.release()
    expect((await held).status).toBe(200)
    expect((await fetch(`${server.url}/facts`)).status).toBe(200)
    expect(server.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', status: 503, code: 'server-busy' }),
    )
  })

  describe('are told so', () => {
    const oneAtATime = {
      concurrentLeast: 1,
      concurrentMost: 1,
      queuedMost: 0,
    }
    const startFull = async () => {
      const server = await start({ limits: oneAtATime })
      // In a long turn of the event loop, without a queue, even the first may be told to come back.
      const tries: Promise<Response>[] = []
      const holding = (): number => {
        if (server.held() === 0) tries.push(fetch(`${server.url}/held`))
        return server.held()
      }
      await expect.poll(holding).toBe(1)
      const held = Promise.any(tries.map(untilAnsweredWell))
      return { server, held }
    }

    test('before their body has come, and on connections that may be used again', async () => {
      const { server, held } = await startFull()
      const connection = await openRaw(server.url)
      connection.write(post('content-length: 13', ''))
      await connection.until(/^HTTP\/1\.1 503 .*"code":"server-busy".*\}$/s)
      expect(connection.received()).toMatch(/^connection: keep-alive\r$/im)
      expect(connection.received()).toMatch(/^retry-after: 1\r$/im)
      expect(connection.received()).toMatch(/^content-type: application\/problem\+json\r$/im)
      server.release()
      expect((await held).status).toBe(200)
      connection.write(`{"txt1":"so"}${get('/facts')}`)
      expect(statusesIn(await connection.ended)).toEqual([503, 200])
      // Nothing was made of the first.
      expect(server.events.map(({ path }) => path)).toEqual(['/held', '/facts'])
    })

    test('with an id of their own, in header and body', async () => {
      const { server } = await startFull()
      const ids = await Promise.all(
        [1, 2].map(async () => {
          const response = await fetch(`${server.url}/facts`)
          const { requestId, ...problem } = (await response.json()) as Record<string, unknown>
          expect(requestId).toBe(response.headers.get('x-request-id'))
          expect(problem).toEqual({
            type: 'urn:miniscore:problem:server-busy',
            title: 'Server busy',
            status: 503,
            code: 'server-busy',
            message: '服务繁忙，请稍后再试',
            retry: 'later',
          })
          return requestId
        }),
      )
      expect(new Set(ids).size).toBe(2)
    })

    test.each([
      ['a body in chunks', 'transfer-encoding: chunked'],
      ['a large body', 'content-length: 9000000'],
      ['a body that waits for a word', 'expect: 100-continue\r\ncontent-length: 2'],
    ])('and let go where %s is still to come', async (_name, headers) => {
      const { server } = await startFull()
      const received = await exchange(server.url, post(headers, ''))
      expect(statusesIn(received)).toEqual([503])
      expect(received).not.toContain('100 Continue')
      expect(received).toMatch(/^connection: close\r$/im)
    })

    test('in one line a second', async () => {
      const { server } = await startFull()
      for (let index = 0; index < 300; index++) await (await fetch(`${server.url}/facts`)).text()
      const lines = () => server.lines.filter(({ code }) => code === 'server-busy')
      expect(lines().length).toBeLessThan(10)
      server.release()
      await server.stop()
      const told = lines().reduce((sum, { count = 0 }) => sum + count, 0)
      expect(told).toBe(300)
      expect(lines()[0]).toEqual({
        event: 'request',
        level: 'warn',
        transport: 'web',
        status: 503,
        code: 'server-busy',
        count: 1,
      })
    })
  })

  test('that were given up meanwhile are not worked on', async () => {
    const server = await start({
      limits: { concurrentLeast: 1, concurrentMost: 1, queuedMost: 9, queueWaitMs: 10_000 },
    })
    const held = fetch(`${server.url}/held`)
    await expect.poll(() => server.held()).toBe(1)
    const connection = await openRaw(server.url)
    connection.write(get('/facts'))
    // Refused at once, so whatever was sent before has been seen by then.
    await exchange(server.url, 'GARBAGE\r\n\r\n')
    connection.reset()
    await exchange(server.url, 'GARBAGE\r\n\r\n')
    const other = fetch(`${server.url}/facts`)
    server.release()
    expect((await held).status).toBe(200)
    expect((await other).status).toBe(200)
    expect(server.events.filter(({ path }) => path === '/facts').length).toBe(1)
  })
})

describe('a server that is told to stop', () => {
  test('answers what is under way, on connections it then ends, and takes nothing more', async () => {
    const server = await startEchoServer()
    const idle = await openRaw(server.url)
    const busy = await openRaw(server.url)
    busy.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(1)
    const stopped = server.stop()
    const received = await busy.ended
    expect(statusesIn(received)).toEqual([200])
    expect(received).toMatch(/^connection: close\r$/im)
    expect(await stopped).toBe(0)
    expect(await idle.ended).toBe('')
    await expect(openRaw(server.url)).rejects.toThrow('ECONNREFUSED')
  })

  test('does not wait forever, and says how many it cut off', async () => {
    const server = await startEchoServer({ limits: { stopWithinMs: 100 } })
    const connection = await openRaw(server.url)
    connection.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(1)
    expect(await server.stopWithoutRelease()).toBe(1)
    expect(await connection.ended).toBe('')
  })
})

test('a port that is taken is named', async () => {
  const server = await start()
  const port = Number(new URL(server.url).port)
  await expect(startEchoServer({ port })).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set PORT or HOST.`,
  )
})

describe('connections that say little', () => {
  const trickle = (url: string, from: string) => {
    const socket = connect({
      port: Number(new URL(url).port),
      host: '127.0.0.1',
      localAddress: from,
    }).on('error', () => {})
    socket.write('GET /facts HTTP/1.1\r\nhost: a\r\n')
    return socket
  }
  const openOnes = (sockets: readonly { destroyed: boolean }[]) =>
    sockets.filter(({ destroyed }) => !destroyed).length

  /** Keeps so many sockets of one address trickling while others ask. @returns what the others were answered, and how many were left */
  const besiege = async (server: EchoServer, from: string) => {
    const besiegers: ReturnType<typeof trickle>[] = []
    const besiege = (): void => {
      while (openOnes(besiegers) < 820) besiegers.push(trickle(server.url, from))
      for (const each of besiegers) each.write('x: y\r\n')
    }
    besiege()
    const siege = setInterval(besiege, 50)
    onTestFinished(() => {
      clearInterval(siege)
      for (const each of besiegers) each.destroy()
    })
    const answers: number[][] = []
    const startedAt = Date.now()
    while (answers.length < 30 || Date.now() - startedAt < 2500) {
      const received = await exchange(server.url, get('/facts')).catch(() => '')
      answers.push(statusesIn(received))
    }
    clearInterval(siege)
    return { answers, besiegers, seconds: (Date.now() - startedAt) / 1000 }
  }

  test.each(['none', 'private'] as const)(
    '820 trickling ones of one address leave those of another unharmed (TRUST_PROXY=%s)',
    async (trustProxy) => {
      const server = await start({ trustProxy })
      const { answers, besiegers, seconds } = await besiege(server, '127.0.0.2')
      expect(answers.filter((statuses) => statuses[0] !== 200)).toEqual([])
      await expect.poll(() => openOnes(besiegers)).toBeLessThanOrEqual(48)
      const dropped = server.lines.filter(({ event }) => event === 'dropped')
      expect(dropped.length).toBeLessThan(seconds + 8)
      expect(dropped[0]).toMatchObject({ level: 'warn', transport: 'web', count: 1 })
    },
    120_000,
  )

  test('this test finds a server without a limit per peer', async () => {
    const server = await start({ limits: { waitingPerPeerMax: 9999 } })
    const besiegers = Array.from({ length: 100 }, () => trickle(server.url, '127.0.0.2'))
    onTestFinished(() => void besiegers.map((each) => each.destroy()))
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(openOnes(besiegers)).toBe(100)
  }, 60_000)

  test('a proxy keeps as many as it likes for later, a client a few dozen', async () => {
    for (const [trustProxy, left] of [
      ['private', 60],
      ['none', 48],
    ] as const) {
      const server = await start({ trustProxy })
      const connections = await Promise.all(Array.from({ length: 60 }, () => openRaw(server.url)))
      let isOpen = connections.length
      for (const connection of connections) {
        void connection.ended.then(() => isOpen--)
        connection.write('GET /facts HTTP/1.1\r\nhost: a\r\n\r\n')
        await connection.until(/200 OK/)
      }
      if (left < 60) await expect.poll(() => isOpen).toBe(left)
      else await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(isOpen).toBe(left)
    }
  }, 60_000)

  test('none is let go while a request of it is worked on', async () => {
    const server = await start({ trustProxy: 'none', limits: { waitingPerPeerMax: 1 } })
    const busy = await openRaw(server.url)
    busy.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(1)
    const idle = await Promise.all([openRaw(server.url), openRaw(server.url)])
    await Promise.race(idle.map(({ ended }) => ended))
    server.release()
    await busy.until(/200 OK/)
  })

  test('beyond the limit of all, who waits longest goes, and nobody else', async () => {
    const server = await start({ limits: { connectionsMax: 2 } })
    const first = await openRaw(server.url)
    const second = await openRaw(server.url)
    second.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(1)
    const third = await openRaw(server.url)
    expect(await first.ended).toBe('')
    third.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n')
    await expect.poll(() => server.held()).toBe(2)
    const fourth = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {})
    await new Promise((resolve) => fourth.once('close', resolve))
    server.release()
    await second.until(/200 OK/)
    await third.until(/200 OK/)
  })
})
