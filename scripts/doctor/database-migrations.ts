/** Whether the tables are those this version expects. */

import { type Db, DbError } from '../../shared/store/db.ts'
import { ChangedMigrationError, pendingMigrations, readMigrations } from '../database/migrations.ts'
import { whyRefused } from './database-failures.ts'
import { error, type Finding, ok } from './report.ts'

/** Findings `database.migrations`. Applies nothing. */
export async function checkMigrations(db: Db): Promise<Finding[]> {
  const migrations = await readMigrations()
  try {
    const pending = await pendingMigrations(db, migrations)
    if (pending.length === 0) {
      return [
        ok('database.migrations')`
          表结构是最新的（${migrations.length} 个迁移）
          the tables are up to date (${migrations.length} migrations)`,
      ]
    }
    const names = pending.map(({ name }) => name)
    return [
      error('database.migrations')`
        迁移尚未执行：${names.join('、')}
        migrations not applied yet: ${names.join(', ')}
        部署新代码之前，用这个库的 DATABASE_URL 执行 npm run migrate
        run npm run migrate with this DATABASE_URL before the new code is deployed`,
    ]
  } catch (failure) {
    if (failure instanceof DbError) return [whyRefused(failure)]
    if (!(failure instanceof ChangedMigrationError)) throw failure
    return [
      error('database.migrations')`
        ${failure.file} ${failure.change === 'gone' ? '已在此库执行过，但文件不见了' : '在执行之后被改过'}
        ${failure.message}
        恢复原来的迁移文件，改动写进一个新文件；或使用有这个文件的版本
        restore the file and put the change into a new one, or use the version that has it`,
    ]
  }
}
