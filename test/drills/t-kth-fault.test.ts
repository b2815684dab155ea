import { afterEach, describe, expect, test } from 'vitest'
import {
  createDatabase,
  dropDatabase,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
import { findEndpoints } from '../support/endpoints.ts'
import { attempts, submitWithoutKey } from '../support/kth-fault-attempts.ts'
import { type KthFaultOptions, runKthFaultDrill } from '../support/kth-fault-drill.ts'
import { type OutsideFault, outsideFaults } from '../support/outside-calls.ts'
import type { BrokenBuild } from '../support/patched-bundle.ts'
import { serverUrl } from '../support/server-suites.ts'

const routes = (await findEndpoints()).map(({ route }) => route)

const created: string[] = []
afterEach(async () => {
  for (const url of created.splice(0)) await dropDatabase(url)
})

/** A database of a server for each lane; without a server, one in memory. */
function onServer(url: string | undefined): Pick<KthFaultOptions, 'openDatabase'> {
  if (url === undefined) return {}
  return {
    async openDatabase() {
      const database = await createDatabase(url)
      created.push(database)
      return database
    },
  }
}

const quickFaults: readonly OutsideFault[] = ['reset', 'lost']

const places = [
  { on: 'sql.js', url: undefined },
  { on: 'MySQL', url: serverUrl('MySQL') },
  { on: 'MariaDB', url: serverUrl('MariaDB') },
].filter(({ on, url }) => on === 'sql.js' || url !== undefined)

describe('whatever request to the outside fails, in whatever way', () => {
  test.each(places)(
    'the client is told something true, and the next request works, on $on',
    async ({ on, url }) => {
      // The kinds that nothing is waited for on the servers too; all of them in full.
      const faults = isFullDrill || url === undefined ? outsideFaults : quickFaults
      const result = await runKthFaultDrill({ routes, attempts, faults, ...onServer(url) })
      const withoutKey = await runKthFaultDrill({
        routes: ['POST /score'],
        attempts: { 'POST /score': submitWithoutKey },
        faults,
        lanes: 2,
        ...onServer(url),
      })
      const wrong = [...result.wrong, ...withoutKey.wrong]
      const cells = result.cells + withoutKey.cells
      const unvisited = [...result.unvisited, ...withoutKey.unvisited]
      const visited = cells - unvisited.length
      const figures = { endpoints: result.endpoints, cells, visited, wrong: wrong.length }
      const passed = wrong.length + unvisited.length === 0
      await reportDrill({ drill: 'T', on, figures, passed })
      expect(wrong).toEqual([])
      expect(unvisited).toEqual([])
    },
    600_000,
  )
})

interface BrokenHere extends BrokenBuild {
  routes: readonly string[]
  faults: readonly OutsideFault[]
}

const broken: readonly BrokenHere[] = [
  {
    name: 'the look at whether a row was written',
    patches: [
      {
        file: 'shared/store/rating-turns.ts',
        find: "if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })",
        put: '',
      },
      {
        file: 'shared/store/planetscale-answer.ts',
        find: "return complete ? undefined : new DbError('bad-answer', { outcome: outcomeWhenLost })",
        put: 'return undefined',
      },
    ],
    routes: ['POST /score'],
    faults: ['empty'],
  },
  {
    name: 'an answer of its own for a database that fails',
    patches: [
      {
        file: 'shared/transport/serve.ts',
        find: 'if (error instanceof DbError) {',
        put: 'if (error instanceof DbError && error.errno === 1) {',
      },
    ],
    routes: ['GET /score'],
    faults: ['reset'],
  },
  {
    name: 'the deadline of a statement',
    patches: [
      {
        file: 'shared/store/https-fetch.ts',
        find: "const timer = setTimeout(() => fail(new ExchangeError('timeout', sent)), leftMs)",
        put: 'const timer = setTimeout(() => {}, leftMs)',
      },
    ],
    routes: ['GET /score'],
    faults: ['hang'],
  },
  {
    name: 'the grace of a refresh token whose answer was lost',
    patches: [
      {
        file: 'shared/session/refresh-token.ts',
        find: 'REFRESH_GRACE_MS = 10_000',
        put: 'REFRESH_GRACE_MS = -1',
      },
    ],
    routes: ['POST /login/refresh'],
    faults: ['lost'],
  },
  {
    name: 'patience of the breaker',
    patches: [{ file: 'shared/breaker.ts', find: 'failuresToOpen = 5', put: 'failuresToOpen = 1' }],
    routes: ['GET /score'],
    faults: ['reset'],
  },
  {
    name: 'the error of a submission',
    patches: [
      {
        file: 'shared/store/rating-submissions.ts',
        find: 'if (earlier && isToldOf) return answerOf(earlier, row)',
        put: "if (earlier || isUnknown) return { result: 'added', id: row.id }",
      },
    ],
    routes: ['POST /score'],
    faults: ['garbage'],
  },
  {
    name: 'the note of who left',
    patches: [
      {
        file: 'shared/session/forgetting.ts',
        find: 'await people.leave(userId, now())',
        put: '',
      },
    ],
    routes: ['DELETE /login/me'],
    faults: ['reset'],
  },
]

test.each(broken)('a build without $name is found', async ({ name, patches, routes, faults }) => {
  const all = { ...attempts, 'POST /score': submitWithoutKey }
  const result = await runKthFaultDrill({ routes, attempts: all, patches, faults, lanes: 1 })
  // Not because it does not work at all.
  const wrong = result.wrong.filter((each) => !each.includes('without a fault'))
  await reportBrokenVariant({ drill: 'T', variant: name, caught: wrong.length > 0 })
  expect(wrong).not.toEqual([])
})
