/** Counters over fixed windows. Shard key `counter_key`. */

import type { CounterStore } from '../ports.ts'
import type { Db } from './db.ts'
import { integer } from './rows.ts'

/** Counters over a door. */
export function createCounterStore(db: Db): CounterStore {
  return {
    async increment(key, { lengthMs, atMs }) {
      const start = atMs - (atMs % lengthMs)
      await db.query(
        `insert into counters (counter_key, window_start, used) values (?, ?, 1)
         on duplicate key update used = if(window_start = values(window_start), used + 1, 1), window_start = values(window_start)`,
        [key, start],
      )
      const { rows } = await db.query('select used from counters where counter_key = ?', [key])
      return rows[0] ? integer(rows[0], 'used') : 1
    },

    async decrement(key, { lengthMs, atMs }) {
      const start = atMs - (atMs % lengthMs)
      await db.query(
        'update counters set used = used - 1 where counter_key = ? and window_start = ? and used > 0',
        [key, start],
      )
    },
  }
}
