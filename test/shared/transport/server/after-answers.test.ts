import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { summary } from '../../../../functions/query-scores/summary.ts'
import { migrate, readMigrations } from '../../../../scripts/database/migrations.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'
import type { Db } from '../../../../shared/store/db.ts'
import { countLimits, foldAccount } from '../../../../shared/store/folds.ts'
import { lastIdAt } from '../../../../shared/store/id-range.ts'
import { serve } from '../../../../shared/transport/serve.ts'
import { createAfterAnswers } from '../../../../shared/transport/server/after-answers.ts'
import { serveWeb, type WebServer } from '../../../../shared/transport/server/web.ts'
import { part, ratings } from '../../../../shared/wiring/compose.ts'
import { DATABASE_BUDGET_MS, openDb } from '../../../../shared/wiring/database.ts'
import { openAuthority } from '../../../support/open-authority.ts'
import { insertRatings } from '../../../support/stored-rating.ts'

const ACCOUNT = '13800138000'
const LONG_AGO_MS = Date.UTC(2024, 5, 1)

describe('a summary that leaves an account to be folded', () => {
  let planetScale: OfflinePlanetScale
  let db: Db
  let servers = 0
  beforeAll(async () => {
    planetScale = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
    db = await openDb(planetScale.url)
    await migrate(db, { migrations: await readMigrations() })
    await insertRatings(db, ACCOUNT, { count: 2 * (countLimits.tailMax + 1), fromMs: LONG_AGO_MS })
    await foldAccount(db, ACCOUNT, Date.now())
  })
  afterAll(async () => {
    await db?.close()
    await planetScale?.close()
  })

  /** As after a rebuild: the mark stands before the first rating. */
  const nothingFolded = JSON.stringify({
    count: 0,
    grades: { grade1: {}, grade2: {}, grade3: {} },
  })
  beforeEach(async () => {
    planetScale.faults.clear()
    await db.query('update rating_folds set folded_through = ?, counts = ? where acc_nbr = ?', [
      lastIdAt(0),
      nothingFolded,
      ACCOUNT,
    ])
  })
  const isFolded = async (): Promise<boolean> => {
    const { rows } = await db.query('select counts from rating_folds where acc_nbr = ?', [ACCOUNT])
    return rows[0]?.counts !== nothingFolded
  }

  const handlerOf = () => {
    const userId = uuidV7()
    return serve({
      functionName: 'query-scores',
      endpoints: [summary],
      parts: {
        ...openAuthority,
        tokens: part([], () => ({ verify: async () => ({ userId, sessionId: uuidV7() }) })),
        sessions: part([], () => ({
          check: async () => ({ userId, sessionId: uuidV7(), openid: 'oOperator', phone: null }),
          unchecked: (claims) => ({ ...claims, proofHash: null }),
        })),
        operators: part([], () => new Set([userId])),
        audit: part([], () => ({ record: async () => {} })),
        ratings,
      },
      // A set of connections of its own for each.
      env: { DATABASE_URL: planetScale.url, DATABASE_CONNECTIONS: `${4 + servers++}` },
      log: { write: () => {} },
    }).http
  }
  const serveHere = (): Promise<WebServer> =>
    serveWeb(handlerOf(), { host: '127.0.0.1', port: 0, log: { write: () => {} } })
  const ask = async (server: WebServer) => {
    const response = await fetch(`${server.url}/query/summary`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'JWT x' },
      body: JSON.stringify({ acc_nbr: ACCOUNT }),
    })
    const { count } = (await response.json()) as { count: number }
    return { status: response.status, count }
  }
  const exact = { status: 200, count: 2 * (countLimits.tailMax + 1) }

  test('is answered by a server while the fold gets no answer, and the next one folds it', async () => {
    const server = await serveHere()
    planetScale.faults.add({ kind: 'hang', match: '^update rating_folds' })
    const startedAt = performance.now()
    expect(await ask(server)).toEqual(exact)
    expect(performance.now() - startedAt).toBeLessThan(DATABASE_BUDGET_MS)
    await expect.poll(() => planetScale.faults.left).toBe(0)
    expect(await isFolded()).toBe(false)
    expect(await ask(server)).toEqual(exact)
    await expect.poll(isFolded).toBe(true)
    expect(await ask(server)).toEqual(exact)
    await server.stop()
  })

  test('has been folded when a server that was told to stop has stopped', async () => {
    const server = await serveHere()
    planetScale.faults.add({ kind: 'slow', match: '^update rating_folds', delayMs: 300 })
    expect(await ask(server)).toEqual(exact)
    await server.stop()
    expect(await isFolded()).toBe(true)
  })

  test('does not keep a server from stopping in time', async () => {
    const server = await serveWeb(handlerOf(), {
      host: '127.0.0.1',
      port: 0,
      log: { write: () => {} },
      limits: { stopWithinMs: 200 },
    })
    planetScale.faults.add({ kind: 'hang', match: '^update rating_folds' })
    expect(await ask(server)).toEqual(exact)
    const startedAt = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(DATABASE_BUDGET_MS)
  })

  test('has been folded when an event function answers, which is stopped as soon as it has', async () => {
    const reply = await handlerOf()({
      httpMethod: 'POST',
      path: '/query/summary',
      headers: { 'content-type': 'application/json', authorization: 'JWT x' },
      body: JSON.stringify({ acc_nbr: ACCOUNT }),
    })
    expect(reply.statusCode).toBe(200)
    expect(await isFolded()).toBe(true)
  })
})

describe('work after answers', () => {
  test('is done one at a time, in order, whether or not some of it fails', async () => {
    const after = createAfterAnswers()
    const done: number[] = []
    let atOnce = 0
    for (const index of [1, 2, 3, 4]) {
      after.add(async () => {
        expect(++atOnce).toBe(1)
        await new Promise(setImmediate)
        atOnce--
        if (index === 2) throw new Error('failed')
        done.push(index)
      })
    }
    await expect.poll(() => done).toEqual([1, 3, 4])
  })

  test('is let go when there is too much of it, and at the end but for what is under way', async () => {
    const after = createAfterAnswers()
    const done: number[] = []
    let release: () => void = () => {}
    after.add(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      done.push(0)
    })
    for (let index = 1; index <= 100; index++) after.add(async () => void done.push(index))
    release()
    await expect.poll(() => done.length).toBe(51)
    after.add(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      done.push(1000)
    })
    after.add(async () => void done.push(1001))
    const ended = after.end()
    release()
    await ended
    expect(done.slice(51)).toEqual([1000])
  })
})
