/** Fills a database with made-up ratings: part of `npm run bench -- scale`. */

import { createConnection } from 'mysql2/promise'
import { openDb } from '../../shared/wiring/database.ts'
import { migrate, readMigrations } from '../database/migrations.ts'
import {
  type GeneratorOptions,
  insertRisingStatement,
  insertStatement,
  ROWS_PER_INSERT,
} from './generated-ratings.ts'

export interface LoadRatingsOptions extends GeneratorOptions {
  /** `mysql://user:password@host:3306/database` */
  databaseUrl: string
  progress: (line: string) => void
}

const PROGRESS_EVERY_MS = 2000

/** Migrates an empty database, then inserts `rows` ratings; the same ones for the same numbers. */
export async function loadRatings(options: LoadRatingsOptions): Promise<void> {
  const { databaseUrl, rows, progress } = options
  const db = await openDb(databaseUrl)
  await migrate(db, { migrations: await readMigrations() }).finally(() => db.close())
  const connection = await createConnection({ uri: databaseUrl, charset: 'utf8mb4_bin' })
  try {
    // The rows are unique by construction, and looking them up in the index would read it at random.
    await connection.query('set unique_checks = 0')
    let done = 0
    let saidAtMs = Date.now()
    const startedAtMs = saidAtMs
    while (done < rows) {
      await connection.query(insertStatement(done, options))
      done = Math.min(done + ROWS_PER_INSERT, rows)
      const nowMs = Date.now()
      if (nowMs - saidAtMs > PROGRESS_EVERY_MS) {
        saidAtMs = nowMs
        progress(describeProgress(done, rows, nowMs - startedAtMs))
      }
    }
    await connection.query('analyze table ratings')
    progress(describeProgress(done, rows, Date.now() - startedAtMs))
  } finally {
    await connection.end()
  }
}

/** Adds the `count` newest ratings of the account that is rated a thousand times a second. */
export async function addRisingRatings(databaseUrl: string, count: number): Promise<void> {
  const connection = await createConnection({ uri: databaseUrl, charset: 'utf8mb4_bin' })
  const untilMs = Date.now()
  try {
    for (let from = 0; from < count; from += ROWS_PER_INSERT) {
      await connection.query(insertRisingStatement(from, { count, untilMs }))
    }
  } finally {
    await connection.end()
  }
}

function describeProgress(done: number, rows: number, elapsedMs: number): string {
  const perSecond = Math.round((done * 1000) / Math.max(elapsedMs, 1))
  const leftSeconds = Math.ceil((rows - done) / Math.max(perSecond, 1))
  const percent = Math.floor((done * 100) / rows)
  return `load: ${done} of ${rows} ratings (${percent} %), ${perSecond}/s, ${leftSeconds} s left`
}
