/** A migrated database with somebody logged in, and what functions on it are given. */

import { migrate, readMigrations } from '../../scripts/database/migrations.ts'
import type { Sessions } from '../../shared/ports.ts'
import { createSessions } from '../../shared/session/sessions.ts'
import { createTokenSigner } from '../../shared/session/token.ts'
import { createPersonStore } from '../../shared/store/people.ts'
import { createSessionStore } from '../../shared/store/sessions.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { randomKey } from './world.ts'

export interface LoggedInScene {
  environment: Record<string, string>
  userId: string
  /** Good for a day. */
  token: string
  refreshToken: string
  sessionId: string
}

const APPID = 'wx0123456789abcdef'
const DAY_SECONDS = 86_400

/** Migrates the database and logs somebody in, without WeChat. */
export async function logInOn(databaseUrl: string): Promise<LoggedInScene> {
  const environment: Record<string, string> = {
    TOKEN_KEYS: randomKey('k1'),
    SEALING_KEYS: randomKey('s1'),
    LOOKUP_KEY: randomKey('').slice(1),
    WECHAT_APPID: APPID,
    WECHAT_SECRET: 'secret-of-the-drill',
    WECHAT_API_URL: 'http://127.0.0.1:9',
    ACCESS_TOKEN_SECONDS: `${DAY_SECONDS}`,
    LIMITS: 'off',
    DATABASE_URL: databaseUrl,
  }
  const db = await openDb(databaseUrl)
  try {
    await migrate(db, { migrations: await readMigrations() })
    const userId = await createPersonStore(db).noteLogin({
      appid: APPID,
      openid: 'oCrowd',
      unionid: null,
      sessionKeyOf: () => null,
      atMs: Date.now(),
    })
    const keys = [signingKeyOf(environment)]
    const tokens = createTokenSigner({
      keys,
      issuer: 'miniscore',
      audience: APPID,
      lifetimeSeconds: DAY_SECONDS,
      clockToleranceSeconds: 60,
      now: Date.now,
    })
    const sessions: Sessions = createSessions({
      store: createSessionStore(db),
      tokens,
      keys,
      now: Date.now,
      maxAgeMs: DAY_SECONDS * 1000,
    })
    const { token, refreshToken, sessionId } = await sessions.start({
      userId,
      kind: 'code',
      device: '',
      proofHash: null,
    })
    return { environment, userId, token, refreshToken, sessionId }
  } finally {
    await db.close()
  }
}

/** The first key of `TOKEN_KEYS`. */
export function signingKeyOf({ TOKEN_KEYS = '' }: Record<string, string>) {
  const [kid = '', secret = ''] = TOKEN_KEYS.split(':')
  return { kid, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }
}
