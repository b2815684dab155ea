import { describe, expect, test } from 'vitest'
import { createDocumentationPage } from '../../../scripts/openapi/page.ts'

const { answer } = createDocumentationPage()

describe('the page at /docs', () => {
  test.each([
    ['/docs', 'text/html; charset=utf-8'],
    ['/docs/', 'text/html; charset=utf-8'],
    ['/docs?x=1', 'text/html; charset=utf-8'],
    ['/docs/start.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
    ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
    ['/docs/favicon-32x32.png', 'image/png'],
    ['/docs/openapi.json', 'application/json'],
  ])('%s is there, and lets nothing in from outside', async (url, type) => {
    const reply = await answer({ method: 'GET', url })
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': type } })
    expect(reply?.headers['content-security-policy']).toMatch(/^default-src 'none';/)
    expect(reply?.headers['content-security-policy']).not.toMatch(/unsafe|https?:|\*/)
    expect(reply?.body.length).toBeGreaterThan(100)
  })

  test.each([
    '/',
    '/docs2',
    '/score',
    '/docs/package.json',
    '/docs/../package.json',
    '/docs/%2e%2e',
    '/xyzz/openapi.json',
  ])('%s is none of it', async (url) => {
    expect(await answer({ method: 'GET', url })).toBeUndefined()
  })

  test('is read with GET and HEAD alone', async () => {
    expect(await answer({ method: 'HEAD', url: '/docs' })).toMatchObject({ status: 200 })
    expect(await answer({ method: 'POST', url: '/docs' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  })
})
