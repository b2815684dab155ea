/**
 * Migrations: plain SQL files applied in order, each once. What was applied is remembered with a
 * checksum and statement by statement, so that a run cut off halfway is continued.
 */

import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Db, DbError } from '../../shared/store/db.ts'

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
  now?: () => number
}

/**
 * Applies what is not applied yet and resolves to the names of those files.
 * @throws {MigrationError} when an applied file was changed or is gone, or another migrator holds the lock
 */
export async function migrate(db: Db, options: MigrateOptions): Promise<string[]> {
  const { migrations, onStep = () => {}, now = Date.now } = options
  for (const statement of bookkeepingTables) await db.query(statement)
  const lock = await acquireLock(db, { waitMs: options.lockWaitMs ?? 30_000, now, onStep })
  try {
    const applied = await readApplied(db)
    assertUnchanged(migrations, applied)
    const pending = migrations.filter(({ version }) => !applied.get(version)?.isComplete)
    for (const migration of pending) {
      const done = applied.get(migration.version)?.statementsDone
      await applyMigration(db, migration, done, { onStep, now, renewLock: lock.renew })
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
/** Table, column or key is already there: the statement ran before its mark was written. */
const ALREADY_DONE: ReadonlySet<number> = new Set([1050, 1060, 1061])
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

async function applyMigration(
  db: Db,
  { version, name, checksum, statements }: Migration,
  statementsDone: number | undefined,
  {
    onStep,
    now,
    renewLock,
  }: { onStep: (step: string) => void; now: () => number; renewLock: () => Promise<void> },
): Promise<void> {
  if (statementsDone === undefined) {
    await db.query(
      'insert into schema_migrations (version, name, checksum, statements_done, applied_at) values (?, ?, ?, 0, null)',
      [version, name, checksum],
    )
  }
  for (let index = statementsDone ?? 0; index < statements.length; index++) {
    await renewLock()
    onStep(`${name}: statement ${index + 1} of ${statements.length}`)
    await db.query(statements[index] ?? '').catch((error: unknown) => {
      if (!(error instanceof DbError) || !ALREADY_DONE.has(error.errno ?? 0)) throw error
    })
    await db.query('update schema_migrations set statements_done = ? where version = ?', [
      index + 1,
      version,
    ])
  }
  await db.query('update schema_migrations set applied_at = ? where version = ?', [now(), version])
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
    await new Promise((resolve) => setTimeout(resolve, 200))
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
