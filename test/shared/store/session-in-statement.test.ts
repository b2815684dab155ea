import { createHash } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { NewScore, UncheckedSession } from '../../../shared/ports.ts'
import { createSessions } from '../../../shared/session/sessions.ts'
import { createPersonStore } from '../../../shared/store/people.ts'
import { createRatingStore } from '../../../shared/store/ratings.ts'
import { createSessionStore } from '../../../shared/store/sessions.ts'
import { recordStatements } from '../../support/recording-db.ts'
import { type Door, doors } from '../../support/store-doors.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const proofHash = createHash('sha256').update('secret').digest()
const latest = { atMost: 1, per: 'ever', further: 'replace-last' } as const

describe.each(doors.filter(({ isAvailable }) => isAvailable))(
  'a submission that looks at its session, on $name',
  ({ open }) => {
    let door: Door
    beforeAll(async () => {
      door = await open()
      await migrate(door.db, { migrations: await readMigrations() })
    })
    afterAll(() => door?.close())

    async function logIn({ now = Date.now, proof = null as Uint8Array | null } = {}) {
      const login = { appid: 'wxapp', openid: uuidV7(), unionid: null, atMs: now() }
      const userId = await createPersonStore(door.db).noteLogin({
        ...login,
        sessionKeyOf: () => null,
      })
      const sessions = createSessions({
        store: createSessionStore(door.db),
        tokens: { sign: async () => ({ token: '', expiresInSeconds: 1 }) },
        keys: [{ kid: 'k1', secret: Buffer.alloc(32, 7) }],
        now,
        maxAgeMs: 180 * DAY_MS,
      })
      const { sessionId, refreshToken } = await sessions.start({
        userId,
        kind: 'code',
        device: '',
        proofHash: proof,
      })
      const session: UncheckedSession = { userId, sessionId, proofHash: null }
      const score: NewScore = {
        ...{ acc_nbr: '13800138000', grade1: 5, grade2: 4, grade3: null },
        ...{ txt1: '', txt2: '', txt3: '', userId, idempotencyKey: null },
      }
      return { session, score, sessions, refreshToken }
    }
    const stored = async (userId: string) =>
      (
        await createRatingStore(door.db, Date.now).scoresByAuthor(userId, {
          before: null,
          limit: 9,
        })
      ).length

    test('is one statement', async () => {
      const { session, score } = await logIn()
      const { db, statements } = recordStatements(door.db)
      const added = await createRatingStore(db, Date.now).addScore(score, latest, session)
      expect(added.result).toBe('added')
      expect(statements).toHaveLength(1)
    })

    test.each<
      [
        what: string,
        spoil: (logged: Awaited<ReturnType<typeof logIn>>) => Promise<unknown> | unknown,
      ]
    >([
      ['ended', ({ session }) => createSessionStore(door.db).end(session, Date.now())],
      ['expired', () => undefined],
      [
        'of somebody who left',
        ({ session }) => createPersonStore(door.db).leave(session.userId, Date.now()),
      ],
      ['of nobody', ({ session }) => Object.assign(session, { sessionId: uuidV7() })],
      [
        'somebody else’s',
        async ({ session }) =>
          Object.assign(session, { sessionId: (await logIn()).session.sessionId }),
      ],
      ['bound to a secret that did not come along', () => undefined],
      [
        'bound to another secret',
        ({ session }) => Object.assign(session, { proofHash: Buffer.alloc(32) }),
      ],
    ])('stores nothing when the session is %s, first or further', async (what, spoil) => {
      const longAgo = () => Date.now() - 200 * DAY_MS
      const logged = await logIn({
        ...(what === 'expired' ? { now: longAgo } : {}),
        proof: what.startsWith('bound') ? proofHash : null,
      })
      const { session, score } = logged
      const store = createRatingStore(door.db, Date.now)
      await spoil(logged)
      expect(await store.addScore(score, latest, session)).toEqual({ result: 'no-session' })
      expect(await stored(score.userId)).toBe(0)

      // In the transaction that replaces, too, and whatever an earlier submission under this key came to.
      const keyed = { ...score, idempotencyKey: 'k' }
      await store.addScore(keyed, latest)
      for (const further of [score, keyed, { ...keyed, grade1: 1 }]) {
        expect(await store.addScore(further, latest, session)).toEqual({ result: 'no-session' })
      }
      expect(await stored(score.userId)).toBe(1)
    })

    test('is let in with the secret that its session is bound to', async () => {
      const { session, score } = await logIn({ proof: proofHash })
      const store = createRatingStore(door.db, Date.now)
      const proved = { ...session, proofHash }
      expect(await store.addScore(score, latest, proved)).toMatchObject({ result: 'added' })
    })

    test('and whose instance has a wrong clock is told apart from one without a session', async () => {
      const { session, score } = await logIn()
      const store = createRatingStore(door.db, () => Date.now() + HOUR_MS)
      expect(await store.addScore(score, latest, session)).toMatchObject({ result: 'added' })
      await createSessionStore(door.db).end(session, Date.now())
      expect(await store.addScore(score, latest, session)).toEqual({ result: 'no-session' })
    })

    test('is not disturbed by refreshes of the same session', async () => {
      const { session, score, sessions, refreshToken } = await logIn()
      const instances = [door.db, await door.again()]
      let token = refreshToken
      const refreshing = (async () => {
        for (let round = 0; round < 10; round++) {
          token = (await sessions.refresh(token, undefined)).refreshToken
        }
      })()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          createRatingStore(instances[index % 2] ?? door.db, Date.now).addScore(
            { ...score, acc_nbr: `1380013${1000 + index}` },
            latest,
            session,
          ),
        ),
      )
      await refreshing
      expect(answers.map(({ result }) => result)).toEqual(Array(20).fill('added'))
    })
  },
)
