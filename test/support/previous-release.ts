/** What the release before asked of its database, to be asked of today's schema: for a while after a migration its functions run. */

import { readFileSync } from 'node:fs'
import { type Db, DbError, type SqlValue } from '../../shared/store/db.ts'

type Tagged = string | number | boolean | null | { hex: string }

interface RecordedStatement {
  sql: string
  parameters: Tagged[]
  rows?: Record<string, Tagged>[]
  errno?: number
}

const file = new URL('../fixtures/previous-release-statements.json', import.meta.url)

/** The schema it was recorded on, and its statements in order. */
export const previousRelease = JSON.parse(readFileSync(file, 'utf8')) as {
  schemaVersion: number
  statements: RecordedStatement[]
}

function untagged(value: Tagged): SqlValue {
  return typeof value === 'object' && value !== null
    ? new Uint8Array(Buffer.from(value.hex, 'hex'))
    : value
}

function tagged(value: SqlValue): Tagged {
  return value instanceof Uint8Array
    ? { hex: Buffer.from(value).toString('hex') }
    : (value as Tagged)
}

/** Runs all of them in order; resolves to those that were answered differently, as sentences. */
export async function runPreviousRelease(db: Db): Promise<string[]> {
  const different: string[] = []
  for (const { sql, parameters, rows, errno } of previousRelease.statements) {
    const said = await db.query(sql, parameters.map(untagged)).then(
      (result) => ({
        rows: result.rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, tagged(value)])),
        ),
        errno: undefined,
      }),
      (error: unknown) => ({
        rows: undefined,
        errno: error instanceof DbError ? (error.errno ?? 0) : 0,
      }),
    )
    if (said.errno !== errno || sorted(said.rows) !== sorted(rows)) {
      different.push(`${sql.slice(0, 80)}: ${said.errno ?? 'other rows'}`)
    }
  }
  return different
}

function sorted(rows: readonly Record<string, Tagged>[] | undefined): string {
  const lines = rows?.map((row) => JSON.stringify(Object.entries(row).sort()))
  return JSON.stringify(lines?.sort())
}
