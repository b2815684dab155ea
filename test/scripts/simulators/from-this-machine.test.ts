import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../../../scripts/local/gateway.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../scripts/simulators/planetscale/sqlite-engine.ts'
import {
  type OfflineWeChat,
  startOfflineWeChat,
} from '../../../scripts/simulators/wechat/server.ts'

let weChat: OfflineWeChat
let planetScale: OfflinePlanetScale
let gateway: Gateway
/** How often the function behind the gateway was called. */
let invocations = 0
beforeAll(async () => {
  weChat = await startOfflineWeChat({ appid: 'wx0123456789abcdef', secret: 'a'.repeat(32) })
  planetScale = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  const answering = {
    async invoke() {
      invocations++
      const result = { statusCode: 200, headers: {}, body: '{}' }
      return { ok: true as const, result, requestId: 'request-1', durationMs: 1 }
    },
  }
  gateway = await startGateway({ port: 0, profile: 'function-url', route: () => answering })
})
afterAll(() => Promise.all([weChat.close(), planetScale.close(), gateway.close()]))

/** A request as a page in a browser would send it; `fetch` of Node would not let these headers through. */
function sent(address: string, headers: Record<string, string>) {
  const { origin, username, password } = new URL(address)
  const path = origin === weChat.url ? '/sim/faults' : '/score'
  const auth = username === '' ? {} : { auth: `${username}:${password}` }
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(
      `${origin}${path}`,
      { method: 'DELETE', headers, ...auth },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe.each([
  ['the offline WeChat', () => weChat.url],
  ['the offline PlanetScale', () => planetScale.url],
  ['the local gateway', () => gateway.url],
])('%s', (_name, url) => {
  test.each([
    { host: 'rebound.example.com' },
    { host: '127.0.0.1.example.com:3000' },
    { host: 'localhost.example.com' },
    { host: '192.168.1.7:3000' },
    { origin: 'https://example.com' },
    { origin: 'http://localhost.example.com' },
    { origin: 'null' },
    { host: 'localhost', origin: 'https://example.com' },
  ])('does nothing for a page elsewhere, which sends %j', async (headers) => {
    const before = invocations
    const { status, text } = await sent(url(), headers as Record<string, string>)
    expect(status).toBe(403)
    expect(text).toContain('with an Origin of this machine or none')
    expect(invocations).toBe(before)
  })

  test.each([
    {},
    { host: 'localhost:3000' },
    { host: 'LOCALHOST:3000' },
    { host: '127.0.0.1' },
    { host: '[::1]:3000' },
    { origin: 'http://127.0.0.1:28080' },
    { origin: 'http://localhost:8080' },
  ])('answers curl and the DevTools, which send %j', async (headers) => {
    const { status } = await sent(url(), headers as Record<string, string>)
    // The offline PlanetScale has one path, and this is none of its.
    expect(status).toBe(url() === planetScale.url ? 404 : 200)
  })
})
