import { v7 as uuidV7 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Db } from '../../shared/store/db.ts'
import { createRatingStore } from '../../shared/store/ratings.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { backupWays } from '../support/backup.ts'
import { startScript } from '../support/local-command.ts'
import { rating } from '../support/ratings.ts'
import { describeOnServers } from '../support/server-suites.ts'
import { startWorld, type World } from '../support/world.ts'

const ACCOUNT = '13800138000'
const HOUR_MS = 60 * 60 * 1000

/** The procedure of scripts/README.md: what is accepted again after a restore, and that it ends what it has to. */
describeOnServers('an older backup put back', ({ freshDatabase }) => {
  describe.each(backupWays())('of $name', ({ isAvailable, take }) => {
    let url: string
    let db: Db
    let world: World
    beforeEach(async () => {
      if (!isAvailable) return
      url = await freshDatabase()
      world = await startWorld({ databaseUrl: url })
      db = await openDb(url)
    })
    afterEach(async () => {
      await db?.close()
      await world?.close()
    })

    const command = async (name: string, ...args: string[]): Promise<string> => {
      const ran = startScript(name, [...args, '--stage', 'local', '--database', url])
      expect([await ran.exited, ran.output()]).toEqual([0, expect.any(String)])
      return ran.output()
    }
    const submit = (token: string) =>
      world.call('POST /score', { token, body: rating({ acc_nbr: ACCOUNT }) })
    const refresh = (refreshToken: string) =>
      world.call('POST /login/refresh', { body: { refreshToken } })
    const statusOf = async (token: string) => (await world.call('GET /score', { token })).status

    test.skipIf(!isAvailable)(
      'lives on when the procedure was followed: ended sessions stay ended, counts are exact',
      async () => {
        const loggedOut = await world.logIn()
        const refreshed = await world.logIn()
        const author = await world.logIn()
        const store = createRatingStore(db, Date.now)
        const addOld = (userId: string) => {
          const insertTimeMs = Date.now() - HOUR_MS
          const grades = { grade1: 5, grade2: 4, grade3: 3, txt1: '', txt2: '', txt3: '' }
          const id = uuidV7({ msecs: insertTimeMs })
          const score = { ...grades, id, userId, acc_nbr: ACCOUNT, insertTimeMs }
          return store.addScore({ ...score, idempotencyKey: null })
        }
        for (let index = 0; index < 30; index++) await addOld(author.userId)
        await command('counts.ts', 'fold')

        // Submissions go on while the backup is taken, and after it.
        let isOver = false
        const submitting = (async () => {
          while (!isOver) await submit(author.token)
        })()
        const backup = await take(url)
        await world.call('POST /logout', { token: loggedOut.token })
        const next = await refresh(refreshed.refreshToken)
        for (let index = 0; index < 30; index++) await addOld(author.userId)
        isOver = true
        await submitting
        await command('counts.ts', 'fold')
        expect(await statusOf(loggedOut.token)).toBe(401)

        await backup.restore()
        // Why there is a procedure.
        expect(await statusOf(loggedOut.token)).toBe(200)
        expect((await refresh(refreshed.refreshToken)).status).toBe(200)

        expect(await command('migrate.ts')).toContain('Nothing to apply')
        expect(await command('sessions.ts', 'end-all', '--dry-run')).toContain(
          'There are 3 sessions of 3 people.',
        )
        expect(await command('sessions.ts', 'end-all')).toContain('Ended 3 sessions of 3 people.')
        expect(await command('counts.ts', 'rebuild')).toContain('counted anew')

        // What a mini program sees: 401, no refresh, and a login that needs nobody.
        expect(await statusOf(loggedOut.token)).toBe(401)
        for (const refreshToken of [refreshed.refreshToken, next.body.refreshToken]) {
          expect(await refresh(refreshToken)).toMatchObject({
            status: 401,
            body: { code: 'refresh-rejected', retry: 'login' },
          })
        }
        const back = await world.logIn(author.openid)
        expect(back.userId).toBe(author.userId)
        expect((await submit(back.token)).status).toBe(201)
        const { rows } = await db.query('select count(*) as row_count from ratings')
        const summary = await world.call('POST /query/summary', {
          token: back.token,
          body: { acc_nbr: ACCOUNT },
        })
        expect(summary.body.count).toBe(Number(rows[0]?.row_count))
        expect(summary.body.count).toBeGreaterThanOrEqual(31)
      },
      120_000,
    )
  })
})
