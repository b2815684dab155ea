import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { type BrokenServer, runForgetMeDrill } from '../support/forget-me-drill.ts'
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

  test.each<[what: string, table: string, broken: BrokenServer]>([
    ['removes ratings before it ends sessions', 'ratings', { isLate: true }],
    ['looks once', 'ratings', { looksOnce: true }],
    [
      'forgets who held a number',
      'phone_holders',
      { leavesOut: /^update phone_holders set user_id/ },
    ],
    [
      'forgets who held a number before',
      'phone_holders',
      { leavesOut: /^update phone_holders set previous/ },
    ],
    ['keeps codes', 'code_claims', { leavesOut: /^delete from code_claims/ }],
    ['keeps sessions', 'sessions', { leavesOut: /^delete from sessions/ }],
    ['keeps who an openid was', 'identities', { leavesOut: /^delete from identities/ }],
  ])('a server that %s', async (_what, table, broken) => {
    const { left } = await runForgetMeDrill([door.db], 5, broken)
    expect(left).toHaveProperty(table)
  })
})
