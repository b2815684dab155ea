/** Applies the migrations that are not applied yet. Run with --help. */

import { runCommand } from './cli/command.ts'
import {
  bookkeepingTables,
  migrate,
  pendingMigrations,
  readMigrations,
} from './database/migrations.ts'
import {
  definitionOptions,
  stageOptions,
  stageUsage,
  withDatabase,
} from './database/with-database.ts'

const usage = `Usage: npm run migrate -- --stage NAME [--pending]
       npm run migrate -- --print

Applies the files in shared/store/migrations to the stage's database, in order, each once.

${stageUsage}
  --pending           only list what would be applied; exit code 1 when there is anything
  --print             print all statements instead, for a PlanetScale branch with safe migrations: paste
                      them into a branch, open a deploy request, then run npm run migrate once, which
                      finds the tables there and notes the files as applied
  --help              this text

A statement that finds its table held (an open transaction, a backup) says by whom, lets others through and
tries again for ten minutes. Exit code 2: the database still works on a statement that began; run it again later.`

await runCommand({
  usage,
  options: { ...stageOptions, pending: { type: 'boolean' }, print: { type: 'boolean' } },
  async run({ pending, print, ...stage }) {
    const migrations = await readMigrations()
    if (print) {
      for (const statement of bookkeepingTables) console.log(`${statement};\n`)
      for (const { name, statements } of migrations) {
        console.log(`-- ${name}\n`)
        for (const statement of statements) console.log(`${statement};\n`)
      }
      return
    }
    await withDatabase(
      stage,
      async (db) => {
        if (pending) {
          const found = await pendingMigrations(db, migrations)
          for (const { name } of found) console.log(name)
          process.exitCode = found.length > 0 ? 1 : 0
          return
        }
        const applied = await migrate(db, { migrations, onStep: (step) => console.log(step) })
        const what = applied.length === 0 ? 'Nothing to apply' : `Applied ${applied.join(', ')}`
        console.log(`${what}; the database is up to date.`)
      },
      definitionOptions,
    )
  },
})
