import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { runForgetMeDrill } from '../support/forget-me-drill.ts'
import { type Door, doors } from '../support/store-doors.ts'

const RUNS = 1000

describe.each(doors.filter(({ isAvailable, isOverTcp }) => isAvailable && isOverTcp))(
  'forgetting people on $name',
  ({ open }) => {
    let door: Door
    beforeAll(async () => {
      door = await open()
      await migrate(door.db, { migrations: await readMigrations() })
    })
    afterAll(() => door?.close())

    test(`leaves no row of ${RUNS} people whose second device submits and logs in meanwhile`, async () => {
      const connections: [Db, ...Db[]] = [door.db]
      while (connections.length < 6) connections.push(await door.again())
      const result = await runForgetMeDrill(connections, RUNS)
      console.log(`forget-me: ${JSON.stringify(result)}`)
      expect(result).toMatchObject({ left: {}, unexpected: [], logins: RUNS })
      expect(result.left).toEqual({})
      expect(result.stragglers).toBeGreaterThan(RUNS / 2)
      expect(result.refused).toBeGreaterThan(RUNS / 2)
    }, 600_000)
  },
)
