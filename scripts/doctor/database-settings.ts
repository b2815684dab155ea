/** What the server is set to: how it treats text that does not fit, how it compares, how it commits. */

import { type Db, DbError } from '../../shared/store/db.ts'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { DATABASE_BUDGET_MS } from '../../shared/wiring/database.ts'
import { readMigrations } from '../database/migrations.ts'
import { expectedColumns } from './expected-columns.ts'
import { error, type Finding, ok, warning } from './report.ts'

/** What `@@name` says, as far as the server tells it; PlanetScale keeps some to itself. */
export type ServerSettings = Readonly<Record<(typeof asked)[number], string | undefined>>

const asked = [
  'session.sql_mode',
  'global.sql_mode',
  'character_set_database',
  'character_set_client',
  'character_set_connection',
  'character_set_results',
  'innodb_flush_log_at_trx_commit',
  'innodb_lock_wait_timeout',
] as const

/** Findings `database.<setting>`. */
export async function checkSettings(db: Db, door: StoreDoor): Promise<Finding[]> {
  const told: Record<string, string | undefined> = {}
  for (const name of asked) told[name] = await setting(db, name)
  return judgeSettings(told as ServerSettings, door)
}

async function setting(db: Db, name: string): Promise<string | undefined> {
  try {
    const { rows } = await db.query(`select @@${name} as value`)
    const value = rows[0]?.value
    return value === undefined || value === null ? undefined : String(value)
  } catch (failure) {
    // Not every server tells everything; a broken connection shows at the next step.
    if (failure instanceof DbError) return undefined
    throw failure
  }
}

/** The judgement alone. A setting that is not told is passed over. */
export function judgeSettings(settings: ServerSettings, door: StoreDoor): Finding[] {
  const findings = [
    ...judgeSqlMode(settings),
    ...judgeCharacterSets(settings),
    ...judgeCommit(settings),
    // PlanetScale's cannot be changed, and a transaction ends there after 20 s.
    ...(door === 'mysql' ? judgeLockWait(settings) : []),
  ]
  if (findings.length > 0) return findings
  return [
    ok('database.settings')`
      sql_mode 严格，字符集 utf8mb4
      sql_mode is strict, the character set is utf8mb4`,
  ]
}

const modeOwners = {
  session: { zh: '云函数的会话的 sql_mode ', en: 'sql_mode of the functions’ sessions' },
  global: {
    zh: '服务器默认的 sql_mode（云函数的会话自行设置，其他写入此库的程序不会）',
    en: 'the server’s sql_mode (functions set their own, other programs that write here do not)',
  },
}
const modeFaults = {
  escapes: {
    zh: '含有 NO_BACKSLASH_ESCAPES，会改变文字里反斜杠的含义',
    en: 'has NO_BACKSLASH_ESCAPES, which changes what a backslash in a text means',
  },
  lenient: {
    zh: '不严格（没有 STRICT_TRANS_TABLES），过长的文字和越界的数字会被悄悄截断',
    en: 'is not strict (no STRICT_TRANS_TABLES): texts too long and numbers out of range are cut silently',
  },
}

function judgeSqlMode(settings: ServerSettings): Finding[] {
  for (const scope of ['session', 'global'] as const) {
    const value = settings[`${scope}.sql_mode`]
    if (value === undefined) continue
    const modes = value.split(',')
    const isStrict = modes.includes('STRICT_TRANS_TABLES') || modes.includes('STRICT_ALL_TABLES')
    const changesLiterals = modes.includes('NO_BACKSLASH_ESCAPES')
    if (isStrict && !changesLiterals) continue
    const [what, whose] = [modeFaults[isStrict ? 'escapes' : 'lenient'], modeOwners[scope]]
    return [
      error('database.sql_mode')`
        ${whose.zh}${what.zh}
        ${whose.en} ${what.en}
        在数据库参数里把 sql_mode 设为 STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION
        set sql_mode among the database’s parameters to STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION`,
    ]
  }
  return []
}

