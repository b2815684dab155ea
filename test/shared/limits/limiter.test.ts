import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { defineEndpoint } from '../../../shared/endpoint.ts'
import { createLimiter, type LimiterOptions } from '../../../shared/limits/limiter.ts'
import type { CounterStore } from '../../../shared/ports.ts'
import { Problem } from '../../../shared/problem.ts'
import { DbError } from '../../../shared/store/db.ts'
import { serve } from '../../../shared/transport/serve.ts'
import { openAuthority } from '../../support/open-authority.ts'
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

/** Counts at once and answers later, as a store does that is some way off. */
function slow(counters: CounterStore, answersAfterMs: number): CounterStore {
  return {
    ...counters,
    async increment(...counted) {
      const count = await counters.increment(...counted)
      await new Promise((resolve) => setTimeout(resolve, answersAfterMs))
      return count
    },
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

  test.each(['user', 'address', 'forwarded'] as const)(
    'a burst of one %s on one server gets at most a twentieth more than the limit',
    async (kind) => {
      const limit = kind === 'forwarded' ? limits.address.requests * 10 : limits[kind].requests
      for (const answersAfterMs of [0, 5]) {
        const limiter = limiterOn(slow(counting(), answersAfterMs))
        const burst = Array.from({ length: limit * 10 }, () =>
          isAdmitted(limiter.admit({ kind, id: 'greedy', route: 'r' })),
        )
        const admitted = (await Promise.all(burst)).filter(Boolean).length
        expect(admitted).toBeGreaterThanOrEqual(limit * 0.95)
        expect(admitted).toBeLessThanOrEqual(limit * 1.05)
      }
    },
  )

  test('a burst on three servers at once gets at most a tenth more, and nobody is refused below the limit', async () => {
    const store = slow(counting(), 2)
    const servers = [1, 2, 3].map(() => limiterOn(store))
    const burst = (requests: number) =>
      Promise.all(
        Array.from({ length: requests }, (_, index) =>
          isAdmitted(
            (servers[index % 3] as (typeof servers)[0]).admit({
              kind: 'address',
              id: 'a',
              route: 'r',
            }),
          ),
        ),
      )
    expect((await burst(54)).every(Boolean)).toBe(true)
    expect((await burst(600)).filter(Boolean).length).toBeLessThanOrEqual(60 * 1.1 - 54)
  })

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

describe('limits per address cannot be walked around', () => {
  /** What so many logins are answered, each with a code that WeChat does not know: 401, or 429. */
  const statusesOf = async (count: number, eventOf: (index: number) => Record<string, unknown>) => {
    const world = await startWorld({ environment: { LIMITS: 'user:5/3600,address:4/3600' } })
    onTestFinished(() => world.close())
    const body = JSON.stringify({ code: 'unknown' })
    const login = { httpMethod: 'POST', path: '/login', body }
    const json = { 'content-type': 'application/json' }
    const statuses: number[] = []
    for (let index = 0; index < count; index++) {
      const { headers, ...more } = eventOf(index)
      const event = { ...login, headers: { ...json, ...(headers as object) }, ...more }
      statuses.push((await world.handler('login')(event)).statusCode)
    }
    return statuses
  }
  const afterFour = [401, 401, 401, 401, 429, 429]

  test('by an event that names no address: all of those count as one', async () => {
    expect(await statusesOf(6, () => ({}))).toEqual(afterFour)
  })

  test('by headers of one’s own beside the documented event of a function URL', async () => {
    const headers = (index: number) => ({
      'x-scf-remote-addr': `111.206.96.${index}`,
      'x-real-ip': `111.206.97.${index}`,
      'x-client-ip': `111.206.98.${index}`,
    })
    expect(await statusesOf(6, (index) => ({ headers: headers(index) }))).toEqual(afterFour)
  })

  test('by a chain of forwarding invented anew each time: those count together as ten addresses', async () => {
    const forged = (index: number) => ({ 'x-forwarded-for': `111.206.${index}.1, 11.163.17.81` })
    const statuses = await statusesOf(42, (index) => ({ headers: forged(index) }))
    expect(statuses.filter((status) => status === 401)).toHaveLength(40)
    expect(statuses.slice(40)).toEqual([429, 429])
  })

  test('by another address of one’s own IPv6 network, or another spelling of an IPv4 address', async () => {
    const from = (addresses: string[]) =>
      statusesOf(6, (index) => ({
        requestContext: { sourceIp: addresses[index % addresses.length] },
      }))
    expect(await from([1, 2, 3, 4, 5, 6].map((host) => `2408:8400:1:2::${host}`))).toEqual(
      afterFour,
    )
    expect(await from(['8.8.8.8', '::ffff:8.8.8.8', '::ffff:808:808'])).toEqual(afterFour)
  })
})

test('an address in a function call’s data counts for nothing where only the environment names the caller', async () => {
  const addresses: (string | undefined)[] = []
  const env: Record<string, string> = {}
  const handler = serve({
    functionName: 'who',
    parts: openAuthority,
    endpoints: [
      defineEndpoint()({
        route: 'GET /who',
        auth: 'none',
        input: v.looseObject({}),
        output: v.unknown(),
        handle: async ({ facts }) => {
          addresses.push(facts.clientAddress().ip)
          return { output: {} }
        },
      }),
    ],
    env,
    log: { write: () => {} },
  })
  const event = { httpMethod: 'GET', path: '/who', requestContext: { sourceIp: '1.2.3.4' } }
  await handler(event)
  Object.assign(env, {
    WX_CONTEXT_KEYS: 'WX_OPENID,WX_APPID',
    WX_OPENID: 'oFunctionCaller00000000000000',
    WX_APPID: 'wx0123456789abcdef',
  })
  await handler(event)
  expect(addresses).toEqual(['1.2.3.4', undefined])
})
