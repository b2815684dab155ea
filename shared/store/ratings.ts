/**
 * Reading ratings and their counts. Statements are in the dialect that MySQL 8, MariaDB, Vitess and TiDB
 * share, and name their shard key, `acc_nbr`; only the list of one's own ratings goes by `user_id`.
 */

import type { OwnRatings, RatingReader, RatingStore, ReadScope, Score, Slice } from '../ports.ts'
import { type Later, summarisedCounts } from './account-counts.ts'
import type { Db, SqlRow } from './db.ts'
import { type CountLimits, countLimits } from './folds.ts'
import { sumCounts } from './grade-counts.ts'
import { BEFORE_FIRST_ID, lastIdAt } from './id-range.ts'
import { createRatingSubmissions } from './rating-submissions.ts'
import { integer, integerOrNull, text, uuid, uuidToBytes } from './rows.ts'

/** Ratings in a database, as `createRatingReader` and `createRatingSubmissions` give them. */
export function createRatingStore(
  db: Db,
  now: () => number,
  limits: CountLimits = countLimits,
  later?: Later,
): RatingStore {
  return {
    ...createOwnRatings(db),
    ...createRatingReader(db, now, limits, later),
    ...createRatingSubmissions(db, now, limits),
  }
}

/** A person's own ratings in a database. */
export function createOwnRatings(db: Db): OwnRatings {
  return {
    async scoresByAuthor(userId, slice) {
      const { rows } = await db.query(
        `select ${SCORE_COLUMNS} from ratings where user_id = ? and id < ? order by id desc limit ?`,
        [uuidToBytes(userId), beforeId(slice), slice.limit],
      )
      return rows.map(readScore)
    },
  }
}

/** Reading ratings in a database; `limits` are lower in tests. What an answer need not wait for is done at once unless `later` says. */
export function createRatingReader(
  db: Db,
  now: () => number,
  limits: CountLimits = countLimits,
  later?: Later,
): RatingReader {
  return {
    async scoresOfAccount(acc_nbr, scope, slice) {
      const { condition, values } = within(scope)
      const { rows } = await db.query(
        `select ${SCORE_COLUMNS} from ratings ${condition} and id < ? and id > ? order by id desc limit ?`,
        [acc_nbr, ...values, beforeId(slice), afterId(slice), slice.limit],
      )
      return rows.map(readScore)
    },

    async countsOfAccount(acc_nbr, scope) {
      if (scope.kind === 'all') return summarisedCounts(db, acc_nbr, now, limits, later)
      const max = scope.kind === 'author' ? limits.ownMax : limits.sinceMax
      const { condition, values } = within(scope)
      // The newest are found by their index alone: asked for more than that, MySQL fetches a thousand rows ahead, whatever
      // the limit.
      const { rows } = await db.query(
        `select r.grade1, r.grade2, r.grade3, count(*) as row_count
         from (select acc_nbr, id from ratings ${condition} order by id desc limit ?) newest
         join ratings r on r.acc_nbr = newest.acc_nbr and r.id = newest.id
         group by r.grade1, r.grade2, r.grade3`,
        [acc_nbr, ...values, max],
      )
      const counts = sumCounts(rows)
      return counts.count < max ? counts : { ...counts, isNewestOnly: true }
    },
  }
}

const SCORE_COLUMNS = 'id, acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3, insert_time'

/** Sorts after every id. */
const AFTER_LAST_ID = new Uint8Array(16).fill(0xff)

function beforeId({ before }: Slice): Uint8Array {
  return before === null ? AFTER_LAST_ID : uuidToBytes(before)
}

function afterId({ after = null }: Slice): Uint8Array {
  return after === null ? BEFORE_FIRST_ID : uuidToBytes(after)
}

/** Without the hints the optimisers may walk through all ratings of an account, or sort all of an author's. */
function within(scope: ReadScope): { condition: string; values: Uint8Array[] } {
  if (scope.kind === 'all')
    return { condition: 'force index (primary) where acc_nbr = ?', values: [] }
  if (scope.kind === 'since') {
    const values = [lastIdAt(scope.sinceMs - 1)]
    return { condition: 'force index (primary) where acc_nbr = ? and id > ?', values }
  }
  return {
    condition: 'force index (ratings_own) where acc_nbr = ? and user_id = ?',
    values: [uuidToBytes(scope.userId)],
  }
}

function readScore(row: SqlRow): Score {
  return {
    id: uuid(row, 'id'),
    acc_nbr: text(row, 'acc_nbr'),
    grade1: integerOrNull(row, 'grade1'),
    grade2: integerOrNull(row, 'grade2'),
    grade3: integerOrNull(row, 'grade3'),
    txt1: text(row, 'txt1'),
    txt2: text(row, 'txt2'),
    txt3: text(row, 'txt3'),
    insertTimeMs: integer(row, 'insert_time'),
  }
}
