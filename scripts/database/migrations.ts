/**
 * Migrations: plain SQL files applied in order, each once. What was applied is remembered with a
 * checksum and statement by statement, so that a run cut off halfway is continued.
 */

import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Db, DbError, LOCK_WAIT_ERRNO } from '../../shared/store/db.ts'
import { define } from './definitions.ts'
import { secondsRunning, tableOf, whoHolds } from './server-activity.ts'

export interface Migration {
  version: number
  /** File name, `0001-ratings.sql`. */
  name: string
  /** SHA-256 of the file in hex. */
  checksum: string
  statements: string[]
}

export const migrationsFolder = fileURLToPath(
  new URL('../../shared/store/migrations/', import.meta.url),
)

/** The migrations of a folder, in order. @throws {Error} when a name or number is out of order */
export async function readMigrations(folder: string = migrationsFolder): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const migrations: Migration[] = []
  for (const [index, name] of names.entries()) {
    const version = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1])
    if (version !== index + 1) {
      throw new Error(`${name}: expected a file numbered ${String(index + 1).padStart(4, '0')}`)
    }
    const source = await readFile(`${folder}/${name}`, 'utf8')
    const checksum = createHash('sha256').update(source).digest('hex')
    migrations.push({ version, name, checksum, statements: splitStatements(source) })
  }
  return migrations
}

