/** The database that a command works on. */

import { type Db, DbError } from '../../shared/store/db.ts'
import { type CommandDatabaseOptions, openDb } from '../../shared/wiring/database.ts'
import { CommandProblem } from '../cli/problem.ts'
import { LOCAL, readStage, type StageValues } from '../cli/stage.ts'
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
  const { DATABASE_URL } = stage.values
  if (!DATABASE_URL) throw new CommandProblem(`DATABASE_URL is not set in ${stage.file}.`)
  const database = await startLocalDatabase(DATABASE_URL)
  try {
    const db = await openDb(database.url, options)
    return await work(db, stage.values).finally(() => db.close())
  } catch (error) {
    if (!(error instanceof DbError)) throw error
    const advice =
      stage.name === LOCAL ? '' : ` npm run doctor -- --stage ${stage.name} looks closer.`
    throw new CommandProblem(
      `The database of stage ${stage.name} cannot be used: ${error.logDetails.what}.${advice}`,
    )
  } finally {
    await database.close()
  }
}
