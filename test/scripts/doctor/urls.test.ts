import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { form } from '../../../functions/query-scores/form.ts'
import { checkUrls } from '../../../scripts/doctor/urls.ts'
import { selfSignedCertificate } from '../../../scripts/simulators/self-signed-certificate.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { idsOf, wordsOf } from '../../support/doctor-scene.ts'
import { openAuthority } from '../../support/open-authority.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(server: Server, scheme = 'http', host = '127.0.0.1'): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `${scheme}://${host}:${(server.address() as AddressInfo).port}`
}

/** A real handler behind HTTP, its events as a Function URL makes them. */
function functionBehindHttp(env: Record<string, string> = {}, endpoints = [form]): RequestListener {
  const handler = serve({
    functionName: 'query-scores',
    parts: openAuthority,
    endpoints,
    env,
    log: { write: () => undefined },
  })
  return (request, response) => {
    const [path, queryString] = (request.url ?? '/').split('?')
    const event = {
      httpMethod: request.method,
      path,
      queryString,
      headers: request.headers,
      body: '',
    }
    void handler.http(event).then(({ statusCode, headers, body }) => {
      response.writeHead(statusCode, headers as Record<string, string>).end(body)
    })
  }
}

describe('deployed addresses', () => {
  test('a function that gives the form is well, a slash at the end of its address notwithstanding', async () => {
    const url = await listen(createServer(functionBehindHttp()))
    for (const address of [url, `${url}/`]) {
      expect(idsOf(await checkUrls([address]))).toEqual(['ok urls.form', 'warning urls.plain-http'])
    }
  })

  test('a function that does not serve the form is well when it says so in problem+json', async () => {
    const url = await listen(createServer(functionBehindHttp({}, [])))
    expect(idsOf(await checkUrls([url]))).toEqual(['ok urls.form', 'warning urls.plain-http'])
  })

  test('a function that was deployed with wrong variables is told from one that is absent', async () => {
    const url = await listen(createServer(functionBehindHttp({ ALLOWED_ORIGINS: 'nonsense' })))
    const findings = await checkUrls([url])
    expect(idsOf(findings)[0]).toBe('error urls.misconfigured')
    expect(wordsOf(findings)).toContain('serverless logs')
  })

  test.each<[string, RequestListener]>([
    ['a page', (_, response) => void response.setHeader('content-type', 'text/html').end('<p>hi')],
    ['JSON of another kind', (_, response) => void response.end('{"status":"up"}')],
    [
      'the platform’s failure',
      (_, response) => void response.writeHead(502).end('{"errorCode":1}'),
    ],
    ['another address', (_, response) => void response.writeHead(302, { location: '/x' }).end()],
  ])('%s is not taken for the functions', async (_what, listener) => {
    const url = await listen(createServer(listener))
    expect(idsOf(await checkUrls([url]))).toEqual([
      'error urls.form',
      'error urls.problem-json',
      'warning urls.plain-http',
    ])
  })

  test('an unknown path that is not answered with problem+json is found', async () => {
    const real = functionBehindHttp()
    const url = await listen(
      createServer((request, response) =>
        request.url === '/form' ? real(request, response) : void response.writeHead(404).end(),
      ),
    )
    expect(idsOf(await checkUrls([url]))).toContain('error urls.problem-json')
  })

  test('silence, a closed port, an unknown name and what is no address each have their words', async () => {
    const silent = await listen(createServer(() => undefined))
    const [hanging, closed, unknown, nonsense] = await Promise.all([
      checkUrls([silent], { deadlineMs: 150 }),
      checkUrls(['http://127.0.0.1:1']),
      // A label over 63 letters: refused before anybody is asked.
      checkUrls([`https://${'a'.repeat(64)}.invalid`]),
      checkUrls(['ftp://example.com/canary']),
    ])
    expect(wordsOf(hanging ?? [])).toContain('no answer in time')
    expect(wordsOf(closed ?? [])).toContain('the connection is refused')
    expect(wordsOf(unknown ?? [])).toMatch(/DNS/)
    expect(idsOf(nonsense ?? [])).toEqual(['error urls.not-a-url'])
    for (const server of servers) (server as ReturnType<typeof createServer>).closeAllConnections()
  })

  test('all addresses are checked, and none given is said', async () => {
    const url = await listen(createServer(functionBehindHttp()))
    const findings = await checkUrls([url, 'http://127.0.0.1:1'])
    expect(idsOf(findings)).toEqual([
      'ok urls.form',
      'warning urls.plain-http',
      'error urls.unreachable',
    ])
    expect(idsOf(await checkUrls([]))).toEqual(['skipped urls.none'])
  })

  test('user and password in an address are not shown', async () => {
    const url = await listen(createServer(functionBehindHttp()))
    const findings = await checkUrls([url.replace('http://', 'http://someone:canary@')])
    expect(wordsOf(findings)).not.toContain('canary')
  })
})

describe('certificates', () => {
  const { certificate, key } = selfSignedCertificate(['localhost'])
  const secure = (host = 'localhost'): Promise<string> =>
    listen(createHttpsServer({ cert: certificate, key }, functionBehindHttp()), 'https', host)
  const dayMs = 86_400_000

  test('one of nobody known is refused', async () => {
    const findings = await checkUrls([await secure()])
    expect(idsOf(findings)).toEqual(['error urls.unreachable'])
    expect(wordsOf(findings)).toContain('from nobody known')
  })

  test('the days it has left are told, few of them as a warning', async () => {
    const url = await secure()
    const soon = await checkUrls([url], { ca: certificate })
    expect(idsOf(soon)).toEqual(['ok urls.form', 'warning urls.certificate'])
    expect(wordsOf(soon)).toMatch(/还有 [01] 天有效/)
    const now = (): number => Date.now() - 20 * dayMs
    const early = await checkUrls([url], { ca: certificate, now })
    expect(idsOf(early)).toEqual(['ok urls.form', 'ok urls.certificate'])
  })

  test('one for another name is refused', async () => {
    const findings = await checkUrls([await secure('127.0.0.1')], { ca: certificate })
    expect(wordsOf(findings)).toContain('the certificate is for another name')
  })
})
