import { request } from 'node:http'
import { expect, test } from 'vitest'
import { started } from './started.ts'

/** With headers that fetch would not let through. */
function seen(url: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    outgoing.on('error', reject).end()
  })
}

test('the page and its files are there, under a policy that lets nothing else in', async () => {
  const { wechat } = await started()
  const home = await fetch(`${wechat.url}/`)
  const html = await home.text()
  expect(home.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(home.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
  )
  const files = [...html.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)].map(([, path]) => path)
  expect(files).toHaveLength(4)
  for (const path of files) {
    const file = await fetch(`${wechat.url}${path}`)
    expect([path, file.status, file.headers.get('x-content-type-options')]).toEqual([
      path,
      200,
      'nosniff',
    ])
  }
  // The page is not part of what was asked of WeChat.
  expect(wechat.requests()).toEqual([])
})

test.each([
  { host: 'rebound.example.com' },
  { host: 'api.weixin.qq.com' },
  { origin: 'https://example.com' },
])('neither the page nor the state is for a browser elsewhere, which sends %j', async (headers) => {
  const { wechat } = await started()
  for (const path of ['/', '/page/page.js', '/sim/state']) {
    const { status, text } = await seen(wechat.url, path, headers as Record<string, string>)
    expect([path, status]).toEqual([path, 403])
    expect(text).toContain('Only a Host of this machine')
  }
})

test('what GET /sim/state tells holds no secret, token or key', async () => {
  const { wechat, exchange, token, get } = await started()
  const { code } = wechat.issueCode({})
  const { session_key } = await exchange(code)
  const hidden = [String(session_key), await token(), 'secret-of-the-tests']
  const state = JSON.stringify(await get('/sim/state'))
  for (const each of hidden) expect(state).not.toContain(each)
  // Codes are there to be used.
  expect(state).toContain(code)
})
