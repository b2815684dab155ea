/** Every statement of the stores, as one call of each of their methods asks it on an empty database. */
import { type Migration, migrate, readMigrations } from '../../scripts/database/migrations.ts'
import { type RecordedStatement, recordStatements } from './recording-db.ts'
import { type Calls, everyCall, everyStore, type Stores } from './store-calls.ts'
import { doors } from './store-doors.ts'

export interface CollectedStatements {
  statements: RecordedStatement[]
  migrations: Migration[]
  stores: Stores
  calls: Calls
}

export async function collectStatements(): Promise<CollectedStatements> {
  const [offline] = doors
  if (!offline) throw new Error('no database')
  const door = await offline.open()
  try {
    const migrations = await readMigrations()
    await migrate(door.db, { migrations })
    const { db, statements } = recordStatements(door.db)
    const stores = everyStore(db)
    const calls = everyCall(stores, door.db)
    for (const call of Object.values(calls).flatMap((methods) => Object.values(methods))) {
      await call()
    }
    return { statements, migrations, stores, calls }
  } finally {
    await door.close()
  }
}
