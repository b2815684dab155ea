/** What the commands share: the database they work on, progress on a terminal, and how they fail. */

import { pathToFileURL } from 'node:url'
import { type Db, DbError } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { startLocalDatabase } from '../database/local-database.ts'
import { dataFolder, loadDotenv } from '../local/environment.ts'

/** Runs `work` on the database at DATABASE_URL, by default that of `npm run dev`. */
export async function withDatabase<T>(
  work: (db: Db, description: string) => Promise<T>,
): Promise<T> {
  loadDotenv()
  const address = process.env.DATABASE_URL || `sqlite:${dataFolder}/dev.sqlite`
  const database = await startLocalDatabase(address)
  try {
    const db = await openDb(database.url)
    return await work(db, database.description).finally(() => db.close())
  } finally {
    await database.close()
  }
}

/** Runs a command when its file is the program; a failure is one sentence and exit code 1. */
export function runCommand(moduleUrl: string, main: () => Promise<void>): void {
  if (moduleUrl !== pathToFileURL(process.argv[1] ?? '').href) return
  main().catch((error: unknown) => {
    console.error(sentenceOf(error))
    process.exitCode = 1
  })
}

function sentenceOf(error: unknown): string {
  if (error instanceof DbError) {
    return `The database at DATABASE_URL cannot be used: ${error.logDetails.what}. npm run doctor looks closer.`
  }
  return error instanceof Error ? error.message : String(error)
}

const PROGRESS_INTERVAL_MS = 500

/** A progress line on standard error: rewritten on a terminal, every so often elsewhere. */
export function progressLine(): { show(line: string): void; end(): void } {
  const { stderr } = process
  let shownAt = 0
  return {
    show(line) {
      const now = performance.now()
      if (now - shownAt < PROGRESS_INTERVAL_MS) return
      shownAt = now
      stderr.write(stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
    },
    end() {
      if (stderr.isTTY && shownAt > 0) stderr.write('\r\u001b[K')
    },
  }
}
