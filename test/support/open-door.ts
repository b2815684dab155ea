/** One door in particular, with a patience of its own, for tests of that door. */

import type { Db, DoorOptions } from '../../shared/store/db.ts'
import { openMySql as openMySqlDatabase } from '../../shared/store/mysql.ts'
import { openPlanetScale as openPlanetScaleDatabase } from '../../shared/store/planetscale.ts'
import { machine } from '../../shared/wiring/clock.ts'

type Options = { url: string; timeoutMs: () => number } & Partial<DoorOptions>

export function openMySql({ timeoutMs, ...options }: Options): Db {
  return openMySqlDatabase({ ...machine, connections: 1, ...options }).within(timeoutMs)
}

export function openPlanetScale({ timeoutMs, ...options }: Options): Db {
  return openPlanetScaleDatabase({ ...machine, connections: 1, ...options }).within(timeoutMs)
}
