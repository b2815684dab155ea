/** The database that a command works on. */

import { type Db, DbError } from '../../shared/store/db.ts'
import { type CommandDatabaseOptions, openDb } from '../../shared/wiring/database.ts'
import { CommandProblem } from '../cli/problem.ts'
import { LOCAL, readStage, type Stage, type StageValues } from '../cli/stage.ts'
import { startLocalDatabase } from './local-database.ts'

/** The options of such a command, for `parseArgs`. */
export const stageOptions = { stage: { type: 'string' }, database: { type: 'string' } } as const

export const stageUsage = `  --stage NAME        whose database and values: those of .env.NAME; local is that of npm run dev
  --database URL      with --stage local: another database, such as mysql://user:password@host:3306/name,
                      planetscale+mysql://…, sqlite:FILE`

/** Says which stage, then runs `work` on its database; `values` are the stage's. */
export async function withDatabase<T>(
  { stage: name, database: address }: { stage?: string; database?: string },
  work: (db: Db, values: StageValues) => Promise<T>,
  options: CommandDatabaseOptions = {},
): Promise<T> {
  const stage = await readStage(name, { database: address })
  console.error(stage.headline)
  return withStageDatabase(stage, (db) => work(db, stage.values), options)
}

/**
 * How migrations use a database: an ALTER may take long, and a second connection looks at it. While it waits for its
 * table every reader waits behind it, so it waits for less time than they do.
 */
export const definitionOptions: CommandDatabaseOptions = {
  budgetMs: 30 * 60_000,
  connections: 2,
  tableLockWaitSeconds: 1,
}

/** Runs `work` on the stage's database. @throws {CommandProblem} when it cannot be used */
export async function withStageDatabase<T>(
  { name, file, values: { DATABASE_URL } }: Stage,
  work: (db: Db) => Promise<T>,
  options: CommandDatabaseOptions = {},
): Promise<T> {
  if (!DATABASE_URL) throw new CommandProblem(`DATABASE_URL is not set in ${file}.`)
  const database = await startLocalDatabase(DATABASE_URL)
  try {
    const db = await openDb(database.url, options)
    return await work(db).finally(() => db.close())
  } catch (error) {
    if (!(error instanceof DbError)) throw error
    const advice = name === LOCAL ? '' : ` npm run doctor -- --stage ${name} looks closer.`
    throw new CommandProblem(
      `The database of stage ${name} cannot be used: ${error.logDetails.what}.${advice}`,
    )
  } finally {
    await database.close()
  }
}
