/** Removing a person from ratings. The list of one's ratings goes by `user_id`, each change by `acc_nbr`. */

import type { RatingEraser } from '../ports.ts'
import type { Db } from './db.ts'
import { deleteRatings } from './folds.ts'
import { ownKey } from './ratings.ts'
import { bytes, text, uuidToBytes } from './rows.ts'

/** Erasure over a door. */
export function createRatingEraser(db: Db): RatingEraser {
  return {
    async forgetAuthor(userId, choice) {
      const author = uuidToBytes(userId)
      for (;;) {
        const { rows } = await db.query(
          'select acc_nbr, id from ratings where user_id = ? order by id limit ?',
          [author, FORGET_BATCH],
        )
        for (const row of rows) {
          const key = [text(row, 'acc_nbr'), bytes(row, 'id')] as const
          if (choice === 'delete') await deleteRatings(db, key[0], [key[1]])
          else await anonymise(db, ...key)
        }
        if (rows.length < FORGET_BATCH) return
      }
    },
  }
}

/** How many ratings of a person are looked up at a time. */
const FORGET_BATCH = 200

/** The author of ratings whose link to a person was cut. */
const NOBODY = new Uint8Array(16)

async function anonymise(db: Db, acc_nbr: string, id: Uint8Array): Promise<void> {
  await db.query(
    'update ratings set user_id = ?, idempotency_key = ? where acc_nbr = ? and id = ?',
    [NOBODY, ownKey(id), acc_nbr, id],
  )
}
