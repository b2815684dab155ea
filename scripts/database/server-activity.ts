/** What a database server is at, as far as it tells: which statements run, and who keeps a table from being altered. */

import { type Db, DbError, type SqlRow, type SqlValue } from '../../shared/store/db.ts'

interface Connection {
  id: number
  /** User and address, and what it does. */
  description: string
  seconds: number
  /** What it runs at the moment; empty when it is idle. */
  statement: string
}

/** For how many seconds the server has been running this very statement; undefined when it does not, or does not tell. */
export async function secondsRunning(db: Db, statement: string): Promise<number | undefined> {
  const wanted = onOneLine(statement)
  return (await connections(db)).find((each) => each.statement === wanted)?.seconds
}

/** The table that a statement changes, by its name alone. */
export function tableOf(statement: string): string {
  const [, table] =
    /(?:table (?:if (?:not )?exists )?|update |into |from )(\w+)/i.exec(onOneLine(statement)) ?? []
  return table ?? 'a table'
}

/** Who keeps `statement` from its table, in words. */
export async function whoHolds(db: Db, statement: string): Promise<string> {
  const all = await connections(db)
  const described = (numbers: readonly number[]): string[] =>
    all
      .filter(({ id, statement: other }) => numbers.includes(id) && other !== onOneLine(statement))
      .map(({ id, description, seconds }) => `connection ${id} (${description}, ${seconds} s)`)
  const holders = described(await numbers(db, LOCK_HOLDERS, [tableOf(statement)]))
  if (holders.length > 0) return holders.join(' and ')
  const open = described(await numbers(db, OPEN_TRANSACTIONS))
  if (open.length > 0) return `an open transaction, perhaps of ${open.join(' or ')}`
  return 'somebody whom the server does not name (SHOW PROCESSLIST lists who is connected)'
}

/**
 * MySQL, and MariaDB where performance_schema and its instrument for these locks are on. FLUSH TABLES WITH READ LOCK holds
 * a shared lock on everything, or MariaDB's own.
 */
const LOCK_HOLDERS = `select distinct threads.processlist_id as connection_number
  from performance_schema.metadata_locks locks join performance_schema.threads threads on threads.thread_id = locks.owner_thread_id
  where locks.lock_status = 'GRANTED' and threads.processlist_id <> connection_id()
  and ((locks.object_type = 'TABLE' and locks.object_schema = database() and locks.object_name = ?)
    or (locks.object_type = 'GLOBAL' and locks.lock_type = 'SHARED')
    or (locks.object_type = 'BACKUP' and locks.lock_type like 'BACKUP_FTWRL%'))`

/** Oldest first. */
const OPEN_TRANSACTIONS = `select trx_mysql_thread_id as connection_number from information_schema.innodb_trx
  where trx_mysql_thread_id <> connection_id() order by trx_started limit 3`

async function connections(db: Db): Promise<Connection[]> {
  const rows = await told(db, 'show full processlist')
  return rows.map((row) => ({
    id: Number(row.Id),
    description: [row.User, 'from', row.Host, row.State || row.Command].join(' '),
    seconds: Number(row.Time),
    statement: onOneLine(String(row.Info ?? '')),
  }))
}

async function numbers(
  db: Db,
  sql: string,
  parameters: readonly SqlValue[] = [],
): Promise<number[]> {
  const rows = await told(db, sql, parameters)
  return rows.map((row) => Number(row.connection_number))
}

/** Nothing where the server has no such view, or this user may not look. */
async function told(db: Db, sql: string, parameters?: readonly SqlValue[]): Promise<SqlRow[]> {
  try {
    return (await db.query(sql, parameters)).rows
  } catch (error) {
    if (error instanceof DbError && error.failure === 'refused') return []
    throw error
  }
}

function onOneLine(statement: string): string {
  return statement.trim().replaceAll(/\s+/g, ' ')
}
