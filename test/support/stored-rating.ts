/** Ratings put into a database past the store, at whatever time: as an import does, or the release before 0004. */
import { createHash } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import type { NewScore } from '../../shared/ports.ts'
import type { Db } from '../../shared/store/db.ts'
import { uuidToBytes } from '../../shared/store/rows.ts'

/** Inserts a rating as it was inserted before 0004: its id, or the client's key, as text, and always a hash. */
export async function insertRatingAsBefore(
  db: Db,
  insertTimeMs: number,
  score: NewScore,
): Promise<{ id: string; bytes: Uint8Array }> {
  const id = uuidV7({ msecs: insertTimeMs })
  const bytes = uuidToBytes(id)
  const { acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3 } = score
  const content = JSON.stringify([acc_nbr, grade1, grade2, grade3, txt1, txt2, txt3])
  await db.query(
    `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      acc_nbr,
      bytes,
      uuidToBytes(score.userId),
      grade1,
      grade2,
      grade3,
      txt1,
      txt2,
      txt3,
      insertTimeMs,
      score.idempotencyKey ?? `=${Buffer.from(bytes).toString('hex')}`,
      createHash('sha256').update(content).digest(),
    ],
  )
  return { id, bytes }
}

/** Inserts `count` ratings of the account, a millisecond apart from `fromMs` on, many in a statement. */
export async function insertRatings(
  db: Db,
  acc_nbr: string,
  { count, fromMs, userId }: { count: number; fromMs: number; userId?: string },
): Promise<Uint8Array[]> {
  const ids: Uint8Array[] = []
  const AT_ONCE = 500
  for (let from = 0; from < count; from += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => {
      const atMs = fromMs + from + index
      return { atMs, id: uuidToBytes(uuidV7({ msecs: atMs })) }
    })
    ids.push(...batch.map(({ id }) => id))
    await db.query(
      `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash)
       values ${batch.map(() => '(?, ?, ?, ?, 5, null, ?, ?, ?, ?, null, null)').join(', ')}`,
      batch.flatMap(({ atMs, id }) => [
        acc_nbr,
        id,
        uuidToBytes(userId ?? uuidV7()),
        (atMs % 5) + 1,
        '',
        '',
        '',
        atMs,
      ]),
    )
  }
  return ids
}
