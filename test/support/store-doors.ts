/** Every way to a database that the store's contract runs on; a further door is one line. */

import { createDatabase, dropDatabase } from '../../scripts/simulators/mariadb/private-mariadb.ts'
import { openMariaDbEngine } from '../../scripts/simulators/planetscale/mariadb-engine.ts'
import { startOfflinePlanetScale } from '../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../scripts/simulators/planetscale/sqlite-engine.ts'
import type { Db } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { mariaDbUrl } from './mariadb-suite.ts'

export interface Door {
  db: Db
  /** A second connection to the same database. */
  again(): Promise<Db>
  close(): Promise<void>
}

export interface DoorKind {
  name: string
  isAvailable: boolean
  /** Opens the door to a fresh, empty database. */
  open(): Promise<Door>
}

export const doors: readonly DoorKind[] = [
  {
    name: 'offline PlanetScale over sql.js',
    isAvailable: true,
    open: async () => doorTo(await planetScaleOverSqlite()),
  },
  {
    name: 'offline PlanetScale over MariaDB',
    isAvailable: mariaDbUrl !== undefined,
    open: async () => doorTo(await planetScaleOverMariaDb()),
  },
  {
    name: 'MariaDB over TCP',
    isAvailable: mariaDbUrl !== undefined,
    open: async () => doorTo(await mariaDb()),
  },
]

async function planetScaleOverSqlite(): Promise<Address> {
  const server = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  return { url: server.url, close: () => server.close() }
}

async function mariaDb(): Promise<Address> {
  const url = await createDatabase(mariaDbUrl ?? '')
  return { url, close: () => dropDatabase(url) }
}

async function planetScaleOverMariaDb(): Promise<Address> {
  const database = await mariaDb()
  const engine = await openMariaDbEngine({ url: database.url })
  const server = await startOfflinePlanetScale({ engine })
  return {
    url: server.url,
    async close() {
      await server.close()
      await database.close()
    },
  }
}

interface Address {
  url: string
  close(): Promise<void>
}

async function doorTo({ url, close }: Address): Promise<Door> {
  const opened: Db[] = []
  const again = async (): Promise<Db> => {
    const db = await openDb(url)
    opened.push(db)
    return db
  }
  return {
    db: await again(),
    again,
    async close() {
      for (const db of opened) await db.close()
      await close()
    },
  }
}
