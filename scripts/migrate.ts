/** Applies the migrations that are not applied yet. Run with --help. */

import { parseArgs } from 'node:util'
import { openDb } from '../shared/compose.ts'
import { dataFolder, loadDotenv } from './local/environment.ts'
import { migrate, pendingMigrations, readMigrations } from './migrations.ts'
import { startLocalDatabase } from './planetscale/local-database.ts'

const usage = `Usage: npm run migrate [-- options]

Applies the files in shared/store/migrations to the database at DATABASE_URL, in order, each once
(default: sqlite:.data/dev.sqlite, the database of npm run dev).

  --pending   only list what would be applied; exit code 1 when there is anything
  --help      this text`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { pending: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) return console.log(usage)
  loadDotenv()
  const migrations = await readMigrations()
  const database = await startLocalDatabase(
    process.env.DATABASE_URL || `sqlite:${dataFolder}/dev.sqlite`,
  )
  const db = await openDb(database.url)
  try {
    if (values.pending) {
      const pending = await pendingMigrations(db, migrations)
      for (const { name } of pending) console.log(name)
      process.exitCode = pending.length > 0 ? 1 : 0
      return
    }
    const applied = await migrate(db, { migrations, onStep: (step) => console.log(step) })
    const count = applied.length === 0 ? 'Nothing to apply' : `Applied ${applied.join(', ')}`
    console.log(`${count}; the database (${database.description}) is up to date.`)
  } finally {
    await db.close()
    await database.close()
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
