/** Fills a database with made-up ratings, fast: part of `npm run bench -- scale`. */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise'
import { openDb } from '../../shared/wiring/database.ts'
import { migrate, readMigrations } from '../database/migrations.ts'
import {
  type GeneratedRating,
  type GeneratorOptions,
  generateRatings,
} from './generated-ratings.ts'

export interface LoadRatingsOptions extends GeneratorOptions {
  /** `mysql://user:password@host:3306/database` */
  databaseUrl: string
  progress: (line: string) => void
}

/** Some 300 KB of statement, far below any server's limit. */
const ROWS_PER_INSERT = 1000
const PROGRESS_EVERY_MS = 2000

/**
 * Migrates the database, then inserts `rows` ratings; the same ones for the same numbers.
 * @throws {Error} in words when the database holds ratings already, or folded counts that these would make wrong
 */
export async function loadRatings(options: LoadRatingsOptions): Promise<void> {
  const { databaseUrl, rows, progress } = options
  const db = await openDb(databaseUrl)
  await migrate(db, { migrations: await readMigrations() }).finally(() => db.close())
  const connection = await createConnection({ uri: databaseUrl, charset: 'utf8mb4_bin' })
  try {
    await refuseUnfit(connection)
    // The rows are unique by construction, and looking them up in the index would read it at random.
    await connection.query('set unique_checks = 0')
    let done = 0
    let saidAtMs = Date.now()
    const startedAtMs = saidAtMs
    let inserting: Promise<unknown> = Promise.resolve()
    for (const batch of batches(generateRatings(options))) {
      const statement = insertOf(batch)
      // The next batch is made while the server works on the last one.
      await inserting
      inserting = connection.query(statement)
      inserting.catch(() => {})
      done += batch.length
      const nowMs = Date.now()
      if (nowMs - saidAtMs > PROGRESS_EVERY_MS) {
        saidAtMs = nowMs
        progress(describeProgress(done, rows, nowMs - startedAtMs))
      }
    }
    await inserting
    await connection.query('analyze table ratings')
    progress(describeProgress(done, rows, Date.now() - startedAtMs))
  } finally {
    await connection.end()
  }
}

/** Folded counts would be wrong with older ratings, too. */
async function refuseUnfit(connection: Connection): Promise<void> {
  for (const table of ['rating_folds', 'ratings']) {
    const [rows] = await connection.query<RowDataPacket[]>(`select 1 from ${table} limit 1`)
    if (rows.length > 0) throw new Error(`This database has rows in ${table}: take an empty one.`)
  }
}

function* batches(ratings: Iterable<GeneratedRating>): Generator<GeneratedRating[]> {
  let batch: GeneratedRating[] = []
  for (const rating of ratings) {
    batch.push(rating)
    if (batch.length < ROWS_PER_INSERT) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Every value is one of our own making, so that hex and quotes need no escaping. */
function insertOf(batch: readonly GeneratedRating[]): string {
  const rows = batch.map((rating) => {
    const id = rating.id.toString('hex')
    const grades = [rating.grade1, rating.grade2, rating.grade3].join()
    const texts = [rating.txt1, rating.txt2, rating.txt3].map((text) => `'${text}'`).join()
    const author = rating.userId.toString('hex')
    return `('${rating.acc_nbr}',x'${id}',x'${author}',${grades},${texts},${rating.insertTimeMs},null,null)`
  })
  return `insert into ratings (acc_nbr, id, user_id, grade1, grade2, grade3, txt1, txt2, txt3, insert_time, idempotency_key, content_hash) values ${rows.join()}`
}

function describeProgress(done: number, rows: number, elapsedMs: number): string {
  const perSecond = Math.round((done * 1000) / Math.max(elapsedMs, 1))
  const leftSeconds = Math.ceil((rows - done) / Math.max(perSecond, 1))
  const percent = Math.floor((done * 100) / rows)
  return `load: ${done} of ${rows} ratings (${percent} %), ${perSecond}/s, ${leftSeconds} s left`
}
