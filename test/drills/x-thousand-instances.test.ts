import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { reportDrill } from '../support/drill-report.ts'
import { openMySql } from '../support/open-door.ts'
import { describeOnOwnServers } from '../support/server-suites.ts'
import { type Instances, startInstances } from '../support/thousand-instances-drill.ts'

const DRILL = 'X'
const INSTANCES = 1000
/** What `how many connections` in the store's page asks for: one each, and ten for commands and people. */
const ENOUGH = INSTANCES + 10
const TOO_FEW = 300
const TIMEOUT_MS = 120_000
/** The first statements connect, which is what a server is slow at. */
const warmUp = { rounds: 1, periodMs: 10_000 }
const load = { rounds: 2, periodMs: 5000 }

describeOnOwnServers(
  'a thousand instances on one server',
  (server, kind) => {
    let admin: Db
    let instances: Instances
    beforeEach(async () => {
      const url = await server().createDatabase()
      admin = openMySql({ url, connections: 1, timeoutMs: () => 30_000 })
      await migrate(admin, { migrations: await readMigrations() })
      instances = startInstances(url, INSTANCES)
    })
    afterEach(async () => {
      await instances?.close()
      await admin?.query(`set global max_connections = ${ENOUGH}`)
      await admin?.close()
    })
    const stored = async () =>
      Number((await admin.query('select count(*) as n from ratings')).rows[0]?.n)
    const report = (on: string, passed: boolean, figures: Record<string, number | string>) =>
      reportDrill({ drill: DRILL, on: `${kind}-${on}`, figures, passed })

    test(
      'with a connection for each, all are answered, and a counter that all share counts each once',
      async () => {
        await instances.submit(warmUp)
        const before = await stored()
        const { failed, ...figures } = await instances.submit(load)
        const { counts, refused, tookMs } = await instances.countTogether()
        const passed = figures.answered === INSTANCES * load.rounds
        await report('enough', passed, { ...figures, countedTogetherInMs: tookMs })
        expect(failed).toEqual({})
        expect(figures.answered).toBe(INSTANCES * load.rounds)
        expect(await stored()).toBe(before + figures.answered)
        expect(refused).toBe(0)
        expect(counts.sort((a, b) => a - b)).toEqual(
          Array.from({ length: INSTANCES }, (_, index) => index + 1),
        )
      },
      TIMEOUT_MS,
    )

    test(
      'with too few, those that hold one are served as before, and the others are told so within their deadline',
      async () => {
        await admin.query(`set global max_connections = ${TOO_FEW}`)
        const { failed, ...figures } = await instances.submit(load)
        const { 'refused 1040': full = 0, timeout = 0, ...others } = failed
        await report('too-few', full > 0, { ...figures, full, timeout })
        expect(others).toEqual({})
        expect(figures.answered + full + timeout).toBe(INSTANCES * load.rounds)
        // The ceiling is the one that the page's sum tells.
        expect(figures.answered).toBeLessThan((TOO_FEW + 20) * load.rounds)
        expect(figures.answered).toBeGreaterThan((TOO_FEW - 20) * load.rounds * 0.8)
        expect(full).toBeGreaterThan(INSTANCES / 2)
      },
      TIMEOUT_MS,
    )

    test(
      'around an outage, all are refused at once, and all are answered again after it',
      async () => {
        await instances.submit(warmUp)
        await server().kill()
        const during = await instances.submit({ rounds: 6, periodMs: 1000 })
        await server().restart()
        // A breaker that is open lets one call try after two seconds.
        await instances.submit(warmUp)
        const { failed, ...figures } = await instances.submit(load)
        await report('outage', figures.answered === INSTANCES * load.rounds, {
          refusedP50Ms: during.failedP50Ms,
          ...figures,
        })
        expect(during.answered).toBe(0)
        expect(during.failedP50Ms).toBeLessThan(1500)
        expect(failed).toEqual({})
      },
      TIMEOUT_MS,
    )
  },
  { serverOptions: [`--max-connections=${ENOUGH}`] },
)
