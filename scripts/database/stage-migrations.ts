/** A stage's tables, on which the code to be deployed there relies. */

import type { Db } from '../../shared/store/db.ts'
import { CommandProblem } from '../cli/problem.ts'
import type { Stage } from '../cli/stage.ts'
import { MigrationError, migrate, pendingMigrations, readMigrations } from './migrations.ts'
import { definitionOptions, withStageDatabase } from './with-database.ts'

export interface StageMigrations {
  /** Names of those that are not applied yet. @throws {CommandProblem} when the database cannot be asked */
  pending(): Promise<string[]>
  /** Applies them, telling each step, and returns their names. @throws {CommandProblem} */
  apply(tell: (step: string) => void): Promise<string[]>
}

const lookBudgetMs = 10_000

export function migrationsOf(stage: Stage): StageMigrations {
  return {
    pending: () =>
      inSentences(async () => {
        const migrations = await readMigrations()
        const found = await withStageDatabase(stage, (db) => pendingMigrations(db, migrations), {
          budgetMs: lookBudgetMs,
        })
        return found.map(({ name }) => name)
      }),
    apply: (onStep) =>
      inSentences(async () => {
        const migrations = await readMigrations()
        const work = (db: Db): Promise<string[]> => migrate(db, { migrations, onStep })
        return withStageDatabase(stage, work, definitionOptions)
      }),
  }
}

async function inSentences<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MigrationError) throw new CommandProblem(error.message)
    throw error
  }
}
