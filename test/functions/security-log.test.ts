import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { SignJWT } from 'jose'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { readMigrations } from '../../scripts/database/migrations.ts'
import { createPseudonyms } from '../../shared/session/pseudonym.ts'
import { type AuditRow, auditPages } from '../../shared/store/audit.ts'
import type { Db } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { readPage, section, tableRows } from '../support/documentation.ts'
import { rating } from '../support/ratings.ts'
import { type LoggedIn, startWorld, type World } from '../support/world.ts'

const ACCOUNT = '13800138000'
const OPERATOR = 'oOperatorOfThisDeployment'

type Line = Record<string, unknown> & { event: string }

let world: World
beforeAll(async () => {
  world = await startWorld({ environment: { OPERATORS: OPERATOR } })
})
afterAll(() => world?.close())

/** What the functions logged while `work` ran. */
async function linesOf(work: () => Promise<unknown>): Promise<Line[]> {
  const before = world.logLines.length
  await work()
  return world.logLines.slice(before).map((line) => JSON.parse(line))
}

/** The lines that are no request lines. */
async function eventsOf(work: () => Promise<unknown>): Promise<Line[]> {
  return (await linesOf(work)).filter(({ event }) => event !== 'request')
}

/** The name that the log has for somebody. */
function nameOf(userId: string, kind: 'person' | 'account' = 'person'): string {
  const [, key = ''] = (world.environment.TOKEN_KEYS ?? '').split(/[:,]/)
  return createPseudonyms({ key: Buffer.from(key, 'base64url') }).of(kind, userId)
}

const refresh = (refreshToken: string) =>
  world.call('POST /login/refresh', { body: { refreshToken } })

describe('request lines', () => {
  test('name a person by the same pseudonym on every function, from the login on', async () => {
    let person: LoggedIn | undefined
    const lines = await linesOf(async () => {
      person = await world.logIn()
      const { token } = person
      await world.call('POST /score', { token, body: rating() })
      await world.call('GET /score', { token })
      await world.call('GET /login/devices', { token })
      await world.call('POST /score', { token, body: {} })
    })
    expect(lines).toHaveLength(5)
    const names = new Set(lines.map((line) => line.person))
    expect([...names]).toEqual([nameOf(person?.userId ?? '')])
  })

  test('name two people differently, and nobody where nobody is known', async () => {
    const [one, another] = [await world.logIn(), await world.logIn()]
    expect(nameOf(one.userId)).not.toBe(nameOf(another.userId))
    const lines = await linesOf(async () => {
      await world.call('GET /form')
      await world.call('GET /score', { token: 'rubbish' })
    })
    expect(lines.map((line) => 'person' in line)).toEqual([false, false])
  })

  test('name a caller whom the platform vouches for as well', async () => {
    const openid = 'oThroughWxCloud'
    const written = { WX_OPENID: openid, WX_APPID: world.environment.WECHAT_APPID ?? '' }
    const lines = await linesOf(() =>
      world.callFunction('query-scores', { route: 'GET /score' }, written),
    )
    expect(lines).toMatchObject([{ event: 'request', status: 200 }])
    const { userId } = await world.logIn(openid)
    expect(lines[0]?.person).toBe(nameOf(userId))
  })
})

