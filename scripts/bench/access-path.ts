/** How the database finds what a statement asks for: which index, and how many rows it really touched. */

import { createConnection, type RowDataPacket } from 'mysql2/promise'
import type { Db, Queryable, SqlValue } from '../../shared/store/db.ts'

export interface Statement {
  sql: string
  parameters: readonly SqlValue[]
}

/** A database that notes what it is asked. */
export function recordingDb(db: Db): Db & { take(): Statement[] } {
  let statements: Statement[] = []
  const recording = (real: Queryable): Queryable => ({
    query(sql, parameters = []) {
      statements.push({ sql, parameters })
      return real.query(sql, parameters)
    },
  })
  return {
    ...recording(db),
    transaction: (work) => db.transaction((transaction) => work(recording(transaction))),
    close: () => db.close(),
    take() {
      const taken = statements
      statements = []
      return taken
    },
  }
}

export interface AccessPath {
  /** Index entries and rows read, all statements together, as the server counted them. */
  rowsTouched: number
  /** Index and access type of each table, such as `ratings_once (ref)`. */
  indexes: string[]
  /** Statements that walk through a whole table or index. */
  scans: string[]
}

/** Explains and runs the SELECTs among `statements`; others are left alone. */
export async function accessPathOf(
  databaseUrl: string,
  statements: readonly Statement[],
): Promise<AccessPath> {
  const connection = await createConnection({ uri: databaseUrl, charset: 'utf8mb4_bin' })
  const ask = async (sql: string, parameters: readonly SqlValue[] = []) => {
    const values = parameters.map((value) =>
      value instanceof Uint8Array ? Buffer.from(value) : value,
    )
    const [rows] = await connection.query<RowDataPacket[]>(sql, values)
    return rows
  }
  const path: AccessPath = { rowsTouched: 0, indexes: [], scans: [] }
  try {
    for (const { sql, parameters } of statements.filter((each) =>
      /^[\s(]*select\b/i.test(each.sql),
    )) {
      // MySQL 9 explains as a tree unless it is told otherwise.
      for (const { table, type, key } of await ask(
        `explain format = traditional ${sql}`,
        parameters,
      )) {
        // What an inner statement found is walked through as a whole; how it was found is a row of its own.
        if (/^<(derived|subquery)/.test(String(table))) continue
        path.indexes.push(`${key ?? 'none'} (${type ?? 'no table'})`)
        if (type === 'ALL' || type === 'index') path.scans.push(sql)
      }
      await ask('flush status')
      await ask(sql, parameters)
      for (const { Value } of await ask("show session status like 'Handler_read%'")) {
        path.rowsTouched += Number(Value)
      }
    }
    return path
  } finally {
    await connection.end()
  }
}
