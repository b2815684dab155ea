import { randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { Sessions } from '../../../shared/ports.ts'
import { createSessions } from '../../../shared/session/sessions.ts'
import { createPersonStore } from '../../../shared/store/people.ts'
import { createSessionStore } from '../../../shared/store/sessions.ts'
import { type Door, doors } from '../../support/store-doors.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const START_MS = Date.UTC(2026, 0, 1)
const keys = [{ kid: 'k1', secret: new Uint8Array(randomBytes(32)) }]

let door: Door
let userId: string
let nowMs: number
beforeAll(async () => {
  const [offline] = doors
  if (!offline) throw new Error('no database')
  door = await offline.open()
  await migrate(door.db, { migrations: await readMigrations() })
  userId = await createPersonStore(door.db).noteLogin({
    appid: 'wxapp',
    openid: `o${uuidV7()}`,
    unionid: null,
    sessionKeyOf: () => null,
    atMs: START_MS,
  })
})
beforeEach(() => {
  nowMs = START_MS
})
afterAll(() => door?.close())

function sessionsOf(maxDays: number): Sessions {
  return createSessions({
    store: createSessionStore(door.db),
    tokens: { sign: async () => ({ token: 't', expiresInSeconds: 900 }) },
    keys,
    now: () => nowMs,
    maxAgeMs: maxDays * DAY_MS,
  })
}

/** Starts a session and refreshes it every few days; resolves to the age at which that was refused. */
async function daysUntilRefused(sessions: Sessions, everyDays: number): Promise<number> {
  const started = await sessions.start({ userId, kind: 'code', device: '', proofHash: null })
  let { refreshToken } = started
  for (let day = everyDays; day < 400; day += everyDays) {
    nowMs = START_MS + day * DAY_MS
    const pair = await sessions.refresh(refreshToken, undefined).catch(() => undefined)
    const living = await sessions.check({ userId, sessionId: started.sessionId }, undefined)
    // What may be refreshed may be used, and the other way round.
    expect(living !== undefined).toBe(pair !== undefined)
    if (!pair) return day
    refreshToken = pair.refreshToken
  }
  throw new Error('it never ended')
}

describe('a session', () => {
  test('ends after 180 days, however often it is refreshed', async () => {
    expect(await daysUntilRefused(sessionsOf(180), 10)).toBe(180)
  })

  test('ends after 30 days without a refresh', async () => {
    expect(await daysUntilRefused(sessionsOf(180), 30)).toBe(30)
  })

  test('tells how long it can still be refreshed', async () => {
    const sessions = sessionsOf(40)
    let pair = await sessions.start({ userId, kind: 'code', device: '', proofHash: null })
    expect(pair.refreshExpiresInSeconds).toBe((30 * DAY_MS) / 1000)
    nowMs += 25 * DAY_MS
    pair = { ...pair, ...(await sessions.refresh(pair.refreshToken, undefined)) }
    expect(pair.refreshExpiresInSeconds).toBe((15 * DAY_MS) / 1000)
  })

  test('that is older than a deployment allows by now is not refreshed', async () => {
    const { refreshToken } = await sessionsOf(180).start({
      userId,
      kind: 'code',
      device: '',
      proofHash: null,
    })
    nowMs += 8 * DAY_MS
    await expect(sessionsOf(7).refresh(refreshToken, undefined)).rejects.toMatchObject({
      code: 'refresh-rejected',
    })
    await expect(sessionsOf(9).refresh(refreshToken, undefined)).resolves.toBeDefined()
  })
})
