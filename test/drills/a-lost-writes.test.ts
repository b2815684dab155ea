import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { v7 as uuidV7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readMigrations } from '../../scripts/database/migrations.ts'
import { openMariaDbEngine } from '../../scripts/simulators/planetscale/mariadb-engine.ts'
import {
  type OfflinePlanetScale,
  startOfflinePlanetScale,
} from '../../scripts/simulators/planetscale/server.ts'
import type { Db, DoorOptions } from '../../shared/store/db.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { uuid, uuidToBytes } from '../../shared/store/rows.ts'
import { isFullDrill, reportBrokenVariant, reportDrill } from '../support/drill-report.ts'
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

/** What one run is made of; `lockMs` is how long the table of ratings is locked in the middle of it, as by a backup. */
interface Size {
  submissions: number
  clients: number
  thinkMs: number
  kills: number
  lockMs: number
}

/** Longer than the fold delay, so that what outlives its caller comes too late. */
const LOCK_MS = DRILL_FOLD_DELAY_MS + 1500
const whole: Size = isFullDrill
  ? { submissions: 10_000, clients: 64, thinkMs: 50, kills: 6, lockMs: 150_000 }
  : { submissions: 1600, clients: 32, thinkMs: 50, kills: 2, lockMs: LOCK_MS }
const small: Size = { submissions: 200, clients: 16, thinkMs: 15, kills: 1, lockMs: 0 }

const nothingWrong = {
  unanswered: 0,
  lost: 0,
  doubled: 0,
  wrong: 0,
  unlike: 0,
  undeleted: 0,
  inexactMoments: 0,
  wrongSummaries: 0,
  lateRows: 0,
}

describeOnOwnServers('no submission is lost or doubled', (server, kind) => {
  let directUrl: string
  let admin: Db
  beforeEach(async () => {
    directUrl = await server().createDatabase()
    admin = openMySql({ url: directUrl, connections: 1, timeoutMs: () => 10_000 })
    for (const statement of await drillTables()) await admin.query(statement)
  })
  afterEach(() => admin?.close())

  describe('while the database is killed, its table locked, and connections break', () => {
    let proxy: TcpProxy
    let slowProxy: TcpProxy
    let restarts: Promise<void>
    let locked: Promise<void>
    beforeEach(async () => {
      proxy = await startTcpProxy({ targetPort: server().port })
      slowProxy = await startTcpProxy({ targetPort: server().port })
      slowProxy.mode({ kind: 'delay', delayMs: 30 })
      restarts = Promise.resolve()
      locked = Promise.resolve()
    })
    afterEach(async () => {
      await restarts
      await locked.catch(() => undefined)
      await proxy.close()
      await slowProxy.close()
    })

    /** Trouble by progress, not by the clock: about one answer in twenty is lost, everything is reset now and then. */
    const trouble = ({ submissions, kills, lockMs }: Size) => {
      const killEvery = Math.floor(submissions / (kills + 1))
      const lockAt = Math.floor(submissions * 0.55)
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
        if (answered === lockAt && lockMs > 0) {
          locked = restarts.then(() => holdTable(directUrl, lockMs))
          locked.catch(() => undefined)
        }
      }
    }

    const run = (
      size: Size,
      variant: Variant = {},
      session: Pick<DoorOptions, 'tableLockWaitSeconds'> = {},
    ): Promise<DrillResult> => {
      const urlThrough = ({ port }: TcpProxy): string => {
        const url = new URL(directUrl)
        url.port = `${port}`
        return url.href
      }
      return runLostWritesDrill({
        ...size,
        outageMs: size.lockMs,
        openDoor: (instance) =>
          openMySql({
            ...session,
            url: urlThrough(instance === 0 ? slowProxy : proxy),
            connections: 5,
            timeoutMs,
          }),
        directUrl,
        onAnswered: trouble(size),
        untilQuiet: () => Promise.all([restarts, locked]),
        variant,
      })
    }

    test(`${whole.submissions} submissions of ${whole.clients} clients are each stored once, and counts are the rows at every moment`, async () => {
      const result = await run(whole)
      await report(kind, whole.submissions, result)
      expect(result.findings).toEqual(nothingWrong)
      expect(result.slowestMs).toBeLessThan(DRILL_FOLD_DELAY_MS)
      // The drill was one: requests failed, ratings were folded and removed meanwhile, and somebody looked.
      expect(result.retries).toBeGreaterThan(50)
      expect(result.folded).toBeGreaterThan(60)
      expect(result.removed).toBeGreaterThan(100)
      expect(result.moments).toBeGreaterThan(50)
      expect(result.summaries).toBeGreaterThan(20)
    }, 600_000)

    test('the short run that broken servers get finds nothing wrong with the real one', async () => {
      expect((await run(small)).findings).toEqual(nothingWrong)
    })

    const expectFound = async (
      variant: string,
      breaks: readonly (keyof DrillResult['findings'])[],
      { findings }: DrillResult,
    ): Promise<void> => {
      const missed = breaks.filter((name) => findings[name] === 0)
      await reportBrokenVariant({ drill: 'A', on: kind, variant, caught: missed.length === 0 })
      expect(missed).toEqual([])
    }

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
            addScore: (score) => addScore(score).catch(() => ({ result: 'added', id: uuidV7() })),
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
    ])('the drill finds a server that %s', untilCaught, async (what, breaks, variant) => {
      await expectFound(what, breaks, await run(small, variant))
    })

    // MariaDB looks whether the client of a waiting statement is still there, and ends it.
    test.runIf(kind === 'MySQL')(
      'the drill finds a server whose statements wait for a table after their callers have gone',
      untilCaught,
      async () => {
        const size = { ...small, kills: 0, lockMs: LOCK_MS }
        const result = await run(size, {}, { tableLockWaitSeconds: 3600 })
        await expectFound('waits on after its callers have gone', ['lateRows'], result)
      },
    )

    test('the drill finds a server that checks, then inserts', untilCaught, async () => {
      await admin.query(
        'alter table ratings drop key ratings_once, add key ratings_once (acc_nbr, user_id, idempotency_key)',
      )
      const result = await run(small, { submissions: checkThenInsert })
      await expectFound('checks, then inserts', ['doubled'], result)
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
      await report(`${kind} over HTTP`, 150, result)
      expect(result.findings).toEqual(nothingWrong)
      expect(result.slowestMs).toBeLessThan(DRILL_FOLD_DELAY_MS)
      expect(result.retries).toBeGreaterThan(8)
      expect(result.moments).toBeGreaterThan(10)
    })
  })
})

async function report(on: string, submissions: number, result: DrillResult): Promise<void> {
  const { findings, retries, folded, removed, moments } = result
  const { unanswered, lost, doubled, wrong, inexactMoments: inexact } = findings
  await reportDrill({
    drill: 'A',
    on,
    figures: {
      submissions,
      unanswered,
      lost,
      doubled,
      wrong,
      retries,
      folded,
      removed,
      moments,
      inexact,
    },
    passed: isDeepStrictEqual(findings, nothingWrong),
  })
}

/** Locks the ratings as a plain `mysqldump` does. */
async function holdTable(url: string, lockMs: number): Promise<void> {
  const locker = await createConnection({ uri: url })
  try {
    await locker.query('lock tables ratings read')
    await pause(lockMs)
  } finally {
    await locker.end()
  }
}

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
