/** What the commands share: options and help, the database they work on, progress on a terminal, and how they fail. */

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { type Db, DbError } from '../../shared/store/db.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { startLocalDatabase } from '../database/local-database.ts'
import { CommandProblem } from './problem.ts'
import { LOCAL, readStage } from './stage.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>

export interface Command<O extends Options> {
  /** What `--help` prints. */
  usage: string
  /** As for `parseArgs`. */
  options: O
  /** Words beside the options are taken; refused otherwise. */
  takesWords?: boolean
  run(values: Parsed<O>['values'], words: string[]): Promise<unknown>
}

/** Runs the command of this process. A failure, wrong usage included, is one sentence and exit code 1. */
export async function runCommand<const O extends Options>(command: Command<O>): Promise<void> {
  try {
    const help = { type: 'boolean', short: 'h' } as const
    const { values, positionals } = parseArgs({
      options: { ...command.options, help },
      allowPositionals: command.takesWords === true,
    })
    if ('help' in values) console.log(command.usage)
    else await command.run(values as Parsed<O>['values'], positionals)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    console.error(isUsage ? `${message}. --help explains.` : message)
    process.exitCode = 1
  }
}

/** Says which stage, then runs `work` on its database. */
export async function withDatabase<T>(
  { stage: name, database: address }: { stage?: string; database?: string },
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const stage = await readStage(name, { database: address })
  console.error(stage.headline)
  const { DATABASE_URL } = stage.values
  if (!DATABASE_URL) throw new CommandProblem(`DATABASE_URL is not set in ${stage.file}.`)
  const database = await startLocalDatabase(DATABASE_URL)
  try {
    const db = await openDb(database.url)
    return await work(db).finally(() => db.close())
  } catch (error) {
    if (!(error instanceof DbError)) throw error
    const advice =
      stage.name === LOCAL ? '' : ` npm run doctor -- --stage ${stage.name} looks closer.`
    throw new CommandProblem(
      `The database of stage ${stage.name} cannot be used: ${error.logDetails.what}.${advice}`,
    )
  } finally {
    await database.close()
  }
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