/** Statements of a migration file: comments are whole lines, and a statement ends with `;` at a line's end. */
function splitStatements(source: string): string[] {
  const withoutComments = source.replaceAll(/^\s*--.*$/gm, '')
  return withoutComments
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

export interface MigrateOptions {
  migrations: readonly Migration[]
  /** Told what is done as it happens. */
  onStep?: (step: string) => void
  /** How long to wait for another migrator, in milliseconds. */
  lockWaitMs?: number
  /** How long to wait for a table that somebody holds, in milliseconds; ten minutes unless told. */
  tableWaitMs?: number
  now?: () => number
}

/**
 * Applies what is not applied yet and resolves to the names of those files. A statement waits for its table no longer
 * than the sessions of `db` wait for one, and tries again after a pause: what is read meanwhile queues behind it.
 * @throws {MigrationError} when an applied file was changed or is gone, another migrator holds the lock, or somebody
 * held a table for too long
 * @throws {MigrationGoesOnError} when the server is still at it
 */
export async function migrate(impatient: Db, options: MigrateOptions): Promise<string[]> {
  const { migrations, onStep = () => {}, now = Date.now, tableWaitMs = TABLE_WAIT_MS } = options
  const db = patient(impatient, { onStep, tableWaitMs })
  for (const statement of bookkeepingTables) await db.query(statement)
  const lock = await acquireLock(db, { waitMs: options.lockWaitMs ?? 30_000, now, onStep })
  try {
    const applied = await readApplied(db)
    assertUnchanged(migrations, applied)
    const pending = migrations.filter(({ version }) => !applied.get(version)?.isComplete)
    for (const migration of pending) {
      const done = applied.get(migration.version)?.statementsDone
      await applyMigration(db, migration, done, {
        onStep,
        now,
        tableWaitMs,
        renewLock: lock.renew,
      })
    }
    return pending.map(({ name }) => name)
  } finally {
    await lock.release()
  }
}

/** The files `migrate` would apply. @throws {MigrationError} when an applied file was changed or is gone */
export async function pendingMigrations(
  db: Db,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const applied = await readApplied(db).catch((error: unknown) => {
    if (error instanceof DbError && error.errno === UNKNOWN_TABLE) return new Map<number, Applied>()
    throw error
  })
  assertUnchanged(migrations, applied)
  return migrations.filter(({ version }) => !applied.get(version)?.isComplete)
}

/** Something a person has to decide; its message is a sentence. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/** The server still runs a statement that nobody waits for any more. Running the migrations again takes it up. */
export class MigrationGoesOnError extends MigrationError {
  /** Of a command. */
  readonly exitCode = 2
}

/** An applied file is not what it was; see `MigrationError`. */
export class ChangedMigrationError extends MigrationError {
  readonly file: string
  readonly change: 'gone' | 'changed'

  constructor(file: string, change: 'gone' | 'changed') {
    super(
      change === 'gone'
        ? `${file} was applied to this database, but its file is gone. Deploy the version that has it.`
        : `${file} was changed after it had been applied. Restore it and put the change into a new file.`,
    )
    this.file = file
    this.change = change
  }
}

const UNKNOWN_TABLE = 1146
const TABLE_WAIT_MS = 10 * 60_000
/** Between two attempts to get a table, growing up to: what queued behind the attempt gets through. */
const ATTEMPT_PAUSE_MS = 1000
const ATTEMPT_PAUSE_MAX_MS = 5000
/** How often a long statement is told about, and the lock renewed. */
const WATCH_INTERVAL_MS = 10_000
/** A migrator that died gives the lock up after this; a living one renews it at every statement. */
const LOCK_LEASE_MS = 60_000

export const bookkeepingTables = [
  `create table if not exists schema_migrations (
    version int not null,
    name varchar(100) character set ascii collate ascii_bin not null,
    checksum varchar(64) character set ascii collate ascii_bin not null,
    statements_done int not null,
    applied_at bigint null,
    primary key (version)
  ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`,
  `create table if not exists schema_lock (
    id int not null,
    holder varchar(64) character set ascii collate ascii_bin not null,
    expires_at bigint not null,
    primary key (id)
  ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`,
]

interface Applied {
  name: string
  checksum: string
  statementsDone: number
  isComplete: boolean
}

async function readApplied(db: Db): Promise<Map<number, Applied>> {
  const { rows } = await db.query(
    'select version, name, checksum, statements_done, applied_at from schema_migrations order by version',
  )
  return new Map(
    rows.map((row) => [
      Number(row.version),
      {
        name: String(row.name),
        checksum: String(row.checksum),
        statementsDone: Number(row.statements_done),
        isComplete: row.applied_at !== null,
      },
    ]),
  )
}

function assertUnchanged(
  migrations: readonly Migration[],
  applied: ReadonlyMap<number, Applied>,
): void {
  for (const [version, { name, checksum }] of applied) {
    const file = migrations.find((migration) => migration.version === version)
    if (!file) throw new ChangedMigrationError(name, 'gone')
    if (file.checksum !== checksum) throw new ChangedMigrationError(file.name, 'changed')
  }
}

interface Applying {
  onStep: (step: string) => void
  now: () => number
  tableWaitMs: number
  renewLock: () => Promise<void>
}

async function applyMigration(
  db: Db,
  { version, name, checksum, statements }: Migration,
  statementsDone: number | undefined,
  applying: Applying,
): Promise<void> {
  if (statementsDone === undefined) {
    await db.query(
      'insert into schema_migrations (version, name, checksum, statements_done, applied_at) values (?, ?, ?, 0, null)',
      [version, name, checksum],
    )
  }
  for (let index = statementsDone ?? 0; index < statements.length; index++) {
    const what = `${name}: statement ${index + 1} of ${statements.length}`
    await applying.renewLock()
    applying.onStep(what)
    await applyStatement(db, { sql: statements[index] ?? '', what }, applying)
    await db.query('update schema_migrations set statements_done = ? where version = ?', [
      index + 1,
      version,
    ])
  }
  await db.query('update schema_migrations set applied_at = ? where version = ?', [
    applying.now(),
    version,
  ])
}

interface Step {
  sql: string
  /** Which it is, in words. */
  what: string
}

async function applyStatement(db: Db, { sql, what }: Step, applying: Applying): Promise<void> {
  const { onStep, tableWaitMs, renewLock } = applying
  for (const endMs = Date.now() + tableWaitMs; ; await pause(ATTEMPT_PAUSE_MS)) {
    const seconds = await secondsRunning(db, sql)
    if (seconds === undefined) break
    if (Date.now() > endMs) throw goesOn(what, seconds)
    onStep(`${what}: an earlier run began it, the server has been at it for ${seconds} s`)
    await renewLock()
  }
  const isDone = new AbortController()
  const watching = watch(async () => {
    await renewLock()
    const seconds = await secondsRunning(db, sql)
    if (seconds) onStep(`${what}: the server has been at it for ${seconds} s`)
  }, isDone.signal)
  try {
    await define(db, sql)
  } catch (error) {
    if (!(error instanceof DbError)) throw error
    const seconds = error.outcome === 'unknown' ? await secondsRunning(db, sql) : undefined
    throw seconds === undefined ? error : goesOn(what, seconds)
  } finally {
    isDone.abort()
    await watching
  }
}

/** Calls `look` now and then until `signal` aborts; what it throws ends the watch alone. */
async function watch(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await pause(WATCH_INTERVAL_MS, undefined, { signal })
      await look()
    }
  } catch {
    // Aborted, or the server cannot be asked at the moment.
  }
}

