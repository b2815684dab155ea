import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { Db } from '../../../shared/store/db.ts'
import { brokenRefreshes, isSoundRace, runRefreshRace } from '../../support/refresh-race-drill.ts'
import { type Door, doors } from '../../support/store-doors.ts'

/** One server tells the rule; the others, more rounds and more processes are in npm run drills -- C. */
const [chosen] = [
  ...doors.filter(({ isAvailable, isOverTcp }) => isAvailable && isOverTcp),
  ...doors,
]

describe('twenty refreshes at once on two instances', () => {
  let opened: Door
  let both: [Db, Db]
  beforeAll(async () => {
    if (!chosen) throw new Error('no database')
    opened = await chosen.open()
    await migrate(opened.db, { migrations: await readMigrations() })
    both = [opened.db, await opened.again()]
  })
  afterAll(() => opened?.close())

  test('give one successor, lock nobody out, and every true reuse ends the session', async () => {
    const score = await runRefreshRace({ doors: both, rounds: 10, parallel: 20 })
    expect(score).toEqual({ distinctMax: 1, lockOuts: 0, reuses: 2, reusesCaught: 2 })
  })

  test('a server that reads, then updates is found', async () => {
    const change = brokenRefreshes['reads, then updates']
    if (!change) throw new Error('no such server')
    const score = await runRefreshRace({ doors: both, rounds: 10, parallel: 20, change })
    expect(isSoundRace(score)).toBe(false)
  })
})
