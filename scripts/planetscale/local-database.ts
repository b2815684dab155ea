/**
 * The database for local work: `sqlite:` addresses start the offline PlanetScale on that file,
 * every other address is used as it is.
 */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { startOfflinePlanetScale } from './server.ts'
import { openSqliteEngine } from './sqlite-engine.ts'

export interface LocalDatabase {
  /** What the functions get as `DATABASE_URL`. */
  url: string
  /** Fit to be printed: without a password. */
  description: string
  close(): Promise<void>
}

/** `sqlite:FILE` and `sqlite::memory:` start an offline PlanetScale. @throws {Error} with a sentence when that fails */
export async function startLocalDatabase(address: string): Promise<LocalDatabase> {
  if (!address.startsWith('sqlite:')) {
    const description = URL.canParse(address) ? new URL(address).host : 'DATABASE_URL'
    return { url: address, description, close: async () => {} }
  }
  const file = address.slice('sqlite:'.length)
  if (file === '') throw new Error('DATABASE_URL=sqlite: needs a file, or sqlite::memory:.')
  if (file !== ':memory:') await mkdir(path.dirname(path.resolve(file)), { recursive: true })
  const engine = await openSqliteEngine(file)
  const server = await startOfflinePlanetScale({ engine })
  const description = file === ':memory:' ? 'in memory' : path.relative(process.cwd(), file)
  return { url: server.url, description, close: () => server.close() }
}
