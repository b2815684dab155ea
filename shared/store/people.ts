/** People: who an openid is, session keys, phone numbers. Shard key `user_id`, but for the two small lookups. */

import { v7 as uuidV7 } from 'uuid'
import type { Login, PersonStore } from '../ports.ts'
import { type Db, DbError, isDuplicateKey } from './db.ts'
import {
  bytes,
  bytesOrNull,
  integer,
  integerOrNull,
  isSameBytes,
  text,
  uuid,
  uuidOrNull,
  uuidToBytes,
} from './rows.ts'

/** Finding and noting people: all that a caller whom the platform vouches for needs. */
export function createPersonIdentities(db: Db): Pick<PersonStore, 'identify' | 'noteLogin'> {
  const findIdentity = async (appid: string, openid: string): Promise<string | undefined> => {
    const { rows } = await db.query(
      'select user_id from identities where appid = ? and openid = ?',
      [appid, openid],
    )
    return rows[0] && uuid(rows[0], 'user_id')
  }
  const identify: PersonStore['identify'] = async ({ appid, openid, atMs }) => {
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
  }

  return {
    identify,

    async noteLogin(login) {
      const { appid, openid } = login
      for (let attempt = 1; attempt <= NOTE_ATTEMPTS_MAX; attempt++) {
        const userId = await identify(login)
        if (await noteUser(db, userId, login)) return userId
        // They left, and their leaving was cut off before it came to this row: whoever logs in now is somebody new.
        await dropIdentity(db, { userId, appid, openid })
      }
      throw new DbError('bad-answer', { outcome: 'none' })
    },
  }
}

/** Who logs in while their leaving is under way is somebody new at the second attempt. */
const NOTE_ATTEMPTS_MAX = 3

