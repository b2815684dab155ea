/** Definitions of migrations, applied so that doing it again does no harm. */
import { type Db, DbError } from '../../shared/store/db.ts'

/** Table, column or key is already there, or gone: the statement ran before its mark was written. */
const ALREADY_DONE: ReadonlySet<number> = new Set([1050, 1060, 1061, 1091])
/** TiDB takes no key of a column that the same ALTER adds. https://docs.pingcap.com/tidb/stable/sql-statement-alter-table */
const KEY_COLUMN_MISSING = 1072

/**
 * Applies a definition, or what is left of it. An ALTER that adds columns and keys of them is sent part by part where it
 * is refused as a whole, or where some of it is there already: it may have been cut off between two parts.
 * @throws {DbError}
 */
export async function define(db: Pick<Db, 'query'>, sql: string): Promise<void> {
  try {
    await db.query(sql)
  } catch (error) {
    const errno = error instanceof DbError ? (error.errno ?? 0) : 0
    const isDone = ALREADY_DONE.has(errno)
    if (!isDone && errno !== KEY_COLUMN_MISSING) throw error
    const parts = partsOf(sql)
    if (parts.length === 0 && !isDone) throw error
    for (const part of parts) await define(db, part)
  }
}

/** An ALTER of its own for each part, in order, of one that adds columns and keys; empty for any other statement. */
function partsOf(sql: string): string[] {
  const [, table, changes] = /^alter table (\w+)\s+(.+)$/is.exec(sql) ?? []
  if (table === undefined || changes === undefined) return []
  const parts = changes.split(/,\s*(?=(?:add|modify|drop) )/i)
  const adds = (what: RegExp) => parts.some((part) => what.test(part))
  if (!adds(/^add column /i) || !adds(/^add (?:unique )?key /i)) return []
  return parts.map((part) => `alter table ${table} ${part}`)
}
