import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClientReply, ClientRequest } from '../../../scripts/local/events.ts'
import type { FunctionProcess } from '../../../scripts/local/function-process.ts'
import { startGateway } from '../../../scripts/local/gateway.ts'
import { type LocalFunctions, localFunctions } from '../../support/local-functions.ts'

let functions: LocalFunctions
let web: FunctionProcess
const lines: string[] = []
beforeAll(async () => {
  functions = await localFunctions()
  web = functions.start({
    type: 'web',
    file: functions.file('web'),
    memoryMegabytes: 256,
    timeoutMs: 1000,
    onPlatformLine: (line) => lines.push(line),
  })
})
afterAll(() => functions?.close())

function request(changes: Partial<ClientRequest> = {}): ClientRequest {
  const headers = { 'content-type': 'text/plain', 'x-forwarded-for': '1.1.1.1' }
  const base = { method: 'POST', url: '/a?b=c', headers, body: Buffer.from('汉') }
  return { ...base, clientIp: '9.8.7.6', ...changes }
}

test('a Web function is a program that is reached over HTTP, with the platform’s headers', async () => {
  const invocation = await web.invoke(request())
  const { status, headers, body } = (invocation.ok ? invocation.result : {}) as ClientReply
  expect(status).toBe(200)
  expect(headers['x-own']).toBe('a, b')
  const seen = JSON.parse(body.toString())
  expect(seen).toMatchObject({ method: 'POST', url: '/a?b=c', body: '汉', home: '/home/qcloud' })
  expect(seen.headers).toMatchObject({
    'x-scf-request-id': invocation.requestId,
    'x-scf-memory': '256',
    'x-scf-timeout': '1',
    'x-scf-name': 'test',
    'x-forwarded-for': '1.1.1.1, 9.8.7.6, 11.163.17.81, 10.132.167.112',
  })
  expect(lines.some((line) => line.startsWith('Init Report'))).toBe(true)
  // Of what the platform keeps for itself nothing comes through.
  expect(headers).not.toHaveProperty('x-scf-secret-key')
  expect(headers).not.toHaveProperty('connection')
})

test('it is reached through the gateway like the others', async () => {
  const target = { type: 'web', invoke: (event: unknown) => web.invoke(event) } as const
  const gateway = await startGateway({ port: 0, profile: 'function-url', route: () => target })
  const answer = await fetch(`${gateway.url}/some/path`, { method: 'PUT', body: 'x' })
  await gateway.close()
  expect(await answer.json()).toMatchObject({ method: 'PUT', url: '/some/path', body: 'x' })
})

test.each([
  ['ends', '/exit', 439],
  ['does not answer', '/hang', 433],
  ['sends more than 4 KB of headers', '/headers', 430],
])('one that %s fails, and the next request gets a new program', async (_title, url, status) => {
  expect(await web.invoke(request({ url }))).toMatchObject({ error: { statusCode: status } })
  expect(await web.invoke(request())).toMatchObject({ ok: true })
})

test('a body of more than 6 MB is refused', async () => {
  const body = Buffer.alloc(6 * 1024 * 1024 + 1)
  expect(await web.invoke(request({ body }))).toMatchObject({ error: { statusCode: 406 } })
})

test('a program that never listens is given up', async () => {
  const deaf = functions.start({ type: 'web', file: functions.file('deaf'), initTimeoutMs: 500 })
  expect(await deaf.invoke(request())).toMatchObject({ error: { statusCode: 446 } })
})
