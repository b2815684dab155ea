import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, startGateway } from '../../scripts/local/gateway.ts'
import { readEndpoints } from '../../scripts/openapi/endpoints.ts'
import { createDocumentationPage } from '../../scripts/openapi/page.ts'
import { ratingForm } from '../../shared/domain/form.ts'
import { type Chromium, chromiumPath, type PhonePage, startChromium } from '../support/chromium.ts'
import {
  type InProcessFunctions,
  startInProcessFunctions,
} from '../support/in-process-functions.ts'

if (!chromiumPath) console.log('No Chromium on this machine: the tests of /docs are skipped.')

describe.skipIf(!chromiumPath)('the API’s description at /docs', () => {
  let functions: InProcessFunctions
  let gateway: Gateway
  let chromium: Chromium
  let page: PhonePage
  beforeAll(async () => {
    ;[functions, chromium] = await Promise.all([startInProcessFunctions(), startChromium()])
    page = chromium.page
    gateway = await startGateway({
      port: 0,
      profile: 'function-url',
      route: (path) => ({
        invoke: async () => {
          const { status, headers, body } = await functions.ask(`GET ${path}` as const)
          const result = { statusCode: status, headers, body: JSON.stringify(body) }
          return { ok: true, result, requestId: '', durationMs: 0 }
        },
      }),
      pages: [createDocumentationPage()],
    })
    await page.resize(1200)
    await page.open(`${gateway.url}/docs`)
    await page.until('document.querySelectorAll(".opblock").length > 0')
  })
  afterAll(async () => {
    await chromium?.close()
    await gateway?.close()
    await functions?.close()
  })

  const text = (expression: string) => page.evaluate<string>(`${expression}.innerText`)

  test('shows every route', async () => {
    const shown = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.opblock-summary')].map((each) =>
        each.querySelector('.opblock-summary-method').innerText + ' ' +
        each.querySelector('[data-path]').dataset.path)`,
    )
    const routes = (await readEndpoints()).map(({ endpoint }) => endpoint.route)
    expect(shown.sort()).toEqual([...routes].sort())
    expect(await text('document.querySelector(".info")')).toContain('application/problem+json')
  })

  test('lets a route be tried on the functions behind it', async () => {
    await page.tap('[id$=readForm] .opblock-summary-control')
    await page.tap('[id$=readForm] .try-out__btn')
    await page.tap('[id$=readForm] .execute')
    await page.until('document.querySelector("[id$=readForm] .live-responses-table .microlight")')
    const answer = await text('document.querySelector("[id$=readForm] .live-responses-table")')
    expect(answer).toContain('200')
    expect(answer).toContain(ratingForm.account.label)
  })

  test('asks nobody else, and does nothing that its policy forbids', async () => {
    const asked = await page.evaluate<string[]>(
      'performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin)',
    )
    expect(asked.length).toBeGreaterThan(4)
    expect([...new Set(asked)]).toEqual([gateway.url])
    // A picture from elsewhere is the last thing forbidden, and shows that such things are seen.
    const forbidden = await page.evaluate<string[]>(`new Promise((resolve) => {
      const seen = []
      new ReportingObserver((reports) => {
        seen.push(...reports.map(({ body }) => body.effectiveDirective + ' ' + body.blockedURL))
        if (seen.at(-1).includes('elsewhere')) resolve(seen)
      }, { types: ['csp-violation'], buffered: true }).observe()
      new Image().src = 'https://elsewhere.invalid/picture.png'
    })`)
    expect(forbidden).toEqual(['img-src https://elsewhere.invalid/picture.png'])
    expect(page.errors()).toEqual([])
  })
})
