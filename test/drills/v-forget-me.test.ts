import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type BrokenServer, runForgetMeDrill } from '../support/forget-me-drill.ts'
import { type Door, doors } from '../support/store-doors.ts'

const RUNS = isFullDrill ? 1000 : 150

describe.each(doors.filter(({ isAvailable, isOverTcp }) => isAvailable && isOverTcp))(
  'forgetting people on $name',
  ({ name, open }) => {
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
      const { left, unexpected, ...seen } = result
      await reportDrill({
        drill: 'V',
        on: name,
        figures: { ...seen, left: JSON.stringify(left), unexpected: unexpected.length },
        passed: Object.keys(left).length === 0 && unexpected.length === 0,
      })
      expect(result).toMatchObject({ left: {}, unexpected: [], logins: RUNS })
      expect(result.left).toEqual({})
      expect(result.stragglers).toBeGreaterThan(RUNS / 2)
      expect(result.refused).toBeGreaterThan(RUNS / 2)
    }, 600_000)
  },
)

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
  ])('a server that %s', async (what, table, broken) => {
    const isLeft = async (): Promise<boolean> =>
      table in (await runForgetMeDrill([door.db], 5, broken)).left
    expect(await isFoundOut({ drill: 'V', variant: what }, isLeft)).toBe(true)
  })
})