/** Notes a login at the user's row, which is made when there is none. False when this user left. */
async function noteUser(
  db: Db,
  userId: string,
  { appid, openid, unionid, sessionKeyOf, atMs }: Login,
): Promise<boolean> {
  const user = uuidToBytes(userId)
  const { sealed = null, digest = null } = sessionKeyOf(userId) ?? {}
  const note = async (): Promise<boolean> => {
    // MySQL assigns from left to right, so the older keys move on before the newest is replaced, and the
    // digest, which decides whether they move at all, comes last. Other databases use the old values throughout.
    const isNew = '? is not null and (session_key_digest is null or session_key_digest <> ?)'
    const { rowsAffected } = await db.query(
      `update users set
         unionid = coalesce(?, unionid),
         last_login_at = ?,
         session_key_3 = if(${isNew}, session_key_2, session_key_3),
         session_key_2 = if(${isNew}, session_key_1, session_key_2),
         session_key_1 = if(${isNew}, ?, session_key_1),
         session_key_digest = coalesce(?, session_key_digest)
       where user_id = ? and left_at is null`,
      [unionid, atMs, ...[digest, digest, digest, digest, digest, digest], sealed, digest, user],
    )
    return rowsAffected > 0
  }
  if (await note()) return true
  try {
    await db.query(
      `insert into users (user_id, appid, openid, unionid, created_at, last_login_at, session_key_1, session_key_digest)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      [user, appid, openid, unionid, atMs, atMs, sealed, digest],
    )
    return true
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  // Made by another login in this moment, or left.
  if (await note()) return true
  const { rows } = await db.query('select left_at from users where user_id = ?', [user])
  return rows[0] !== undefined && integerOrNull(rows[0], 'left_at') === null
}

async function dropIdentity(
  db: Db,
  { userId, appid, openid }: { userId: string; appid: string; openid: string },
): Promise<void> {
  await db.query('delete from identities where appid = ? and openid = ? and user_id = ?', [
    appid,
    openid,
    uuidToBytes(userId),
  ])
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
        'select phone_sealed, phone_bound_at from users where user_id = ? and phone_sealed is not null',
        [uuidToBytes(userId)],
      )
      const [row] = rows
      return (
        row && {
          sealed: bytes(row, 'phone_sealed'),
          isProved: integerOrNull(row, 'phone_bound_at') !== null,
        }
      )
    },

    async bindPhone({ userId, sealed, digest, atMs }) {
      const user = uuidToBytes(userId)
      await db.query(
        // Whose it is decides about the others, so it is assigned last. TiDB would write it over a plain copy: hence unhex(hex(…)).
        `insert into phone_holders (phone_digest, user_id, previous_user_id, bound_at, held_since) values (?, ?, null, ?, 0)
         on duplicate key update
           previous_user_id = if(user_id = values(user_id), previous_user_id, unhex(hex(user_id))),
           held_since = if(user_id = values(user_id), held_since, values(bound_at)),
           bound_at = values(bound_at),
           user_id = values(user_id)`,
        [digest, user, atMs],
      )
      const { previousUserId: previous = null, heldSinceMs = 0 } = (await holder(db, digest)) ?? {}
      if (previous !== null && previous !== userId) await loosenPhone(db, previous, digest)
      await releaseNumbers(db, userId, digest)
      await db.query(
        `update users set phone_sealed = ?, phone_digest = ?, phone_bound_at = ?, phone_since = ?
         where user_id = ? and left_at is null`,
        [sealed, digest, atMs, heldSinceMs, user],
      )
      // Somebody else may have proved the same number in between; the last one holds it.
      if ((await holder(db, digest))?.userId !== userId) await loosenPhone(db, userId, digest)
      return { wasTakenOver: heldSinceMs === atMs && previous !== NOBODYS_ID }
    },

    async phoneHolder(digest) {
      const userId = (await holder(db, digest))?.userId
      return userId === NOBODYS_ID ? undefined : userId
    },

    async unbindPhone(userId) {
      await db.query(
        `update users set phone_sealed = null, phone_digest = null, phone_bound_at = null, phone_since = null
         where user_id = ?`,
        [uuidToBytes(userId)],
      )
      await releaseNumbers(db, userId)
    },

    async notePhone(userId, sealed) {
      await db.query(
        'update users set phone_sealed = ? where user_id = ? and phone_bound_at is null and left_at is null',
        [sealed, uuidToBytes(userId)],
      )
    },

    async leave(userId, atMs) {
      await db.query(
        `update users set left_at = ?, unionid = null, session_key_1 = null, session_key_2 = null, session_key_3 = null,
           session_key_digest = null, phone_sealed = null, phone_digest = null, phone_bound_at = null, phone_since = null
         where user_id = ? and left_at is null`,
        [atMs, uuidToBytes(userId)],
      )
    },

    async erase(userId) {
      const user = uuidToBytes(userId)
      const { rows } = await db.query('select appid, openid from users where user_id = ?', [user])
      for (const row of rows) {
        await dropIdentity(db, { userId, appid: text(row, 'appid'), openid: text(row, 'openid') })
      }
      await db.query('delete from sessions where user_id = ?', [user])
      await releaseNumbers(db, userId)
      await forgetFormerHolder(db, userId)
      for (;;) {
        const claims = await db.query(
          'select code_digest from code_claims where user_id = ? limit ?',
          [user, ERASE_BATCH],
        )
        for (const row of claims.rows) {
          await db.query('delete from code_claims where code_digest = ?', [
            bytes(row, 'code_digest'),
          ])
        }
        if (claims.rows.length < ERASE_BATCH) return
      }
    },

    async whoLeft(beforeMs) {
      const { rows } = await db.query(
        'select user_id from users where left_at < ? order by left_at limit ?',
        [beforeMs, 1],
      )
      return rows[0] && uuid(rows[0], 'user_id')
    },

    async eraseLast(userId) {
      await db.query('delete from users where user_id = ? and left_at is not null', [
        uuidToBytes(userId),
      ])
    },
  }
}

/** Rows found at a time, each deleted by its key. */
const ERASE_BATCH = 200

/** Stands where a person was who is not there any more. */
const NOBODY = new Uint8Array(16)
const NOBODYS_ID = '00000000-0000-0000-0000-000000000000'

/**
 * Numbers that somebody holds, but for one, are held by nobody: whoever proves one later can be told from its first
 * holder, and does not get to read what was written about somebody else.
 */
async function releaseNumbers(db: Db, userId: string, kept?: Uint8Array): Promise<void> {
  const user = uuidToBytes(userId)
  const { rows } = await db.query('select phone_digest from phone_holders where user_id = ?', [
    user,
  ])
  for (const digest of rows.map((row) => bytes(row, 'phone_digest'))) {
    if (kept !== undefined && isSameBytes(digest, kept)) continue
    await db.query(
      'update phone_holders set user_id = ?, previous_user_id = null where phone_digest = ? and user_id = ?',
      [NOBODY, digest, user],
    )
  }
}

async function forgetFormerHolder(db: Db, userId: string): Promise<void> {
  const user = uuidToBytes(userId)
  const { rows } = await db.query(
    'select phone_digest from phone_holders where previous_user_id = ?',
    [user],
  )
  for (const row of rows) {
    await db.query(
      'update phone_holders set previous_user_id = null where phone_digest = ? and previous_user_id = ?',
      [bytes(row, 'phone_digest'), user],
    )
  }
}

const sessionKeyColumns = ['session_key_1', 'session_key_2', 'session_key_3'] as const

async function holder(
  db: Db,
  digest: Uint8Array,
): Promise<{ userId: string; previousUserId: string | null; heldSinceMs: number } | undefined> {
  const { rows } = await db.query(
    'select user_id, previous_user_id, held_since from phone_holders where phone_digest = ?',
    [digest],
  )
  const [row] = rows
  return (
    row && {
      userId: uuid(row, 'user_id'),
      previousUserId: uuidOrNull(row, 'previous_user_id'),
      heldSinceMs: integer(row, 'held_since'),
    }
  )
}

async function loosenPhone(db: Db, userId: string, digest: Uint8Array): Promise<void> {
  await db.query(
    'update users set phone_sealed = null, phone_digest = null, phone_bound_at = null, phone_since = null where user_id = ? and phone_digest = ?',
    [uuidToBytes(userId), digest],
  )
}
