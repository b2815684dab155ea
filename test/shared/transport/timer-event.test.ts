import { expect, test } from 'vitest'
import type { LogEvent } from '../../../shared/ports.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { timersOf } from '../../../shared/transport/timer-event.ts'
import { everyFunction } from '../../../shared/wiring/compose.ts'
import { soundVariables } from '../../support/serverless-project.ts'

/** As the platform makes it (cloud.tencent.com/document/product/583/9708). */
const nightly = {
  Type: 'Timer',
  TriggerName: 'nightly',
  Time: '2026-02-21T11:49:00Z',
  Message: '',
}

function functionWith(
  work: () => Promise<unknown>,
  env: Record<string, string> = soundVariables(),
) {
  const lines: LogEvent[] = []
  const handler = serve({
    functionName: 'sweep',
    parts: everyFunction,
    endpoints: [],
    timers: timersOf({
      nightly: async ({ allowedOrigins }) => {
        expect(allowedOrigins).toEqual([])
        await work()
      },
    }),
    env,
    log: { write: (line) => void lines.push({ ...line }) },
  })
  return { handler, lines }
}

test('a timer that the function has does its work with what the function needs', async () => {
  let runs = 0
  const { handler, lines } = functionWith(async () => {
    runs += 1
  })
  const context = { request_id: 'one', time_limit_in_ms: 60_000 }
  await handler(nightly, context)
  expect(runs).toBe(1)
  expect(lines).toMatchObject([{ event: 'timer', level: 'info', route: 'timer nightly' }])
  // A connection that stays open does not keep the invocation running.
  expect(context).toMatchObject({ callbackWaitsForEmptyEventLoop: false })
})

test.each([
  ['of another name', 'weekly'],
  ['named like a method of every object', 'toString'],
  ['named ?', '?'],
  ['without a name', undefined],
])('a timer %s is refused plainly, so that the platform counts a failure', async (_what, name) => {
  const { handler, lines } = functionWith(async () => undefined)
  const refused = handler({ ...nightly, TriggerName: name })
  await expect(refused).rejects.toThrow('No such timer')
  const line = { event: 'timer', level: 'error', code: 'not-found', route: 'timer ?' }
  expect(lines).toMatchObject([line])
})

test('work that fails is a failed invocation, and neither error nor log repeats data', async () => {
  const { handler, lines } = functionWith(async () => {
    throw new Error('13800138000')
  })
  await expect(handler(nightly)).rejects.toThrow('Timer nightly: internal.')
  expect(lines).toMatchObject([{ level: 'error', code: 'internal', cause: expect.any(Error) }])
})

test('with variables that are not acceptable it fails, too', async () => {
  const { handler } = functionWith(async () => undefined, {})
  await expect(handler(nightly)).rejects.toThrow('Timer nightly: misconfigured.')
})

test('what a client sends is never taken for a timer', async () => {
  let runs = 0
  const { handler } = functionWith(async () => {
    runs += 1
  })
  const overUrl = { ...nightly, httpMethod: 'GET', path: '/', headers: {} }
  expect(await handler(overUrl)).toMatchObject({ statusCode: 404 })
  const environment = JSON.stringify({
    WX_OPENID: 'oFunctionCaller0',
    WX_APPID: 'wx0123456789abcdef',
  })
  expect(await handler(nightly, { environment })).toMatchObject({ status: expect.any(Number) })
  expect(runs).toBe(0)
})

test('a function without timers refuses every one', async () => {
  const env = soundVariables()
  const handler = serve({ functionName: 'plain', parts: everyFunction, endpoints: [], env })
  await expect(handler(nightly)).rejects.toThrow('No timer')
})