/** `db`, its statements sent again as long as somebody holds their table. What queued behind one gets through meanwhile. */
function patient(db: Db, { onStep, tableWaitMs }: Pick<Applying, 'onStep' | 'tableWaitMs'>): Db {
  return {
    ...db,
    async query(sql, parameters) {
      const startedAtMs = Date.now()
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.query(sql, parameters)
        } catch (error) {
          if (!(error instanceof DbError) || error.errno !== LOCK_WAIT_ERRNO) throw error
        }
        const waitedMs = Date.now() - startedAtMs
        const since = `${tableOf(sql)} since ${Math.round(waitedMs / 1000)} s, held by ${await whoHolds(db, sql)}`
        if (waitedMs > tableWaitMs) {
          throw new MigrationError(
            `Waited for ${since}. The statement was not applied: end that, and run npm run migrate again.`,
          )
        }
        onStep(`waiting for ${since}`)
        await pause(Math.min(attempt * ATTEMPT_PAUSE_MS, ATTEMPT_PAUSE_MAX_MS))
      }
    },
  }
}

function goesOn(what: string, seconds: number): MigrationGoesOnError {
  return new MigrationGoesOnError(
    `${what} has not failed: the server has been at it for ${seconds} s and goes on. Run npm run migrate again later; it takes up from there.`,
  )
}

async function acquireLock(
  db: Db,
  options: { waitMs: number; now: () => number; onStep: (step: string) => void },
): Promise<{ renew(): Promise<void>; release(): Promise<void> }> {
  const { waitMs, now, onStep } = options
  const holder = randomUUID()
  const deadline = Date.now() + waitMs
  await db.query("insert ignore into schema_lock (id, holder, expires_at) values (1, '', 0)")
  const take = async (): Promise<boolean> => {
    await db.query(
      'update schema_lock set holder = ?, expires_at = ? where id = 1 and (holder = ? or expires_at < ?)',
      [holder, now() + LOCK_LEASE_MS, holder, now()],
    )
    const { rows } = await db.query('select holder from schema_lock where id = 1')
    return rows[0]?.holder === holder
  }
  let isWaiting = false
  while (!(await take())) {
    if (Date.now() > deadline) {
      throw new MigrationError(
        `Another migrator is at work; if it died, its lock ends within ${LOCK_LEASE_MS / 1000} s.`,
      )
    }
    if (!isWaiting) onStep('waiting for another migrator')
    isWaiting = true
    await pause(200)
  }
  return {
    async renew() {
      if (!(await take())) throw new MigrationError('Another migrator took over the lock.')
    },
    async release() {
      await db
        .query("update schema_lock set holder = '', expires_at = 0 where id = 1 and holder = ?", [
          holder,
        ])
        .catch(() => {})
    },
  }
}
