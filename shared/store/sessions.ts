/** Sessions. Shard key `user_id`. */

import type { HeldNumber, SessionKind, SessionRecord, SessionStore } from '../ports.ts'
import { type Db, DbError, type SqlRow, type SqlValue } from './db.ts'
import { bytes, bytesOrNull, integer, integerOrNull, text, uuid, uuidToBytes } from './rows.ts'

/** The one look at a session that every authenticated call takes. */
export function createSessionLookup(db: Db): Pick<SessionStore, 'living'> {
  return {
    async living({ userId, sessionId }, atMs) {
      const { rows } = await db.query(
        `select s.proof_hash, u.openid, u.phone_digest, u.phone_bound_at, u.phone_since from sessions s join users u on u.user_id = s.user_id
         where s.user_id = ? and s.session_id = ? and s.ended_at is null and s.expires_at > ? and u.left_at is null`,
        [uuidToBytes(userId), uuidToBytes(sessionId), atMs],
      )
      const [row] = rows
      if (!row) return undefined
      return {
        userId,
        sessionId,
        openid: text(row, 'openid'),
        phone: readHeldNumber(row),
        proofHash: bytesOrNull(row, 'proof_hash'),
      }
    },
  }
}

/** Without a time a number was bound while those of different countries could have the same digest. */
function readHeldNumber(row: SqlRow): HeldNumber | null {
  const digest = bytesOrNull(row, 'phone_digest')
  const provedAtMs = integerOrNull(row, 'phone_bound_at')
  if (digest === null || provedAtMs === null) return null
  return { digest, provedAtMs, sinceMs: integer(row, 'phone_since') }
}

/** What sessions of callers need whom the platform vouches for. */
export function createPlatformSessionStore(db: Db): Pick<SessionStore, 'living' | 'addAnew'> {
  return {
    ...createSessionLookup(db),

    async addAnew(session) {
      await db.query(
        `${INSERT} on duplicate key update created_at = values(created_at), last_used_at = values(last_used_at),
           expires_at = values(expires_at), ended_at = null`,
        insertedValues(session),
      )
    },
  }
}

/** Sessions in a database. */
export function createSessionStore(db: Db): SessionStore {
  return {
    ...createPlatformSessionStore(db),

    async add(session) {
      const { rowsAffected } = await db.query(INSERT, insertedValues(session))
      if (rowsAffected !== 1) throw new DbError('bad-answer', { outcome: 'unknown' })
    },

    async find({ userId, sessionId }) {
      const { rows } = await db.query(
        `select ${COLUMNS.replaceAll(/\w+/g, 's.$&')} from sessions s join users u on u.user_id = s.user_id
         where s.user_id = ? and s.session_id = ? and u.left_at is null`,
        [uuidToBytes(userId), uuidToBytes(sessionId)],
      )
      return rows[0] && readSession(rows[0])
    },

    async rotate({ userId, sessionId }, rotation) {
      const { presentedHash, generation, kid, nextHash, atMs, expiresAtMs } = rotation
      const { rowsAffected } = await db.query(
        `update sessions set previous_hash = refresh_hash, refresh_hash = ?, refresh_generation = ?, refresh_kid = ?,
           rotated_at = ?, last_used_at = ?, expires_at = ?
         where user_id = ? and session_id = ? and refresh_hash = ? and ended_at is null and expires_at > ?`,
        [
          nextHash,
          generation,
          kid,
          atMs,
          atMs,
          expiresAtMs,
          uuidToBytes(userId),
          uuidToBytes(sessionId),
          presentedHash,
          atMs,
        ],
      )
      return rowsAffected === 1
    },

    async list(userId, atMs) {
      const { rows } = await db.query(
        `select ${COLUMNS} from sessions where user_id = ? and ended_at is null and expires_at > ? order by session_id desc limit 100`,
        [uuidToBytes(userId), atMs],
      )
      return rows.map(readSession)
    },

    async end({ userId, sessionId }, atMs) {
      const { rowsAffected } = await db.query(
        'update sessions set ended_at = ? where user_id = ? and session_id = ? and ended_at is null and expires_at > ?',
        [atMs, uuidToBytes(userId), uuidToBytes(sessionId), atMs],
      )
      return rowsAffected === 1
    },

    async endAll(userId, atMs) {
      await db.query('update sessions set ended_at = ? where user_id = ? and ended_at is null', [
        atMs,
        uuidToBytes(userId),
      ])
    },

    async endOldest(userId, keep, atMs) {
      const user = uuidToBytes(userId)
      const { rows } = await db.query(
        `select session_id from sessions where user_id = ? and ended_at is null and expires_at > ?
         order by session_id desc limit 1 offset ?`,
        [user, atMs, keep],
      )
      const [newestBeyond] = rows
      if (!newestBeyond) return
      await db.query(
        'update sessions set ended_at = ? where user_id = ? and session_id <= ? and ended_at is null',
        [atMs, user, bytes(newestBeyond, 'session_id')],
      )
    },
  }
}

