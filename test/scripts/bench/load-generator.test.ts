import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { generateLoad, requestBytes } from '../../../scripts/bench/load-generator.ts'
import { listen } from '../../../shared/transport/server/listen.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Puts a server under load for a moment. */
async function loadOn(answer: RequestListener) {
  let connections = 0
  let served = 0
  const server = createServer((request, response) => {
    served++
    request.resume().on('end', () => answer(request, response))
  })
  server.on('connection', () => connections++)
  closers.push(() => server.close())
  closers.push(() => server.closeAllConnections())
  const { url } = await listen(server, { port: 0 })
  const requests = ['a', 'b'].map((acc_nbr) => requestBytes('POST /query', { acc_nbr }, 'token'))
  const load = { url, requests, status: 200, connections: 3, durationMs: 100 }
  return { ...(await generateLoad(load)), connections: () => connections, served: () => served }
}

const whole = { 'content-length': 2 }

describe('the load generator', () => {
  test('keeps its connections, and counts what was answered on them', async () => {
    const result = await loadOn((_, response) => response.writeHead(200, whole).end('ok'))
    expect(result.connections()).toBe(3)
    expect(result.answered).toBe(result.served())
    expect(result.refused).toBe(0)
    expect(result.answeredBytes).toBeGreaterThan(result.answered * 100)
  })

  test('connects anew where a server closes after each answer', async () => {
    const headers = { ...whole, connection: 'close' }
    const result = await loadOn((_, response) => response.writeHead(200, headers).end('ok'))
    expect(result.answered).toBe(result.served())
    expect(result.connections()).toBe(result.served())
  })

  test('does not count as answered what a server that is too busy turns away', async () => {
    let isBusy = true
    const result = await loadOn((_, response) => {
      isBusy = !isBusy
      response.writeHead(isBusy ? 503 : 200, whole).end('ok')
    })
    expect(result.answered).toBe(Math.ceil(result.served() / 2))
    expect(result.refused).toBe(Math.floor(result.served() / 2))
  })

  test.each([
    ['any other answer', (_, response) => response.writeHead(401, whole).end('no'), 'not 200'],
    ['a connection that breaks', (request) => request.socket.destroy(), 'closed a connection'],
    ['nothing but refusals', (_, response) => response.writeHead(503, whole).end('no'), 'turned'],
  ] as [string, RequestListener, string][])('fails on %s', async (_what, answer, sentence) => {
    await expect(loadOn(answer)).rejects.toThrow(sentence)
  })
})
