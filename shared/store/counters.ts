/** Counters over fixed windows. Shard key `counter_key`. Counting answers with the count: one round trip, on every way that passes it on. */

import { createHmac } from 'node:crypto'
import type { CounterStore } from '../ports.ts'
import type { Db } from './db.ts'
import { integer } from './rows.ts'

/**
 * Counters in a database, which knows their keys (people and addresses) as digests under `secret` alone. Under another
 * secret all of them begin anew.
 */
export function createCounterStore(db: Db, secret: Uint8Array): CounterStore {
  const digest = (name: string): string =>
    createHmac('sha256', secret).update(`miniscore counter\0${name}`).digest('base64url')

  return {
    async increment(name, { lengthMs, atMs }, by = 1) {
      const key = digest(name)
      const start = atMs - (atMs % lengthMs)
      const { lastInsertId } = await db.query(
        `insert into counters (counter_key, window_start, used) values (?, ?, last_insert_id(?))
         on duplicate key update used = last_insert_id(if(window_start = values(window_start), used + values(used), values(used))), window_start = values(window_start)`,
        [key, start, by],
      )
      if (lastInsertId) return lastInsertId
      // Not every database tells what it was handed.
      const { rows } = await db.query('select used from counters where counter_key = ?', [key])
      return rows[0] ? integer(rows[0], 'used') : by
    },

    async decrement(name, { lengthMs, atMs }) {
      const key = digest(name)
      const start = atMs - (atMs % lengthMs)
      await db.query(
        'update counters set used = used - 1 where counter_key = ? and window_start = ? and used > 0',
        [key, start],
      )
    },
  }
}
