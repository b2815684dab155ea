import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readMigrations } from '../../scripts/database/migrations.ts'
import { openMariaDbEngine } from '../../scripts/simulators/planetscale/mariadb-engine.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../scripts/simulators/planetscale/server.ts'
import type { Db } from '../../shared/store/db.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { uuid, uuidToBytes } from '../../shared/store/rows.ts'
import {
  DRILL_FOLD_DELAY_MS,
  DRILL_TIMEOUT_MS,
  type DrillResult,
  runLostWritesDrill,
  type Variant,
} from '../support/lost-writes-drill.ts'
import { openMySql, openPlanetScale } from '../support/open-door.ts'
import { describeOnOwnServers } from '../support/server-suites.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

function timeoutMs(): number {
  return DRILL_TIMEOUT_MS
}

/** When a broken server goes wrong is a matter of chance, so it gets some runs; the real one gets one, and no second. */
const untilCaught = { retry: 5 }

const nothingWrong = {
  unanswered: 0,
  lost: 0,
  doubled: 0,
  wrong: 0,
  unlike: 0,
  undeleted: 0,
  inexactMoments: 0,
  wrongSummaries: 0,
}

describeOnOwnServers('no submission is lost or doubled', (server) => {
  let directUrl: string
  let admin: Db
  beforeEach(async () => {
    directUrl = await server().createDatabase()
    admin = openMySql({ url: directUrl, connections: 1, timeoutMs: () => 10_000 })
    for (const statement of await drillTables()) await admin.query(statement)
  })
  afterEach(() => admin?.close())

  describe('while the database is killed and connections break', () => {
    let proxy: TcpProxy
    let slowProxy: TcpProxy
    let restarts: Promise<void>
    beforeEach(async () => {
      proxy = await startTcpProxy({ targetPort: server().port })
      slowProxy = await startTcpProxy({ targetPort: server().port })
      slowProxy.mode({ kind: 'delay', delayMs: 30 })
      restarts = Promise.resolve()
    })
    afterEach(async () => {
      await restarts
      await proxy.close()
      await slowProxy.close()
    })

    /** Trouble by progress, not by the clock: about one answer in twenty is lost, everything is reset now and then. */
    const trouble = (submissions: number, kills: number) => {
      const killEvery = Math.floor(submissions / (kills + 1))
      return (answered: number): void => {
        if (answered % 20 === 0) proxy.mode({ kind: 'drop-answer', containing: 'drill-' })
        if (answered % 90 === 0) proxy.dropConnections('reset')
        if (answered % 25 === 0) slowProxy.dropConnections('reset')
        if (answered % 130 === 0) proxy.dropConnections('close')
        if (answered % 170 === 0) {
          proxy.mode({ kind: 'cut', afterBytes: 30 })
          setTimeout(() => proxy.mode({ kind: 'pass' }), 5)
        }
        if (answered % killEvery === 0 && answered < killEvery * (kills + 1)) {
          restarts = restarts.then(async () => {
            await server().kill()
            await server().restart()
          })
        }
      }
    }

    const run = (
      size: { submissions: number; clients: number; thinkMs: number; kills: number },
      variant: Variant = {},
    ): Promise<DrillResult> => {
      const urlThrough = ({ port }: TcpProxy): string => {
        const url = new URL(directUrl)
        url.port = `${port}`
        return url.href
      }
      return runLostWritesDrill({
        ...size,
        openDoor: (instance) =>
          openMySql({
            url: urlThrough(instance === 0 ? slowProxy : proxy),
            connections: 5,
            timeoutMs,
          }),
        directUrl,
        onAnswered: trouble(size.submissions, size.kills),
        untilQuiet: () => restarts,
        variant,
      })
    }

    test('2,000 submissions of 32 clients are each stored once, and counts are the rows at every moment', async () => {
      const result = await run({ submissions: 2000, clients: 32, thinkMs: 50, kills: 2 })
      expect(result.findings).toEqual(nothingWrong)
      expect(result.slowestMs).toBeLessThan(DRILL_FOLD_DELAY_MS)
      // The drill was one: requests failed, ratings were folded and removed meanwhile, and somebody looked.
      expect(result.retries).toBeGreaterThan(50)
      expect(result.folded).toBeGreaterThan(60)
      expect(result.removed).toBeGreaterThan(100)
      expect(result.moments).toBeGreaterThan(50)
      expect(result.summaries).toBeGreaterThan(20)
    }, 60_000)

    const small = { submissions: 200, clients: 16, thinkMs: 15, kills: 1 }

    test('the short run that broken servers get finds nothing wrong with the real one', async () => {
      expect((await run(small)).findings).toEqual(nothingWrong)
    })

    test.each<[what: string, breaks: (keyof typeof nothingWrong)[], variant: Variant]>([
      [
        'gives every attempt a key of its own',
        ['doubled'],
        {
          submissions: (_db, { addScore }) => ({
            addScore: (score) => addScore({ ...score, idempotencyKey: randomUUID() }),
          }),
        },
      ],
      ['acknowledges before COMMIT', ['lost'], { submissions: acknowledgeEarly }],
      [
        'swallows errors',
        ['lost'],
        {
          submissions: (_db, { addScore }) => ({
            addScore: (score) => addScore(score).catch(() => ({ result: 'added', id: score.id })),
          }),
        },
      ],
      ['folds up to now', ['inexactMoments', 'wrongSummaries'], { foldDelayMs: 0 }],
      [
        'deletes without telling the fold',
        ['inexactMoments', 'wrongSummaries'],
        {
          eraser: (db) => ({
            async forgetAuthor(userId) {
              await db.query('delete from ratings where user_id = ?', [uuidToBytes(userId)])
              return true
            },
          }),
        },
      ],
    ])('the drill finds a server that %s', untilCaught, async (_what, breaks, variant) => {
      const { findings } = await run(small, variant)
      for (const name of breaks) expect(findings[name], name).toBeGreaterThan(0)
    })

    test('the drill finds a server that checks, then inserts', untilCaught, async () => {
      await admin.query(
        'alter table ratings drop key ratings_once, add key ratings_once (acc_nbr, user_id, idempotency_key)',
      )
      const { findings } = await run(small, { submissions: checkThenInsert })
      expect(findings.doubled).toBeGreaterThan(0)
    })
  })

  describe('over HTTP, while answers are lost, COMMIT’s among them', () => {
    let planetScale: OfflinePlanetScale
    beforeEach(async () => {
      const engine = await openMariaDbEngine({ url: directUrl })
      planetScale = await startOfflinePlanetScale({ engine })
    })
    afterEach(() => planetScale?.close())

    test('150 submissions are each stored once, and counts stay exact', async () => {
      const { faults } = planetScale
      const result = await runLostWritesDrill({
        submissions: 150,
        clients: 8,
        thinkMs: 10,
        openDoor: () => openPlanetScale({ url: planetScale.url, timeoutMs }),
        directUrl,
        onAnswered(answered) {
          if (answered % 7 === 0) faults.add({ kind: 'drop-answer', match: '^insert into ratings' })
          if (answered % 11 === 0) faults.add({ kind: 'close', match: '^insert into ratings' })
          if (answered % 13 === 0) faults.add({ kind: 'empty', match: 'ratings' })
          if (answered % 17 === 0) faults.add({ kind: 'cut', afterBytes: 40 })
          if (answered % 25 === 0) faults.add({ kind: 'drop-answer', match: '^commit' })
          if (answered % 60 === 0) planetScale.dropConnections()
        },
      })
      expect(result.findings).toEqual(nothingWrong)
      expect(result.slowestMs).toBeLessThan(DRILL_FOLD_DELAY_MS)
      expect(result.retries).toBeGreaterThan(8)
      expect(result.moments).toBeGreaterThan(10)
    })
  })
})