describe('an event of its own has', () => {
  test('a refresh token that was used before, and the session it ends', async () => {
    const person = await world.logIn()
    const second = (await refresh(person.refreshToken)).body
    await refresh(second.refreshToken)
    const about = {
      level: 'warn',
      function: 'login',
      route: 'POST /login/refresh',
      person: nameOf(person.userId),
    }
    const events = await eventsOf(() => refresh(person.refreshToken))
    expect(events).toMatchObject([
      { event: 'refresh-token-reused', ...about },
      { event: 'session-ended-by-reuse', ...about },
    ])
    expect(await eventsOf(() => refresh(person.refreshToken))).toEqual([])
  })

  test('no refresh that went well, nor a guess', async () => {
    const { refreshToken } = await world.logIn()
    const events = await eventsOf(async () => {
      await refresh(refreshToken)
      await refresh(refreshToken)
      await refresh('rt_k1.guessed')
    })
    expect(events).toEqual([])
  })

  test('a token that names a key of ours and was not signed with it', async () => {
    const [kid = ''] = (world.environment.TOKEN_KEYS ?? '').split(':')
    const forge = (keyId: string) =>
      new SignJWT({ sid: uuidV7() })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: keyId })
        .setSubject(uuidV7())
        .sign(randomBytes(32))
    const token = await forge(kid)
    const unknown = await forge('k9')
    const about = { event: 'token-forged', level: 'warn', route: 'GET /score' }
    const lines = await linesOf(() => world.call('GET /score', { token }))
    expect(lines).toMatchObject([about, { event: 'request', code: 'unauthenticated' }])
    expect(lines[0]?.requestId).toBe(lines[1]?.requestId)
    // An attacker knows no subject of ours: what the token says of itself is not logged.
    expect(lines[0]).not.toHaveProperty('person')
    expect(await eventsOf(() => world.call('GET /score', { token: unknown }))).toEqual([])
    expect(await eventsOf(() => world.call('GET /score', { token: 'rubbish' }))).toEqual([])
  })

  test('an operator’s reading, and no other', async () => {
    const operator = await world.logIn(OPERATOR)
    const reader = await world.logIn()
    const body = { acc_nbr: ACCOUNT }
    const events = await eventsOf(async () => {
      for (const { token } of [operator, reader]) {
        await world.call('POST /query', { token, body })
        await world.call('POST /query/summary', { token, body })
        await world.call('GET /score', { token })
      }
    })
    const about = {
      event: 'operator-read',
      person: nameOf(operator.userId),
      account: nameOf(ACCOUNT, 'account'),
    }
    expect(events).toMatchObject([
      { ...about, route: 'POST /query' },
      { ...about, route: 'POST /query/summary' },
    ])
  })

  test('a person who wants to be forgotten', async () => {
    const openid = 'oWantsToBeForgotten'
    const { token, userId } = await world.logIn(openid)
    const body = { code: (await world.code(openid)).code }
    expect(await eventsOf(() => world.call('DELETE /login/me', { token, body }))).toMatchObject([
      { event: 'person-forgotten', level: 'info', person: nameOf(userId) },
    ])
  })

  test('a limit that was reached, once a minute, however often it is run against', async () => {
    const LIMITS = 'user:2/99999,address:600/60'
    const limited = await startWorld({ environment: { LIMITS } })
    try {
      const { token, userId } = await limited.logIn()
      for (let index = 0; index < 12; index++) await limited.call('GET /score', { token })
      const lines: Line[] = limited.logLines.map((line) => JSON.parse(line))
      const refused = lines.filter(({ code }) => code === 'too-many-requests')
      const reached = lines.filter(({ event }) => event === 'limit-reached')
      expect(refused.length).toBeGreaterThanOrEqual(10)
      // A minute of the clock may have begun meanwhile.
      expect([1, 2]).toContain(reached.length)
      expect(reached[0]).toMatchObject({ route: 'GET /score', person: refused[0]?.person })
      expect(reached[0]?.person).not.toBe(userId)
    } finally {
      await limited.close()
    }
  })
})

