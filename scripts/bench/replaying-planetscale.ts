/**
 * Stands in a bundle where the door to PlanetScale was: asks the real one each statement once, and from then
 * on gives that answer again at once. So the handler sees real rows, and a loop measures everything but the store.
 */

import type { Database, DoorOptions, Queryable, SqlResult } from '../../shared/store/db.ts'
import { openPlanetScale as openReal } from '../../shared/store/planetscale.ts'

/** As the real one. */
export function openPlanetScale(options: DoorOptions): Database {
  const database = openReal(options)
  const known = new Map<string, SqlResult>()
  const replaying = (real: Queryable): Queryable => ({
    async query(sql, parameters) {
      const before = known.get(sql)
      if (before) return before
      const answer = await real.query(sql, parameters)
      known.set(sql, answer)
      return answer
    },
  })
  return {
    within(timeoutMs) {
      const db = database.within(timeoutMs)
      return {
        ...replaying(db),
        transaction: (work) => db.transaction((transaction) => work(replaying(transaction))),
        close: () => db.close(),
      }
    },
    close: () => database.close(),
  }
}
