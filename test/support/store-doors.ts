/** Every way to a database that the store's contract runs on. */

import {
  createDatabase,
  dropDatabase,
} from '../../scripts/simulators/mysql-server/private-server.ts'
import {
  type ServerKind,
  serverKinds,
} from '../../scripts/simulators/mysql-server/server-program.ts'
import { openMariaDbEngine } from '../../scripts/simulators/planetscale/mariadb-engine.ts'
import { startOfflinePlanetScale } from '../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../scripts/simulators/planetscale/sqlite-engine.ts'
import type { Db } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { serverUrl } from './server-suites.ts'

export interface Door {
  db: Db
  /** A second connection to the same database. */
  again(): Promise<Db>
  close(): Promise<void>
}

export interface DoorKind {
  name: string
  /** The server it leads to; undefined for the embedded database. */
  server?: ServerKind
  isOverTcp: boolean
  isAvailable: boolean
  /** Opens the door to a fresh, empty database. */
  open(): Promise<Door>
}

export const doors: readonly DoorKind[] = [
  {
    name: 'offline PlanetScale over sql.js',
    isOverTcp: false,
    isAvailable: true,
    open: async () => doorTo(await planetScaleOverSqlite()),
  },
  ...serverKinds.flatMap((server): DoorKind[] => {
    const isAvailable = serverUrl(server) !== undefined
    return [
      {
        name: `offline PlanetScale over ${server}`,
        server,
        isOverTcp: false,
        isAvailable,
        open: async () => doorTo(await planetScaleOver(server)),
      },
      {
        name: `${server} over TCP`,
        server,
        isOverTcp: true,
        isAvailable,
        open: async () => doorTo(await databaseOn(server)),
      },
    ]
  }),
]

async function planetScaleOverSqlite(): Promise<Address> {
  const server = await startOfflinePlanetScale({ engine: await openSqliteEngine(':memory:') })
  return { url: server.url, close: () => server.close() }
}

async function databaseOn(server: ServerKind): Promise<Address> {
  const url = await createDatabase(serverUrl(server) ?? '')
  return { url, close: () => dropDatabase(url) }
}

async function planetScaleOver(kind: ServerKind): Promise<Address> {
  const database = await databaseOn(kind)
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
