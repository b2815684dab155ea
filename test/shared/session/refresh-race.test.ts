import { randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { AccessClaims, SessionStore, Sessions } from '../../../shared/ports.ts'
import { REFRESH_GRACE_MS } from '../../../shared/session/refresh-token.ts'
import { createSessions, type SessionOptions } from '../../../shared/session/sessions.ts'
import { createTokenSigner } from '../../../shared/session/token.ts'
import { createPersonStore } from '../../../shared/store/people.ts'
import { createSessionStore } from '../../../shared/store/sessions.ts'
import { type Door, doors } from '../../support/store-doors.ts'

const PARALLEL = 50
const key = { kid: 'k1', secret: new Uint8Array(randomBytes(32)) }

/** Two hundred rounds over TCP take seconds, on all servers together; the other doors say the same in the contract. */
const overTcp = doors.filter(({ isAvailable, isOverTcp }) => isAvailable && isOverTcp)
const fullRounds = overTcp.length > 0 ? 200 / overTcp.length : 20

let opened: Door
let stores: SessionStore[]
let nowMs = Date.UTC(2026, 0, 1)

interface Score {
  /** Most different successors one round of parallel refreshes gave. */
  distinctMax: number
  /** Rounds after which an honest client could not go on. */
  lockOuts: number
  reuses: number
  reusesCaught: number
}

/** Rounds of parallel refreshes on two instances; then everybody goes on with what they got, and a thief tries an old token. */
async function drill(
  rounds: number,
  change: (options: SessionOptions) => SessionOptions,
): Promise<Score> {
  const instances = stores.map((store): Sessions => {
    const now = (): number => nowMs
    const tokens = createTokenSigner({
      keys: [key],
      issuer: 'i',
      audience: 'a',
      lifetimeSeconds: 900,
      clockToleranceSeconds: 60,
      now,
    })
    return createSessions(
      change({ store, tokens, keys: [key], now, maxAgeMs: 180 * 24 * 60 * 60 * 1000 }),
    )
  })
  const instance = (index: number): Sessions => instances[index % 2] as Sessions
  const userId = await createPersonStore(opened.db).noteLogin({
    appid: 'wxapp',
    openid: `o${uuidV7()}`,
    unionid: null,
    sessionKeyOf: () => null,
    atMs: nowMs,
  })
  const start = async () =>
    (await instance(0).start({ userId, kind: 'code', device: '', proofHash: null })).refreshToken

  const score: Score = { distinctMax: 0, lockOuts: 0, reuses: 0, reusesCaught: 0 }
  let history = [await start()]
  for (let round = 0; round < rounds; round++) {
    const current = history.at(-1) ?? ''
    const answers = await Promise.allSettled(
      Array.from({ length: PARALLEL }, (_, index) => instance(index).refresh(current, undefined)),
    )
    // And one whose answer was lost, who asks again while the grace lasts.
    answers.push(...(await Promise.allSettled([instance(round).refresh(current, undefined)])))
    const tokens = answers.map((each) =>
      each.status === 'fulfilled' ? each.value.refreshToken : '',
    )
    score.distinctMax = Math.max(score.distinctMax, new Set(tokens.filter(Boolean)).size)
    nowMs += REFRESH_GRACE_MS + 1
    // Any of the fifty answers may be the one the client kept.
    const kept = tokens[(round * 7) % PARALLEL] ?? ''
    const next = await instance(round)
      .refresh(kept, undefined)
      .catch(() => undefined)
    if (tokens.includes('') || !next) {
      score.lockOuts++
      history = [await start()]
      continue
    }
    history.push(kept, next.refreshToken)
    nowMs += REFRESH_GRACE_MS + 1

    if (round % 10 === 9) {
      score.reuses++
      await instance(round)
        .refresh(history.at(-2) ?? '', undefined)
        .catch(() => {})
      const isDead = await instance(round + 1)
        .refresh(next.refreshToken, undefined)
        .then(
          () => false,
          () => true,
        )
      if (isDead) score.reusesCaught++
      history = [await start()]
    }
  }
  return score
}

function isSound({ distinctMax, lockOuts, reuses, reusesCaught }: Score): boolean {
  return distinctMax === 1 && lockOuts === 0 && reuses > 0 && reusesCaught === reuses
}

describe.each(overTcp.length > 0 ? overTcp : doors.slice(0, 1))(
  'fifty refreshes at once on two instances of $name',
  ({ open }) => {
    beforeAll(async () => {
      opened = await open()
      await migrate(opened.db, { migrations: await readMigrations() })
      stores = [createSessionStore(opened.db), createSessionStore(await opened.again())]
    })
    afterAll(() => opened?.close())

    test('give one successor, lock nobody out, and every true reuse ends the session', async () => {
      const score = await drill(fullRounds, (options) => options)
      expect(score).toEqual({
        distinctMax: 1,
        lockOuts: 0,
        reuses: fullRounds / 10,
        reusesCaught: fullRounds / 10,
      })
    }, 60_000)

    test.each<[string, (options: SessionOptions) => SessionOptions]>([
      ['reads, then updates', (options) => ({ ...options, store: readThenUpdate(options.store) })],
      ['knows no grace', (options) => ({ ...options, graceMs: 0 })],
      [
        'makes random successors',
        (options) => ({
          ...options,
          keys: [
            {
              kid: 'k1',
              get secret() {
                return new Uint8Array(randomBytes(32))
              },
            },
          ],
        }),
      ],
      [
        'never ends a session',
        (options) => ({ ...options, store: { ...options.store, end: async () => true } }),
      ],
    ])('the drill finds a server that %s', async (_name, change) => {
      expect(isSound(await drill(10, change))).toBe(false)
    })
  },
)

function readThenUpdate(store: SessionStore): SessionStore {
  return {
    ...store,
    // Writes whatever the row holds by then, like an UPDATE without the condition on the token.
    async rotate(claims: AccessClaims, rotation) {
      for (let attempt = 0; attempt < 3; attempt++) {
        const session = await store.find(claims)
        if (!session) return false
        const presentedHash = session.refreshHash
        if (await store.rotate(claims, { ...rotation, presentedHash })) return true
      }
      // MySQL does not count a row that was rewritten with what it held.
      return true
    },
  }
}