function judgeCharacterSets(settings: ServerSettings): Finding[] {
  const isOther = (value: string | undefined): value is string =>
    value !== undefined && value !== 'utf8mb4'
  const ofSession = [
    settings.character_set_client,
    settings.character_set_connection,
    settings.character_set_results,
  ].find(isOther)
  const findings: Finding[] = []
  if (ofSession) {
    findings.push(error('database.charset-session')`
      会话的字符集是 ${ofSession} 而不是 utf8mb4：表情符号和生僻字会丢失
      sessions use the character set ${ofSession}, not utf8mb4: emoji and rare characters are lost
      把服务器的 character_set_server 设为 utf8mb4，并检查 init_connect
      set character_set_server to utf8mb4 and look at init_connect`)
  }
  const ofDatabase = settings.character_set_database
  if (isOther(ofDatabase)) {
    findings.push(error('database.charset')`
      库的默认字符集是 ${ofDatabase} 而不是 utf8mb4
      the database’s character set is ${ofDatabase}, not utf8mb4
      执行 alter database 库名 character set utf8mb4 collate utf8mb4_bin
      run alter database NAME character set utf8mb4 collate utf8mb4_bin`)
  }
  return findings
}

function judgeCommit(settings: ServerSettings): Finding[] {
  const value = settings.innodb_flush_log_at_trx_commit
  if (value === undefined || value === '1') return []
  return [
    warning('database.flush')`
      innodb_flush_log_at_trx_commit=${value}：数据库主机断电时，最近一秒已确认的评分可能丢失
      innodb_flush_log_at_trx_commit=${value}: when the database’s host loses power, ratings of the last second may be lost though they were acknowledged
      在数据库参数里设为 1
      set it to 1 among the database’s parameters`,
  ]
}

function judgeLockWait(settings: ServerSettings): Finding[] {
  const seconds = Number(settings.innodb_lock_wait_timeout ?? 0)
  if (seconds * 1000 <= DATABASE_BUDGET_MS) return []
  return [
    warning('database.lock-wait')`
      会话等锁 ${seconds} 秒，比云函数等数据库的 ${DATABASE_BUDGET_MS / 1000} 秒还长：等待者会占满连接
      sessions wait ${seconds} s for a lock, longer than the ${DATABASE_BUDGET_MS / 1000} s a function waits for the database: waiters hold the connections
      把 innodb_lock_wait_timeout 设为 2（中间的代理可能忽略了会话设置）
      set innodb_lock_wait_timeout to 2 (a proxy in between may ignore the session’s own)`,
  ]
}

/** Findings `database.columns`: identifiers compare byte by byte, or two people could be one. */
export async function checkColumns(db: Db): Promise<Finding[]> {
  let actual: Map<string, string>
  try {
    const { rows } = await db.query(
      'select table_name as of_table, column_name as of_column, collation_name as collated from information_schema.columns where table_schema = database() and collation_name is not null',
    )
    actual = new Map(rows.map((row) => [`${row.of_table}.${row.of_column}`, String(row.collated)]))
  } catch (failure) {
    // The offline PlanetScale over SQLite has no such table.
    if (failure instanceof DbError) return []
    throw failure
  }
  const wrong = expectedColumns(await readMigrations()).filter(({ column, collation }) => {
    const found = actual.get(column)
    return found !== undefined && found !== collation
  })
  if (wrong.length === 0) return []
  const names = wrong.map(({ column, collation }) => `${column} (${collation})`)
  return [
    error('database.columns')`
      这些列的排序规则不对，大小写不同的标识会被当成同一个：${names.join('、')}
      these columns have another collation, under which identifiers that differ in case are one: ${names.join(', ')}
      把它们改回括号里的排序规则（见 shared/store/migrations），可能是导入或工具改动的
      change them back to the collation in brackets (see shared/store/migrations); an import or a tool may have changed them`,
  ]
}
