import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ownScores } from '../../../functions/query-scores/own-scores.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { ownRatings, part, sessionCheck } from '../../../shared/wiring/compose.ts'
import { openDb } from '../../../shared/wiring/database.ts'
import { openAuthority } from '../../support/open-authority.ts'

/** A database that accepts connections and never says a word. */
const sockets = new Set<Socket>()
const hanging = createServer((socket) => sockets.add(socket.on('error', () => {})))
let port: number
beforeAll(async () => {
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  port = (hanging.address() as AddressInfo).port
  // Loading a driver is no part of what is measured.
  for (const url of ['mysql://u:p@h/d', 'https://u:p@h']) await (await openDb(url)).close()
})
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  hanging.close()
})

/** Requests at once in one process, by the milliseconds each has left; what each got and when. */
function askAtOnce(databaseUrl: string, remaining: readonly number[]) {
  const handler = serve({
    functionName: 'query-scores',
    parts: {
      ...openAuthority,
      tokens: part([], () => ({ verify: async () => ({ userId: someone, sessionId: someone }) })),
      sessions: sessionCheck,
      ownRatings,
    },
    endpoints: [ownScores],
    env: { DATABASE_URL: databaseUrl, DATABASE_CONNECTIONS: '4' },
    log: { write: () => {} },
  })
  const event = { httpMethod: 'GET', path: '/score', headers: { authorization: 'Bearer x' } }
  return Promise.all(
    remaining.map(async (remainingMs) => {
      const startedAtMs = performance.now()
      const { statusCode } = await handler.http(event, { time_limit_in_ms: remainingMs })
      return { statusCode, tookMs: performance.now() - startedAtMs }
    }),
  )
}
const someone = '0198c0de-0000-7000-8000-000000000001'

describe('with several requests at once, and a database that hangs', () => {
  test.concurrent.each([
    ['MySQL', 'mysql://u:p@127.0.0.1:PORT/db'],
    ['PlanetScale', 'http://u:p@127.0.0.1:PORT'],
  ])('over %s each gives up within its own time, whoever came last', async (_door, address) => {
    const url = address.replace('PORT', String(port))
    const [shortLast, longLast] = await Promise.all([
      askAtOnce(url, [10_000, 500]),
      askAtOnce(url, [500, 10_000]),
    ])
    for (const [long, short] of [shortLast, longLast.reverse()]) {
      expect([long?.statusCode, short?.statusCode]).toEqual([503, 503])
      expect(short?.tookMs).toBeLessThan(2000)
      // A statement's budget is three seconds, however much more there is.
      expect(long?.tookMs).toBeGreaterThan(2500)
    }
  })
})
