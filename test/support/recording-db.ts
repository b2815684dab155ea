/** A Db that writes down every statement on its way, and where in the stores it was asked. */
import type { Db, Queryable, SqlValue } from '../../shared/store/db.ts'
import type { Statement } from './statement-rules.ts'

/** A statement with its place, `ratings.ts:20`. */
export interface RecordedStatement extends Statement {
  place: string
}

/** Passes everything on to `db`; `statements` grows as it goes. */
export function recordStatements(db: Db): { db: Db; statements: RecordedStatement[] } {
  const statements: RecordedStatement[] = []
  let transactions = 0

  const recorded = (inner: Queryable, transaction: number | undefined): Queryable => ({
    query(sql, parameters: readonly SqlValue[] = []) {
      statements.push({ sql, parameters, transaction, place: callerInStores() })
      return inner.query(sql, parameters)
    },
  })
  return {
    statements,
    db: {
      ...recorded(db, undefined),
      transaction: (work) => db.transaction((inner) => work(recorded(inner, ++transactions))),
      close: () => db.close(),
    },
  }
}

function callerInStores(): string {
  const [, place] = /shared\/store\/([\w-]+\.ts:\d+)/.exec(new Error().stack ?? '') ?? []
  return place ?? 'elsewhere'
}
