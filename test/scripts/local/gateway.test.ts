import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../../../scripts/local/gateway.ts'

const json = { 'content-type': 'application/json' }
const replies: Record<string, unknown> = {
  '/json': { statusCode: 200, headers: json, body: '{"a":1}' },
  '/lines': { statusCode: 200, headers: { 'content-type': 'text/plain' }, body: 'a\n' },
  '/empty': { statusCode: 204, headers: json, body: '' },
  '/image': { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'x' },
  '/zipped': { statusCode: 200, headers: { ...json, 'content-encoding': 'br' }, body: 'x' },
  '/wrong': { statusCode: '200', body: 'x' },
}

let gateway: Gateway
beforeAll(async () => {
  gateway = await startGateway({
    port: 0,
    profile: 'function-url',
    route: (path) => ({
      invoke: async () => ({ ok: true, result: replies[path], requestId: '1', durationMs: 1 }),
    }),
  })
})
afterAll(() => gateway?.close())

async function bodyOf(path: string, userAgent: string): Promise<string> {
  const answer = await fetch(`${gateway.url}${path}`, { headers: { 'user-agent': userAgent } })
  return Buffer.from(await answer.arrayBuffer()).toString()
}

test.each(['curl/8.5.0', 'Wget/1.21', 'HTTPie/3.2', 'xh/0.22'])(
  'text for %s ends with a newline, so that the prompt stands on its own line',
  async (userAgent) => {
    expect(await bodyOf('/json', userAgent)).toBe('{"a":1}\n')
    expect(await bodyOf('/lines', userAgent)).toBe('a\n')
    expect(await bodyOf('/empty', userAgent)).toBe('')
    expect(await bodyOf('/image', userAgent)).toBe('x')
  },
)

test('for everybody else the body is what the platform sends, byte for byte', async () => {
  expect(await bodyOf('/json', 'Mozilla/5.0 MicroMessenger/8.0 curl/1')).toBe('{"a":1}')
  expect(await bodyOf('/json', 'node')).toBe('{"a":1}')
})

test('a reply in the wrong shape is refused as the platform refuses it', async () => {
  const answer = await fetch(`${gateway.url}/wrong`)
  expect(answer.status).toBe(502)
  expect(await answer.json()).toMatchObject({ errno: 403 })
})
