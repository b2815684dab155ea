import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, createConnection } from 'mysql2/promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ask, type DrillAnswer } from '../support/drill-client.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type LoggedInScene, logInOn } from '../support/drill-session.ts'
import { bundlePatched, importPatched, type Patch } from '../support/drill-variant.ts'
import type * as openDoor from '../support/open-door.ts'
import * as soundDoor from '../support/open-door.ts'
import { rating } from '../support/ratings.ts'
import { describeOnOwnServers } from '../support/server-suites.ts'
import { openWebFunctions, type WebFunctions } from '../support/web-functions.ts'

const TRANSFERS = isFullDrill ? 400 : 120
const SUBMISSIONS = isFullDrill ? 100 : 40
const HOLD_MS = 5000
/** The budget of the statement that stores, once more that of the look whether it did, and what else a request needs. */
const ANSWER_MAX_MS = 2 * 3000 + 1000

describeOnOwnServers('locks', (server, kind) => {
  let url: string
  beforeEach(async () => {
    url = await server().createDatabase()
  })

  describe('of writers in opposite order', () => {
    /** Moves one from a row to another and back, twenty at a time; half of them lock in the other order. */
    const transfer = async ({ openMySql }: typeof openDoor) => {
      const db = openMySql({ url, connections: 20, timeoutMs: () => 3000 })
      try {
        await db.query(
          'create table if not exists purses (id int primary key, amount int not null)',
        )
        await db.query('replace into purses values (1, 1000), (2, 1000)')
        let done = 0
        let failed = 0
        let attempts = 0
        const move = (from: number, to: number): Promise<void> =>
          db.transaction(async (transaction) => {
            attempts++
            await transaction.query('update purses set amount = amount - 1 where id = ?', [from])
            await pause(2)
            await transaction.query('update purses set amount = amount + 1 where id = ?', [to])
          })
        // One that waits longer than the server lets it: of what it did before, nothing may stay.
        await withRowKept(url, () => move(1, 2).catch(() => undefined))
        for (let batch = 0; batch < TRANSFERS; batch += 8) {
          const moves = Array.from({ length: 8 }, (_, index) =>
            index % 2 === 0 ? move(1, 2) : move(2, 1),
          )
          for (const { status } of await Promise.allSettled(moves)) {
            if (status === 'fulfilled') done++
            else failed++
          }
        }
        const { rows } = await db.query('select sum(amount) as total from purses')
        return {
          done,
          failed,
          attempts,
          total: Number(rows[0]?.total),
          open: await openTransactions(url),
        }
      } finally {
        await db.close()
      }
    }

    test('are taken again after a deadlock: sums stay, and nobody is left holding any', async () => {
      const score = await transfer(soundDoor)
      const passed = score.total === 2000 && score.open === 0 && score.failed < TRANSFERS / 20
      const figures = { transfers: TRANSFERS, ...score }
      await reportDrill({ drill: 'G', on: `${kind}, opposite order`, figures, passed })
      expect(score).toMatchObject({ total: 2000, open: 0 })
      expect(score.failed).toBeLessThan(TRANSFERS / 20)
      expect(score.attempts).toBeGreaterThan(TRANSFERS)
    })

    test.each<[what: string, patch: Patch]>([
      [
        'gives up at the first deadlock',
        {
          file: 'shared/store/transactions.ts',
          from: 'const ATTEMPTS = 3',
          to: 'const ATTEMPTS = 1',
        },
      ],
      [
        'commits what a refused statement left',
        {
          file: 'shared/store/transactions.ts',
          from: /await begun\.rollback\([^\n]*\n/,
          to: 'await begun.commit().catch(() => undefined)\n',
        },
      ],
    ])('the drill finds a store that %s', async (what, patch) => {
      const isWrong = async (): Promise<boolean> => {
        const broken = await importPatched<typeof openDoor>('test/support/open-door.ts', [patch])
        const { total, open, failed } = await transfer(broken)
        return total !== 2000 || open > 0 || failed >= TRANSFERS / 20
      }
      expect(
        await isFoundOut({ drill: 'G', on: kind, variant: what }, isWrong, { attempts: 3 }),
      ).toBe(true)
    })
  })

  describe('that somebody keeps', () => {
    let scene: LoggedInScene
    let functions: WebFunctions
    beforeEach(async () => {
      scene = await logInOn(url)
      functions = await openWebFunctions(scene.environment, 'mysql')
    })
    afterEach(() => functions?.close())

    /** Submissions while `hold` keeps the table; those that were not stored are sent again when it is over. */
    const submitMeanwhile = async (web: WebFunctions, meanwhile: () => Promise<void>) => {
      const instance = await (await web.start('submit-score')).url
      const keys = Array.from({ length: SUBMISSIONS }, () => randomUUID())
      const submit = (key: string): Promise<DrillAnswer> =>
        ask(instance, 'POST /score', { token: scene.token, key, body: rating({ txt1: key }) })
      await submit(keys[0] ?? '')
      const trouble = meanwhile()
      await pause(300)
      const answers = await Promise.all(keys.map(submit))
      await trouble
      const stored = new Set<string>()
      for (let attempt = 0; attempt < 40 && stored.size < keys.length; attempt++) {
        const missing = keys.filter((key) => !stored.has(key))
        for (const key of missing) if ((await submit(key)).status === 201) stored.add(key)
        if (stored.size < keys.length) await pause(250)
      }
      const undefinedAnswers = answers.filter(
        ({ status, retryAfter }) => status !== 201 && !(status === 503 && retryAfter !== null),
      ).length
      return {
        refused: answers.filter(({ status }) => status === 503).length,
        undefinedAnswers,
        late: answers.filter(({ durationMs }) => durationMs > ANSWER_MAX_MS).length,
        lost: keys.length - stored.size,
        doubled: (await countRatings(url)) - keys.length,
        open: await openTransactions(url),
      }
    }
    type Score = Awaited<ReturnType<typeof submitMeanwhile>>
    const nothingWrong = { undefinedAnswers: 0, late: 0, lost: 0, doubled: 0, open: 0 }
    const isSound = (score: Score): boolean =>
      Object.keys(nothingWrong).every((name) => score[name as keyof typeof nothingWrong] === 0)

    const hold = async (holdMs = HOLD_MS): Promise<void> => {
      const holder = await createConnection({ uri: url })
      await holder.query('lock tables ratings write')
      await pause(holdMs)
      await holder.end()
    }

    test(`for ${HOLD_MS} ms: every submission is stored or told to come again, in time, and stored once`, async () => {
      const score = await submitMeanwhile(functions, () => hold())
      await reportDrill({
        drill: 'G',
        on: `${kind}, a held table`,
        figures: { ...score },
        passed: isSound(score),
      })
      expect(score).toMatchObject(nothingWrong)
      expect(score.refused).toBeGreaterThan(SUBMISSIONS / 2)
    })

    test('while the server is killed: the same', async () => {
      const score = await submitMeanwhile(functions, async () => {
        const holder = await createConnection({ uri: url })
        holder.on('error', () => undefined)
        await holder.query('lock tables ratings write')
        await pause(1000)
        await server().kill()
        await server().restart()
        holder.destroy()
      })
      await reportDrill({
        drill: 'G',
        on: `${kind}, killed while waiting`,
        figures: { ...score },
        passed: isSound(score),
      })
      expect(score).toMatchObject(nothingWrong)
      expect(score.refused).toBeGreaterThan(0)
    })

    test('the drill finds a function that waits as long as the server lets it', async () => {
      const broken = await openWebFunctions(
        scene.environment,
        'mysql',
        bundlePatched([
          {
            file: 'shared/wiring/database.ts',
            from: 'DATABASE_BUDGET_MS = 3000',
            to: 'DATABASE_BUDGET_MS = 60_000',
          },
          {
            file: 'shared/store/mysql-connection.ts',
            from: /`lock_wait_timeout = [^`]*`/,
            to: "'lock_wait_timeout = 3600'",
          },
        ]),
      )
      const isWrong = async (): Promise<boolean> =>
        !isSound(await submitMeanwhile(broken, () => hold(ANSWER_MAX_MS + 2000)))
      const variant = { drill: 'G', on: kind, variant: 'waits as long as the server lets it' }
      try {
        expect(await isFoundOut(variant, isWrong)).toBe(true)
      } finally {
        await broken.close()
      }
    })
  })
})

async function onConnection<T>(
  url: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await createConnection({ uri: url })
  try {
    return await work(connection)
  } finally {
    await connection.end()
  }
}

/** Keeps the second purse locked until `work` has come to an end. */
async function withRowKept(url: string, work: () => Promise<void>): Promise<void> {
  await onConnection(url, async (holder) => {
    await holder.query('start transaction')
    await holder.query('select amount from purses where id = 2 for update')
    await work()
    await holder.query('rollback')
  })
}

async function numberOf(url: string, sql: string): Promise<number> {
  return onConnection(url, async (connection) => {
    const [rows] = await connection.query(sql)
    return Number(Object.values((rows as object[])[0] ?? {})[0])
  })
}

function countRatings(url: string): Promise<number> {
  return numberOf(url, 'select count(*) from ratings')
}

/** Transactions that hold or wait for locks, once those under way have had a moment to end. */
async function openTransactions(url: string): Promise<number> {
  let open = 0
  for (let look = 0; look < 20; look++) {
    open = await numberOf(url, 'select count(*) from information_schema.innodb_trx')
    if (open === 0) break
    await pause(100)
  }
  return open
}