describe('the audit in the store', () => {
  let db: Db
  beforeAll(async () => {
    db = await openDb(world.environment.DATABASE_URL ?? '')
  })
  afterAll(() => db?.close())

  /** What the audit has gained while `work` ran. */
  async function auditedIn(work: () => Promise<unknown>): Promise<AuditRow[]> {
    const rows = async (): Promise<AuditRow[]> => {
      const all: AuditRow[] = []
      for await (const page of auditPages(db, 0)) all.push(...page)
      return all
    }
    const before = new Set((await rows()).map(({ requestId }) => requestId))
    await work()
    return (await rows()).filter(({ requestId }) => !before.has(requestId))
  }

  test('has a row for each reading of an operator, by the names of the log, and none for other people', async () => {
    const operator = await world.logIn(OPERATOR)
    const reader = await world.logIn()
    const body = { acc_nbr: ACCOUNT }
    let events: Line[] = []
    await world.call('POST /score', { token: reader.token, body: rating() })
    const { since } = (await world.call('POST /query', { token: operator.token, body })).body
    expect(since).toEqual(expect.any(String))
    const audited = await auditedIn(async () => {
      events = await eventsOf(async () => {
        for (const { token } of [operator, reader]) {
          await world.call('POST /query', { token, body: { ...body, since } })
          await world.call('POST /query/summary', { token, body })
          await world.call('GET /score', { token })
        }
      })
    })
    const person = nameOf(operator.userId)
    expect(audited).toMatchObject(Array(2).fill({ event: 'operator-read', person }))
    expect(audited.map(({ requestId }) => requestId).sort()).toEqual(
      events.map(({ requestId }) => requestId).sort(),
    )
  })

  test('has a row of somebody who is no longer there', async () => {
    const openid = 'oForgottenForGood'
    const { token, userId } = await world.logIn(openid)
    const body = { code: (await world.code(openid)).code }
    const audited = await auditedIn(() => world.call('DELETE /login/me', { token, body }))
    expect(audited).toMatchObject([{ event: 'person-forgotten', person: nameOf(userId) }])
  })

  test('lets nothing be read, and nobody be forgotten, that it cannot keep account of', async () => {
    const openid = 'oForgottenLater'
    const operator = await world.logIn(OPERATOR)
    const person = await world.logIn(openid)
    const code = async () => ({ code: (await world.code(openid)).code })
    const read = (token: string, route: string) =>
      world.call(route, { token, body: { acc_nbr: ACCOUNT } })
    await db.query('alter table audit_events drop column request')
    try {
      for (const route of ['POST /query', 'POST /query/summary']) {
        const refused = await read(operator.token, route)
        expect(refused).toMatchObject({ status: 503, body: { code: 'store-unavailable' } })
        expect((await read(person.token, route)).status).toBe(200)
      }
      const { token } = person
      const refused = await world.call('DELETE /login/me', { token, body: await code() })
      expect(refused.status).toBe(503)
      expect((await world.call('GET /score', { token })).status).toBe(200)
    } finally {
      await db.query('drop table audit_events')
      const { statements } = (await readMigrations()).find(({ version }) => version === 6) ?? {}
      for (const statement of statements ?? []) await db.query(statement)
    }
    expect((await read(operator.token, 'POST /query')).status).toBe(200)
    const { token } = person
    expect((await world.call('DELETE /login/me', { token, body: await code() })).status).toBe(204)
  })
})

test('nobody’s id, openid, token or number is in any of it', async () => {
  const person = await world.logIn()
  const operator = await world.logIn(OPERATOR)
  await world.call('POST /query', { token: operator.token, body: { acc_nbr: ACCOUNT } })
  await world.call('DELETE /login/me', { token: person.token })
  const log = world.logLines.join('\n')
  const secrets = [...Object.values(person), ...Object.values(operator), ACCOUNT]
  expect(secrets).toHaveLength(9)
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([])
})

test('a new first key gives everybody a new name', () => {
  const of = () =>
    createPseudonyms({ key: randomBytes(32) }).of('person', '0190a0b0-0000-7000-8000-000000000000')
  expect(of()).toMatch(/^[A-Za-z0-9_-]{16}$/)
  expect(of()).not.toBe(of())
  expect(() => createPseudonyms({ key: new Uint8Array(31) })).toThrow('of the pseudonyms')
})

test('functions/README.md tells every event, and its level', () => {
  const source = readFileSync(`${projectFolder}/shared/transport/security-log.ts`, 'utf8')
  const levels = [...source.matchAll(/^ {2}'([a-z-]+)': '(warn|info)',$/gm)]
  const table = tableRows(section(readPage('functions/README.md').text, 'Security log'))
  expect(levels).toHaveLength(8)
  expect(table.map(([event, level]) => [event, level])).toEqual(
    levels.map(([, event, level]) => [`\`${event}\``, level]),
  )
})
