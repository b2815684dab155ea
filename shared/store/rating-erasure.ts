/** Removing a person from ratings. The list of one's ratings goes by `user_id`, each change by `acc_nbr`. */

import type { RatingEraser } from '../ports.ts'
import type { Db } from './db.ts'
import { deleteRatings } from './folds.ts'
import { bytes, text, uuidToBytes } from './rows.ts'

/** Erasure in a database. */
export function createRatingEraser(db: Db): RatingEraser {
  return {
    async forgetAuthor(userId, choice, isEnough = () => false) {
      const author = uuidToBytes(userId)
      for (;;) {
        const { rows } = await db.query(
          'select acc_nbr, id from ratings where user_id = ? order by id limit ?',
          [author, FORGET_BATCH],
        )
        const byAccount = new Map<string, Uint8Array[]>()
        for (const row of rows) {
          const acc_nbr = text(row, 'acc_nbr')
          byAccount.set(acc_nbr, [...(byAccount.get(acc_nbr) ?? []), bytes(row, 'id')])
        }
        for (const [acc_nbr, ids] of byAccount) {
          if (isEnough()) return false
          if (choice === 'delete') await deleteRatings(db, acc_nbr, ids)
          else for (const id of ids) await anonymise(db, acc_nbr, id)
        }
        if (rows.length < FORGET_BATCH) return true
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
    'update ratings set user_id = ?, idempotency_key = null, content_hash = null, turn = null, replaced = null where acc_nbr = ? and id = ?',
    [NOBODY, acc_nbr, id],
  )
}
