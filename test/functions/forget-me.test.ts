import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { runForgetMeDrill } from '../support/forget-me-drill.ts'
import { type Door, doors } from '../support/store-doors.ts'

const direct = doors.filter(({ isAvailable, isOverTcp, server }) =>
  server === undefined ? isAvailable : isAvailable && isOverTcp,
)

describe.each(direct)('forgetting people on $name', ({ open, server }) => {
  // sql.js runs one statement after the other.
  const runs = server === undefined ? 20 : 50
  let door: Door
  beforeAll(async () => {
    door = await open()
    await migrate(door.db, { migrations: await readMigrations() })
  })
  afterAll(() => door?.close())

  test(`leaves no row of ${runs} people whose second device submits and logs in meanwhile`, async () => {
    const connections = [door.db, await door.again(), await door.again(), await door.again()]
    const { left, unexpected, ...seen } = await runForgetMeDrill(connections as [Db, ...Db[]], runs)
    expect(left).toEqual({})
    expect(unexpected).toEqual([])
    expect(seen.submitted).toBeGreaterThan(runs)
    expect(seen.refused).toBeGreaterThan(runs / 2)
    expect(seen.logins).toBe(runs)
    // The drill was one: calls under way wrote about people who had left.
    expect(seen.stragglers).toBeGreaterThan(runs / 2)
  }, 60_000)
})

describe('the drill finds', () => {
  let door: Door
  beforeAll(async () => {
    const [offline] = doors
    if (!offline) throw new Error('no database')
    door = await offline.open()
    await migrate(door.db, { migrations: await readMigrations() })
  })
  afterAll(() => door?.close())

  // The others are in npm run drills -- V.
  test('a server that looks once', async () => {
    const { left } = await runForgetMeDrill([door.db], 5, { looksOnce: true })
    expect(left).toHaveProperty('ratings')
  })
})
