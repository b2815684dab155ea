/**
 * A session as part of another statement, for stores in one database: it spares a round trip, and between the look and what
 * depends on it there is no moment in which the session could end. Sessions and ratings have different shard keys, so a
 * sharded store takes two statements (`createSessionLookup`).
 */

import type { UncheckedSession } from '../ports.ts'
import type { Db, SqlValue } from './db.ts'
import { uuidToBytes } from './rows.ts'

/** A session and the moment, by an instance's clock, at which it has to live. */
export interface LookedAtSession extends UncheckedSession {
  atMs: number
}

/** What follows `select`: the user of a session that lives, of a person who is there, with the secret it is bound to. */
export const LIVING_SESSION = `s.user_id from sessions s join users u on u.user_id = s.user_id
   where s.user_id = ? and s.session_id = ? and s.ended_at is null and s.expires_at > ? and u.left_at is null
   and if(s.proof_hash is null, 1, s.proof_hash = ?)`

/** The values of `LIVING_SESSION`. */
export function livingValues({ userId, sessionId, atMs, proofHash }: LookedAtSession): SqlValue[] {
  return [uuidToBytes(userId), uuidToBytes(sessionId), atMs, proofHash]
}

/** Whether the session lives, for who has to know why a statement with it was refused. */
export async function isLiving(db: Db, session: LookedAtSession): Promise<boolean> {
  const { rows } = await db.query(`select ${LIVING_SESSION}`, livingValues(session))
  return rows.length === 1
}
