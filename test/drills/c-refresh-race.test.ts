import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Db } from '../../shared/store/db.ts'
import { ask, type DrillAnswer } from '../support/drill-client.ts'
import { isFoundOut, isFullDrill, reportDrill } from '../support/drill-report.ts'
import { type LoggedInScene, logInOn } from '../support/drill-session.ts'
import { brokenRefreshes, isSoundRace, runRefreshRace } from '../support/refresh-race-drill.ts'
import { describeOnServers } from '../support/server-suites.ts'
import { type Door, doors } from '../support/store-doors.ts'
import { openWebFunctions, type WebFunctions } from '../support/web-functions.ts'

const ROUNDS = isFullDrill ? 200 : 20
const PARALLEL = isFullDrill ? 50 : 20

const available = doors.filter(({ isAvailable }) => isAvailable)

describe.each(isFullDrill ? available : available.filter(({ isOverTcp }) => isOverTcp))(
  `${PARALLEL} refreshes at once on two instances of $name`,
  ({ name, open }) => {
    let opened: Door
    let both: [Db, Db]
    beforeAll(async () => {
      opened = await open()
      await migrate(opened.db, { migrations: await readMigrations() })
      both = [opened.db, await opened.again()]
    })
    afterAll(() => opened?.close())

    test('give one successor, lock nobody out, and every true reuse ends the session', async () => {
      const score = await runRefreshRace({ doors: both, rounds: ROUNDS, parallel: PARALLEL })
      const passed = isSoundRace(score)
      const figures = { rounds: ROUNDS, parallel: PARALLEL, ...score }
      await reportDrill({ drill: 'C', on: name, figures, passed })
      expect(score).toEqual({
        distinctMax: 1,
        lockOuts: 0,
        reuses: ROUNDS / 5,
        reusesCaught: ROUNDS / 5,
      })
    }, 600_000)

    test.each(Object.entries(brokenRefreshes))(
      'a server that %s is found',
      async (what, change) => {
        const isWrong = async (): Promise<boolean> =>
          !isSoundRace(
            await runRefreshRace({ doors: both, rounds: 10, parallel: PARALLEL, change }),
          )
        expect(await isFoundOut({ drill: 'C', on: name, variant: what }, isWrong)).toBe(true)
      },
    )
  },
)

describeOnServers('refreshes at once in two processes', (suite) => {
  let scene: LoggedInScene
  let functions: WebFunctions
  let urls: string[]
  beforeAll(async () => {
    scene = await logInOn(await suite.freshDatabase())
    functions = await openWebFunctions(scene.environment, 'mysql')
    const processes = await Promise.all([functions.start('login'), functions.start('login')])
    urls = await Promise.all(processes.map(({ url }) => url))
  })
  afterAll(() => functions?.close())

  const refresh = (refreshToken: string, index: number): Promise<DrillAnswer> =>
    ask(urls[index % 2] ?? '', 'POST /login/refresh', { body: { refreshToken } })

  test('give one successor, and the token before the last one ends the session', async () => {
    const rounds = isFullDrill ? 100 : 10
    const history = [scene.refreshToken]
    let distinctMax = 0
    let lockOuts = 0
    const refusals = new Set<string>()
    for (let round = 0; round < rounds; round++) {
      const current = history.at(-1) ?? ''
      const answers = await Promise.all(
        Array.from({ length: PARALLEL }, (_, index) => refresh(current, index)),
      )
      const good = answers.filter(({ status }) => status === 200)
      for (const { status, body } of answers) {
        // To be told to ask again is no lock-out: the same token is still good.
        if (status !== 200) refusals.add(`${status} ${body?.code}`)
        if (status !== 200 && status !== 503) lockOuts++
      }
      distinctMax = Math.max(distinctMax, new Set(good.map(({ body }) => body.refreshToken)).size)
      history.push(good[round % good.length]?.body.refreshToken ?? current)
    }
    const stolen = await refresh(history.at(-3) ?? '', 0)
    const after = await refresh(history.at(-1) ?? '', 1)
    const passed =
      distinctMax === 1 && lockOuts === 0 && stolen.status === 401 && after.status === 401
    const figures = {
      rounds,
      parallel: PARALLEL,
      distinctMax,
      lockOuts,
      refusals: [...refusals].join(',') || 'none',
      reuse: stolen.status,
    }
    await reportDrill({ drill: 'C', on: `${suite.kind}, two processes`, figures, passed })
    expect({ distinctMax, lockOuts }).toEqual({ distinctMax: 1, lockOuts: 0 })
    expect([stolen.status, after.status]).toEqual([401, 401])
  })
})
