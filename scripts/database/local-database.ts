/**
 * The database for local work: `sqlite:` addresses start the offline PlanetScale on that file,
 * every other address is used as it is.
 */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { type StoreDoor, storeDoorOf } from '../../shared/store/doors.ts'
import { openMariaDbEngine } from '../simulators/planetscale/mariadb-engine.ts'
import { startOfflinePlanetScale } from '../simulators/planetscale/server.ts'
import { openSqliteEngine } from '../simulators/planetscale/sqlite-engine.ts'

export interface LocalDatabase {
  /** What the functions get as `DATABASE_URL`. */
  url: string
  close(): Promise<void>
}

/** An offline PlanetScale in front of a MySQL or MariaDB: `planetscale+mysql://user:password@host:3306/database`. */
const IN_FRONT_OF_MYSQL = 'planetscale+mysql:'

/** The door that functions reach this address through. @throws {DatabaseUrlError} */
export function doorOfAddress(address: string): StoreDoor {
  const isOffline = address.startsWith('sqlite:') || address.startsWith(IN_FRONT_OF_MYSQL)
  return isOffline ? 'planetscale' : storeDoorOf(address)
}

/**
 * `sqlite:FILE` and `sqlite::memory:` start an offline PlanetScale, and so does `planetscale+mysql://…`, in front of that
 * database. @throws {Error} with a sentence when that fails
 */
export async function startLocalDatabase(address: string): Promise<LocalDatabase> {
  if (address.startsWith(IN_FRONT_OF_MYSQL)) {
    const url = address.slice('planetscale+'.length)
    const server = await startOfflinePlanetScale({ engine: await openMariaDbEngine({ url }) })
    return { url: server.url, close: () => server.close() }
  }
  if (!address.startsWith('sqlite:')) return { url: address, close: async () => {} }
  const file = address.slice('sqlite:'.length)
  if (file === '') throw new Error('sqlite: needs a file, or sqlite::memory:.')
  if (file !== ':memory:') await mkdir(path.dirname(path.resolve(file)), { recursive: true })
  const engine = await openSqliteEngine(file)
  const server = await startOfflinePlanetScale({ engine })
  return { url: server.url, close: () => server.close() }
}
