/** Storing ratings, each once, and as often as the policy has it. Shard key `acc_nbr`. */

import { createHash } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import type { AddedScore, NewScore, RatingSubmissions } from '../ports.ts'
import { databaseMs } from './database-clock.ts'
import { type Db, DbError, isDuplicateKey, RETRYABLE_ERRNOS } from './db.ts'
import { type CountLimits, countLimits } from './folds.ts'
import {
  createRatingTurns,
  NULL_ERRNO,
  type RatingRow,
  type RatingTurn,
  type StoredSubmission,
} from './rating-turns.ts'
import { bytesOrNull, isSameBytes, uuid, uuidToBytes } from './rows.ts'
import { isLiving } from './session-in-statement.ts'

/** Submissions to a database; `limits` are lower in tests. */
export function createRatingSubmissions(
  db: Db,
  now: () => number,
  limits: CountLimits = countLimits,
): RatingSubmissions {
  const turns = createRatingTurns(db, limits.foldDelayMs)
  return {
    async addScore(score, policy, unchecked) {
      const hash = score.idempotencyKey === null ? null : contentHash(score)
      let atMs = now()
      const session = unchecked && { ...unchecked, atMs }
      // As if it were the first of its period: then one statement does.
      let turn: RatingTurn = policy
        ? { kind: 'of-period', period: policy.per, index: 0 }
        : { kind: 'none' }
      for (let attempt = 1; ; attempt++) {
        const row = { id: uuidV7({ msecs: atMs }), atMs, hash, session }
        try {
          const taken = turn
          return answerOf(await retryConflicts(() => turns.take(score, row, taken)), row)
        } catch (error) {
          if (isRefusedNull(error)) {
            if (session && !(await isLiving(db, session))) return { result: 'no-session' }
            if (attempt === ATTEMPTS_MAX) throw error
            atMs = await databaseMs(db, score.acc_nbr)
            continue
          }
          const isUnknown = error instanceof DbError && error.outcome === 'unknown'
          if (!isDuplicateKey(error) && !isUnknown) throw error
          const earlier = await findSubmission(db, score, row.id)
          // Of an earlier submission nobody is told whose session was not looked at.
          const isToldOf = !isUnknown || !session || earlier?.id === row.id
          if (earlier && isToldOf) return answerOf(earlier, row)
          if (!policy || isUnknown || attempt === ATTEMPTS_MAX) throw error
          const next = await turns.next(score, policy)
          if (next === 'refused') return { result: 'refused' }
          if (!('kind' in next)) return answerOf(next, row)
          turn = next
        }
      }
    },
  }
}

/** More than enough for a wrong clock and the end of a period in the middle. */
const ATTEMPTS_MAX = 5

function isRefusedNull(error: unknown): boolean {
  return error instanceof DbError && error.errno === NULL_ERRNO
}

/** What a submission is told of what is stored under its id or its key. */
function answerOf(stored: StoredSubmission, { id, hash }: RatingRow): AddedScore {
  const replaced = stored.hasReplaced ? ({ hasReplaced: true } as const) : {}
  if (stored.id === id) return { result: 'added', id, ...replaced }
  const isSame = hash && stored.hash && isSameBytes(hash, stored.hash)
  return isSame ? { result: 'same', id: stored.id, ...replaced } : { result: 'conflict' }
}

/** One statement is its own transaction: when it met a deadlock or a lock, it may simply be sent again. */
async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const isConflict = error instanceof DbError && RETRYABLE_ERRNOS.has(error.errno ?? 0)
      if (!isConflict || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

/** The rating under the client's key, or the one of this id where there is no key. */
async function findSubmission(
  db: Db,
  { acc_nbr, userId, idempotencyKey }: NewScore,
  id: string,
): Promise<StoredSubmission | undefined> {
  const [which, values] =
    idempotencyKey === null
      ? ['id = ?', [uuidToBytes(id)]]
      : ['user_id = ? and idempotency_key = ?', [uuidToBytes(userId), idempotencyKey]]
  const { rows } = await db.query(
    `select id, content_hash, replaced from ratings where acc_nbr = ? and ${which}`,
    [acc_nbr, ...values],
  )
  const [row] = rows
  return (
    row && {
      id: uuid(row, 'id'),
      hash: bytesOrNull(row, 'content_hash'),
      hasReplaced: row.replaced !== null,
    }
  )
}

function contentHash(score: NewScore): Buffer {
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = score
  const content = JSON.stringify([acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3])
  return createHash('sha256').update(content).digest()
}
