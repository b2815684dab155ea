/** Drill C: one refresh token presented many times at once, by clients that lost answers, and by thieves. */

import { randomBytes } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import type { AccessClaims, SessionStore, Sessions } from '../../shared/ports.ts'
import { REFRESH_GRACE_MS } from '../../shared/session/refresh-token.ts'
import { createSessions, type SessionOptions } from '../../shared/session/sessions.ts'
import { createTokenSigner } from '../../shared/session/token.ts'
import type { Db } from '../../shared/store/db.ts'
import { createPersonStore } from '../../shared/store/people.ts'
import { createSessionStore } from '../../shared/store/sessions.ts'

export interface RefreshRace {
  /** A door for each of two instances, to one migrated database. */
  doors: readonly [Db, Db]
  rounds: number
  parallel: number
  /** Makes a broken server of it. */
  change?: (options: SessionOptions) => SessionOptions
}

export interface RaceScore {
  /** Most different successors one round of parallel refreshes gave. */
  distinctMax: number
  /** Rounds after which an honest client could not go on. */
  lockOuts: number
  reuses: number
  reusesCaught: number
}

/** One true reuse in so many rounds. */
const ROUNDS_PER_REUSE = 5

/** Rounds of parallel refreshes on two instances; then everybody goes on with what they got, and a thief tries an old token. */
export async function runRefreshRace(race: RefreshRace): Promise<RaceScore> {
  const { doors, rounds, parallel, change = (options) => options } = race
  const key = { kid: 'k1', secret: new Uint8Array(randomBytes(32)) }
  let nowMs = Date.UTC(2026, 0, 1)
  const now = (): number => nowMs
  const instances = doors.map((db): Sessions => {
    const tokens = createTokenSigner({
      keys: [key],
      issuer: 'i',
      audience: 'a',
      lifetimeSeconds: 900,
      clockToleranceSeconds: 60,
      now,
    })
    const store = createSessionStore(db)
    return createSessions(
      change({ store, tokens, keys: [key], now, maxAgeMs: 180 * 24 * 60 * 60 * 1000 }),
    )
  })
  const instance = (index: number): Sessions => instances[index % 2] as Sessions
  const userId = await createPersonStore(doors[0]).noteLogin({
    appid: 'wxapp',
    openid: `o${uuidV7()}`,
    unionid: null,
    sessionKeyOf: () => null,
    atMs: nowMs,
  })
  const start = async () =>
    (await instance(0).start({ userId, kind: 'code', device: '', proofHash: null })).refreshToken

  const score: RaceScore = { distinctMax: 0, lockOuts: 0, reuses: 0, reusesCaught: 0 }
  let history = [await start()]
  for (let round = 0; round < rounds; round++) {
    const current = history.at(-1) ?? ''
    const answers = await Promise.allSettled(
      Array.from({ length: parallel }, (_, index) => instance(index).refresh(current, undefined)),
    )
    // And one whose answer was lost, who asks again while the grace lasts.
    answers.push(...(await Promise.allSettled([instance(round).refresh(current, undefined)])))
    const tokens = answers.map((each) =>
      each.status === 'fulfilled' ? each.value.refreshToken : '',
    )
    score.distinctMax = Math.max(score.distinctMax, new Set(tokens.filter(Boolean)).size)
    nowMs += REFRESH_GRACE_MS + 1
    // Any of the answers may be the one the client kept.
    const kept = tokens[(round * 7) % parallel] ?? ''
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
    if (round % ROUNDS_PER_REUSE !== ROUNDS_PER_REUSE - 1) continue

    // The token before the current one after its grace, or the one before that: neither is the client’s any more.
    score.reuses++
    const stolen = history.at(score.reuses % 2 === 0 ? -2 : -3) ?? ''
    await instance(round)
      .refresh(stolen, undefined)
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
  return score
}

/** Whether every promise held. */
export function isSoundRace({ distinctMax, lockOuts, reuses, reusesCaught }: RaceScore): boolean {
  return distinctMax === 1 && lockOuts === 0 && reuses > 0 && reusesCaught === reuses
}

/** Servers as they should not be. */
export const brokenRefreshes: Readonly<
  Record<string, (options: SessionOptions) => SessionOptions>
> = {
  'reads, then updates': (options) => ({ ...options, store: readThenUpdate(options.store) }),
  'knows no grace': (options) => ({ ...options, graceMs: 0 }),
  'makes random successors': (options) => ({
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
  'never ends a session': (options) => ({
    ...options,
    store: { ...options.store, end: async () => true },
  }),
}

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
