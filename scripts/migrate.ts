/** Applies the migrations that are not applied yet. Run with --help. */

import { parseArgs } from 'node:util'
import { runCommand, withDatabase } from './cli/command.ts'
import {
  bookkeepingTables,
  migrate,
  pendingMigrations,
  readMigrations,
} from './database/migrations.ts'

const usage = `Usage: npm run migrate [-- options]

Applies the files in shared/store/migrations to the database at DATABASE_URL, in order, each once
(default: sqlite:.data/dev.sqlite, the database of npm run dev).

  --pending   only list what would be applied; exit code 1 when there is anything
  --print     print all statements instead, for a PlanetScale branch with safe migrations: paste
              them into a branch, open a deploy request, then run npm run migrate once, which finds
              the tables there and notes the files as applied
  --help      this text`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pending: { type: 'boolean' },
      print: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(usage)
  const migrations = await readMigrations()
  if (values.print) {
    for (const statement of bookkeepingTables) console.log(`${statement};\n`)
    for (const { name, statements } of migrations) {
      console.log(`-- ${name}\n`)
      for (const statement of statements) console.log(`${statement};\n`)
    }
    return
  }
  await withDatabase(async (db, description) => {
    if (values.pending) {
      const pending = await pendingMigrations(db, migrations)
      for (const { name } of pending) console.log(name)
      process.exitCode = pending.length > 0 ? 1 : 0
      return
    }
    const applied = await migrate(db, { migrations, onStep: (step) => console.log(step) })
    const what = applied.length === 0 ? 'Nothing to apply' : `Applied ${applied.join(', ')}`
    console.log(`${what}; the database (${description}) is up to date.`)
  })
}

runCommand(import.meta.url, main)