/** What the migrations say of the two tables that are written to. */
async function drillTables(): Promise<string[]> {
  const migrations = await readMigrations()
  return migrations
    .flatMap(({ statements }) => statements)
    .filter((statement) =>
      /^(?:create|alter) table [a-z ]*\b(?:ratings|rating_folds)\b/.test(statement),
    )
}

type Submissions = NonNullable<Variant['submissions']>

function acknowledgeEarly(...[db]: Parameters<Submissions>): ReturnType<Submissions> {
  return {
    addScore: (score) =>
      new Promise((resolve, reject) => {
        const work = db.transaction(async (transaction) => {
          const inside: Db = {
            query: (sql, values) => transaction.query(sql, values),
            transaction: (nested) => nested(transaction),
            close: async () => {},
          }
          resolve(await createRatingStore(inside, Date.now).addScore(score))
        })
        work.catch(reject)
      }),
  }
}

function checkThenInsert(...[db, store]: Parameters<Submissions>): ReturnType<Submissions> {
  return {
    async addScore(score) {
      const { rows } = await db.query(
        'select id from ratings where acc_nbr = ? and user_id = ? and idempotency_key = ?',
        [score.acc_nbr, uuidToBytes(score.userId), score.idempotencyKey],
      )
      const [earlier] = rows
      return earlier ? { result: 'same', id: uuid(earlier, 'id') } : store.addScore(score)
    },
  }
}
