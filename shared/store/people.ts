/** People: who an openid is, session keys, phone numbers. Shard key `user_id`, but for the two small lookups. */

import { v7 as uuidV7 } from 'uuid'
import type { PersonStore } from '../ports.ts'
import { type Db, DbError } from './db.ts'
import { bytes, bytesOrNull, uuid, uuidOrNull, uuidToBytes } from './rows.ts'

/** Finding and noting people: all that a caller whom the platform vouches for needs. */
export function createPersonIdentities(db: Db): Pick<PersonStore, 'identify' | 'noteLogin'> {
  const findIdentity = async (appid: string, openid: string): Promise<string | undefined> => {
    const { rows } = await db.query(
      'select user_id from identities where appid = ? and openid = ?',
      [appid, openid],
    )
    return rows[0] && uuid(rows[0], 'user_id')
  }

  return {
    async identify({ appid, openid, atMs }) {
      const known = await findIdentity(appid, openid)
      if (known !== undefined) return known
      // Two first logins of one person at once end with the same user: the unique key decides.
      await db.query(
        'insert ignore into identities (appid, openid, user_id, created_at) values (?, ?, ?, ?)',
        [appid, openid, uuidToBytes(uuidV7({ msecs: atMs })), atMs],
      )
      const claimed = await findIdentity(appid, openid)
      if (claimed === undefined) throw new DbError('bad-answer', { outcome: 'unknown' })
      return claimed
    },

    async noteLogin({ userId, appid, openid, unionid, sessionKey, atMs }) {
      // MySQL assigns from left to right, so the older keys move on before the newest is replaced, and the
      // digest, which decides whether they move at all, comes last. Other databases use the old values throughout.
      const isNew =
        'values(session_key_1) is not null and (session_key_digest is null or session_key_digest <> values(session_key_digest))'
      await db.query(
        `insert into users (user_id, appid, openid, unionid, created_at, last_login_at, session_key_1, session_key_digest)
         values (?, ?, ?, ?, ?, ?, ?, ?)
         on duplicate key update
           unionid = coalesce(values(unionid), unionid),
           last_login_at = values(last_login_at),
           session_key_3 = if(${isNew}, session_key_2, session_key_3),
           session_key_2 = if(${isNew}, session_key_1, session_key_2),
           session_key_1 = if(${isNew}, values(session_key_1), session_key_1),
           session_key_digest = coalesce(values(session_key_digest), session_key_digest)`,
        [
          uuidToBytes(userId),
          appid,
          openid,
          unionid,
          atMs,
          atMs,
          sessionKey?.sealed ?? null,
          sessionKey?.digest ?? null,
        ],
      )
    },
  }
}

/** People in a database. */
export function createPersonStore(db: Db): PersonStore {
  return {
    ...createPersonIdentities(db),

    async sessionKeys(userId) {
      const { rows } = await db.query(
        'select session_key_1, session_key_2, session_key_3 from users where user_id = ?',
        [uuidToBytes(userId)],
      )
      const [row] = rows
      if (!row) return []
      return sessionKeyColumns.flatMap((column) => bytesOrNull(row, column) ?? [])
    },

    async resealSessionKey(userId, before, after) {
      for (const column of sessionKeyColumns) {
        await db.query(`update users set ${column} = ? where user_id = ? and ${column} = ?`, [
          after,
          uuidToBytes(userId),
          before,
        ])
      }
    },

    async phone(userId) {
      const { rows } = await db.query(
        'select phone_sealed, phone_digest from users where user_id = ? and phone_sealed is not null',
        [uuidToBytes(userId)],
      )
      const [row] = rows
      return (
        row && {
          sealed: bytes(row, 'phone_sealed'),
          isProved: bytesOrNull(row, 'phone_digest') !== null,
        }
      )
    },

    async bindPhone({ userId, sealed, digest, atMs }) {
      const user = uuidToBytes(userId)
      await db.query(
        `insert into phone_holders (phone_digest, user_id, previous_user_id, bound_at) values (?, ?, null, ?)
         on duplicate key update previous_user_id = user_id, user_id = values(user_id), bound_at = values(bound_at)`,
        [digest, user, atMs],
      )
      const previous = (await holder(db, digest))?.previousUserId
      if (previous && previous !== userId) await loosenPhone(db, previous, digest)
      await db.query('update users set phone_sealed = ?, phone_digest = ? where user_id = ?', [
        sealed,
        digest,
        user,
      ])
      // Somebody else may have proved the same number in between; the last one holds it.
      if ((await holder(db, digest))?.userId !== userId) await loosenPhone(db, userId, digest)
    },

    async notePhone(userId, sealed) {
      await db.query(
        'update users set phone_sealed = ? where user_id = ? and phone_digest is null',
        [sealed, uuidToBytes(userId)],
      )
    },

    async forget({ userId, appid, openid }) {
      const user = uuidToBytes(userId)
      const { rows } = await db.query('select phone_digest from users where user_id = ?', [user])
      const digest = rows[0] && bytesOrNull(rows[0], 'phone_digest')
      if (digest) {
        await db.query('delete from phone_holders where phone_digest = ? and user_id = ?', [
          digest,
          user,
        ])
      }
      await db.query('delete from users where user_id = ?', [user])
      await db.query('delete from sessions where user_id = ?', [user])
      await db.query('delete from identities where appid = ? and openid = ?', [appid, openid])
    },
  }
}

const sessionKeyColumns = ['session_key_1', 'session_key_2', 'session_key_3'] as const

async function holder(
  db: Db,
  digest: Uint8Array,
): Promise<{ userId: string; previousUserId: string | null } | undefined> {
  const { rows } = await db.query(
    'select user_id, previous_user_id from phone_holders where phone_digest = ?',
    [digest],
  )
  const [row] = rows
  return (
    row && { userId: uuid(row, 'user_id'), previousUserId: uuidOrNull(row, 'previous_user_id') }
  )
}

async function loosenPhone(db: Db, userId: string, digest: Uint8Array): Promise<void> {
  await db.query(
    'update users set phone_sealed = null, phone_digest = null where user_id = ? and phone_digest = ?',
    [uuidToBytes(userId), digest],
  )
}