/** People with open sessions, as a range of their ids: after one, up to and including the other. */
export interface OpenSessions {
  after: Uint8Array
  through: Uint8Array
  people: number
  sessions: number
}

/** Going over everybody's sessions, for commands. Only sessions that began by a moment count, so that the walk ends. */
export interface SessionEnding {
  /** The next people who have open sessions, after those of a page or from the first; `undefined` when there are none. */
  next(beganByMs: number, page?: Pick<OpenSessions, 'through'>): Promise<OpenSessions | undefined>
  end(page: OpenSessions, beganByMs: number): Promise<void>
}

/** Ending everybody's sessions in a database, a range of people in one statement: there may be millions. */
export function createSessionEnding(db: Db): SessionEnding {
  return {
    async next(beganByMs, { through: after } = NOBODY_YET) {
      const { rows } = await db.query(
        `select user_id, count(*) as row_count from sessions where user_id > ? and ended_at is null and created_at <= ?
         group by user_id order by user_id limit ?`,
        [after, beganByMs, PEOPLE_AT_A_TIME],
      )
      const last = rows.at(-1)
      if (!last) return undefined
      const sessions = rows.reduce((sum, row) => sum + integer(row, 'row_count'), 0)
      return { after, through: bytes(last, 'user_id'), people: rows.length, sessions }
    },

    async end({ after, through }, beganByMs) {
      await db.query(
        'update sessions set ended_at = ? where user_id > ? and user_id <= ? and ended_at is null and created_at <= ?',
        [beganByMs, after, through, beganByMs],
      )
    },
  }
}

const PEOPLE_AT_A_TIME = 500
/** Sorts before every id. */
const NOBODY_YET = { through: new Uint8Array(16) }

const COLUMNS = `user_id, session_id, kind, device, created_at, last_used_at, expires_at, ended_at,
  refresh_generation, refresh_kid, refresh_hash, previous_hash, rotated_at, proof_hash`

const INSERT = `insert into sessions (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

function insertedValues(session: SessionRecord): SqlValue[] {
  return [
    uuidToBytes(session.userId),
    uuidToBytes(session.sessionId),
    session.kind,
    session.device,
    session.createdAtMs,
    session.lastUsedAtMs,
    session.expiresAtMs,
    session.endedAtMs,
    session.refreshGeneration,
    session.refreshKid,
    session.refreshHash,
    session.previousHash,
    session.rotatedAtMs,
    session.proofHash,
  ]
}

function readSession(row: SqlRow): SessionRecord {
  return {
    userId: uuid(row, 'user_id'),
    sessionId: uuid(row, 'session_id'),
    kind: text(row, 'kind') as SessionKind,
    device: text(row, 'device'),
    createdAtMs: integer(row, 'created_at'),
    lastUsedAtMs: integer(row, 'last_used_at'),
    expiresAtMs: integer(row, 'expires_at'),
    endedAtMs: integerOrNull(row, 'ended_at'),
    refreshGeneration: integer(row, 'refresh_generation'),
    refreshKid: text(row, 'refresh_kid'),
    refreshHash: bytes(row, 'refresh_hash'),
    previousHash: bytesOrNull(row, 'previous_hash'),
    rotatedAtMs: integer(row, 'rotated_at'),
    proofHash: bytesOrNull(row, 'proof_hash'),
  }
}
