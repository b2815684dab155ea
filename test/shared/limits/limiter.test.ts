import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLimiter, type LimiterOptions } from '../../../shared/limits/limiter.ts'
import type { CounterStore } from '../../../shared/ports.ts'
import { Problem } from '../../../shared/problem.ts'
import { DbError } from '../../../shared/store/db.ts'
import { rating } from '../../support/ratings.ts'
import { startWorld, type World } from '../../support/world.ts'

/** Counts as the store does; the contract holds the real one to the same. */
function counting(): CounterStore & { statements: number; keys: Set<string> } {
  const used = new Map<string, number>()
  return {
    statements: 0,
    keys: new Set(),
    async increment(key, { lengthMs, atMs }, by = 1) {
      this.statements++
      this.keys.add(key)
      const slot = `${key} ${atMs - (atMs % lengthMs)}`
      used.set(slot, (used.get(slot) ?? 0) + by)
      return used.get(slot) ?? 0
    },
    decrement: async () => {},
  }
}

const down: CounterStore = {
  increment: () => Promise.reject(new DbError('unreachable', { outcome: 'none' })),
  decrement: () => Promise.resolve(),
}

const limits = {
  user: { requests: 120, windowMs: 60_000 },
  address: { requests: 60, windowMs: 60_000 },
}
let nowMs = 1_800_000_000_000
function limiterOn(counters: CounterStore, changes: Partial<LimiterOptions> = {}) {
  return createLimiter({ counters, ...limits, now: () => nowMs, random: Math.random, ...changes })
}
function isAdmitted(admission: Promise<void>): Promise<boolean> {
  return admission.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Problem && error.code === 'too-many-requests') return false
      throw error
    },
  )
}

describe('limits over several instances', () => {
  test.each(['user', 'address'] as const)(
    'one %s at ten times the limit gets at most a tenth more than the limit, and others are not touched',
    async (kind) => {
      const counters = counting()
      const instances = [limiterOn(counters), limiterOn(counters), limiterOn(counters)]
      let admitted = 0
      let honestRefused = 0
      const limit = limits[kind].requests
      for (let index = 0; index < limit * 10; index++) {
        const instance = instances[index % 3] as (typeof instances)[0]
        if (await isAdmitted(instance.admit({ kind, id: 'greedy', route: 'POST /score' })))
          admitted++
        const honest = { kind, id: `honest ${index % 500}`, route: 'POST /score' }
        if (!(await isAdmitted(instance.admit(honest)))) honestRefused++
      }
      expect(admitted).toBeGreaterThanOrEqual(limit * 0.9)
      expect(admitted).toBeLessThanOrEqual(limit * 1.1)
      expect(honestRefused).toBe(0)
    },
  )

  test('instances that live for one request each still add up', async () => {
    const counters = counting()
    for (let index = 0; index < 1200; index++) {
      await isAdmitted(limiterOn(counters).admit({ kind: 'user', id: 'u', route: 'r' }))
    }
    const counted = await counters.increment('u:u:r', { lengthMs: 60_000, atMs: nowMs }, 0)
    expect(counted).toBeGreaterThan(1200 * 0.8)
    expect(counted).toBeLessThan(1200 * 1.2)
  })

  test('a person’s usual requests cost the store little', async () => {
    const counters = counting()
    const limiter = limiterOn(counters, { random: () => 0 })
    for (let index = 0; index < 90; index++)
      await limiter.admit({ kind: 'user', id: 'u', route: 'r' })
    expect(counters.statements).toBe(30)
  })

  test('the next window starts anew, and the refusal says when', async () => {
    nowMs = 1_800_000_000_000 + 15_000
    const limiter = limiterOn(counting())
    const admission = () => limiter.admit({ kind: 'address', id: '1.2.3.4', route: 'POST /login' })
    for (let index = 0; index < 60; index++) await admission()
    const refusal = await admission().catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'too-many-requests', details: { retryAfterSeconds: 45 } })
    nowMs += 45_000
    expect(await isAdmitted(admission())).toBe(true)
  })

  test('addresses are stored as digests', async () => {
    const counters = counting()
    await limiterOn(counters).admit({ kind: 'address', id: '140.248.50.98', route: 'POST /login' })
    expect([...counters.keys][0]).toMatch(/^a:[\w-]{22}:POST \/login$/)
  })

  test('with the store down nobody logs in, but whoever is logged in is not refused for that', async () => {
    const limiter = limiterOn(down, { random: () => 0.99 })
    await expect(limiter.admit({ kind: 'address', id: 'a', route: 'r' })).rejects.toThrow(DbError)
    expect(await isAdmitted(limiter.admit({ kind: 'user', id: 'u', route: 'r' }))).toBe(true)
  })

  test('a limiter that counts per instance only is found by the first test’s measure', async () => {
    const instances = [1, 2, 3].map(() => limiterOn(counting()))
    let admitted = 0
    for (let index = 0; index < 1200; index++) {
      const instance = instances[index % 3] as (typeof instances)[0]
      if (await isAdmitted(instance.admit({ kind: 'user', id: 'u', route: 'r' }))) admitted++
    }
    expect(admitted).toBeGreaterThan(120 * 1.1)
  })
})

describe('limits as a client sees them', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ environment: { LIMITS: 'user:5/3600,address:4/3600' } })
  })
  afterAll(() => world?.close())

  test('the sixth submission of a person is 429 with Retry-After; reading still works', async () => {
    const { token } = await world.logIn()
    const submit = () => world.call('POST /score', { token, body: rating() })
    for (let index = 0; index < 5; index++) expect((await submit()).status).toBe(201)
    const refused = await submit()
    expect(refused).toMatchObject({
      status: 429,
      body: { code: 'too-many-requests', retry: 'later' },
    })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await world.call('GET /score', { token })).status).toBe(200)
  })

  test('the fifth login from one address is 429 before WeChat is asked; another address is not', async () => {
    const logIn = async (address: string) => {
      const { code } = await world.code()
      const headers = { 'x-forwarded-for': `1.1.1.1, ${address}, 11.0.0.1` }
      return (await world.call('POST /login', { body: { code }, headers })).status
    }
    const statuses = []
    for (let index = 0; index < 5; index++) statuses.push(await logIn('140.248.50.98'))
    expect(statuses).toEqual([200, 200, 200, 200, 429])
    const before = world.wechat.requests().length
    expect(await logIn('140.248.50.98')).toBe(429)
    expect(world.wechat.requests()).toHaveLength(before)
    expect(await logIn('140.248.50.99')).toBe(200)
  })
})
