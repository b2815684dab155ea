/**
 * MySQL statements on SQLite (sql.js), for the offline PlanetScale of `npm run dev` and the tests.
 * One transaction at a time: whoever comes second waits, at most `lockWaitMs`, and then gets 1205.
 */
import initSqlJs, { type Database, type Statement } from 'sql.js'
import { type Translation, translate } from './dialect.ts'
import type { SqliteStatement } from './dialect-expressions.ts'
import {
  EMPTY_RESULT,
  type Engine,
  EngineError,
  type EngineResult,
  type EngineSession,
} from './engine.ts'
import { ExclusiveLock } from './exclusive-lock.ts'
import { engineErrorFrom } from './sqlite-errors.ts'
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts'
import { type DeclaredColumn, resultFields, type SqliteValue, valueBytes } from './sqlite-types.ts'

/** Marks our files, so that somebody else's database is not taken for one. */
const APPLICATION_ID = 0x6d73_636f

export interface SqliteEngineOptions {
  /** How long a statement waits for another transaction, as innodb_lock_wait_timeout; 2,000 by default. */
  lockWaitMs?: number
}

/**
 * Opens `path`, or a database in memory for `:memory:`. A write is answered only once the file holds it.
 * @throws {Error} in words, when the file is corrupt, foreign or in use
 */
export async function openSqliteEngine(
  path: string,
  options: SqliteEngineOptions = {},
): Promise<Engine> {
  const file = path === ':memory:' ? undefined : await openSqliteFile(path)
  try {
    // Without this option sql.js replaces SQLite's own mathematical functions; its types do not know it.
    const library = await initSqlJs({ useOldExtensionFunctions: false } as object)
    const database = new SqliteDatabase(path, new library.Database(file?.image), file)
    return new SqliteEngine(`SQLite ${path}`, database, options.lockWaitMs ?? 2000)
  } catch (error) {
    await file?.close()
    throw error
  }
}

/** What reaches the database; the rest is the session's. */
type Runnable = Exclude<Translation, { kind: 'begin' | 'commit' | 'rollback' | 'nothing' }>

class SqliteEngine implements Engine {
  readonly description: string
  private readonly database: SqliteDatabase
  private readonly lockWaitMs: number
  private readonly lock = new ExclusiveLock()

  constructor(description: string, database: SqliteDatabase, lockWaitMs: number) {
    this.description = description
    this.database = database
    this.lockWaitMs = lockWaitMs
  }

  openSession(): EngineSession {
    return new SqliteSession(this.database, this.lock, this.lockWaitMs)
  }

  close(): Promise<void> {
    return this.database.close()
  }
}

class SqliteSession implements EngineSession {
  inTransaction = false
  private wrote = false
  private closed = false
  private readonly database: SqliteDatabase
  private readonly lock: ExclusiveLock
  private readonly lockWaitMs: number

  constructor(database: SqliteDatabase, lock: ExclusiveLock, lockWaitMs: number) {
    this.database = database
    this.lock = lock
    this.lockWaitMs = lockWaitMs
  }

  async execute(sql: string): Promise<EngineResult> {
    const translation = translate(sql)
    switch (translation.kind) {
      case 'nothing':
        return EMPTY_RESULT
      case 'begin':
        await this.end('commit')
        this.inTransaction = true
        return EMPTY_RESULT
      case 'commit':
      case 'rollback':
        await this.end(translation.kind)
        return EMPTY_RESULT
      case 'definition':
        // As in MySQL, a definition commits what is open.
        await this.end('commit')
        return this.locked(translation)
      default:
        return this.locked(translation)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.end('rollback').catch(() => undefined)
  }

  private async locked(translation: Runnable): Promise<EngineResult> {
    if (!this.lock.isHeldBy(this)) {
      if (!(await this.lock.acquire(this, this.lockWaitMs))) {
        throw new EngineError(
          1205,
          'HY000',
          'Lock wait timeout exceeded; try restarting transaction',
        )
      }
      // The session may have ended while its statement waited.
      if (this.closed) {
        this.lock.release(this)
        throw new EngineError(1317, '70100', 'Query execution was interrupted')
      }
      if (this.inTransaction) this.database.control('begin')
    }
    let saved: Promise<void> | undefined
    try {
      const result = this.database.run(translation)
      if (translation.kind !== 'select') {
        if (this.inTransaction) this.wrote = true
        else saved = this.database.save()
      }
      return saved === undefined ? result : saved.then(() => result)
    } finally {
      if (!this.inTransaction) this.lock.release(this)
    }
  }

  private async end(verb: 'commit' | 'rollback'): Promise<void> {
    if (!this.inTransaction) return
    this.inTransaction = false
    if (!this.lock.isHeldBy(this)) return
    let saved: Promise<void> | undefined
    try {
      this.database.control(verb)
      if (verb === 'commit' && this.wrote) saved = this.database.save()
    } finally {
      this.wrote = false
      this.lock.release(this)
    }
    await saved
  }
}

/** sql.js's statement with the two members its types leave out. */
interface ExactStatement extends Pick<Statement, 'getColumnNames' | 'step' | 'free'> {
  bind(values: (string | Uint8Array)[]): boolean
  get(parameters: null, options: { useBigInt: true }): SqliteValue[]
  getBlob(at: number): Uint8Array
}

class SqliteDatabase {
  private readonly database: Database
  private readonly file: SqliteFile | undefined
  private columns = new Map<string, DeclaredColumn[]>()

  constructor(path: string, database: Database, file: SqliteFile | undefined) {
    this.database = database
    this.file = file
    this.check(path)
    this.prepareConnection()
  }

  /** BEGIN takes effect here only when the first statement of a transaction has the lock. */
  control(verb: 'begin' | 'commit' | 'rollback'): void {
    this.columns.clear()
    this.database.run(verb)
  }

  run(translation: Runnable): EngineResult {
    try {
      if (translation.kind === 'select') return this.select(translation)
      if (translation.kind === 'write') {
        this.database.run(translation.statement.sql, translation.statement.parameters)
        return { ...EMPTY_RESULT, rowsAffected: this.database.getRowsModified() }
      }
      return this.define(translation.statements)
    } catch (error) {
      throw engineErrorFrom(error)
    }
  }

  /** Takes the image at once; resolves when the file holds it. */
  async save(): Promise<void> {
    if (this.file === undefined) return
    const image = this.database.export()
    // Exporting closes and opens sql.js's connection.
    this.prepareConnection()
    try {
      await this.file.save(image)
    } catch (error) {
      throw new EngineError(
        1026,
        'HY000',
        error instanceof Error ? error.message : 'Error writing file',
      )
    }
  }

  async close(): Promise<void> {
    this.database.close()
    await this.file?.close()
  }

  private define(statements: SqliteStatement[]): EngineResult {
    this.columns.clear()
    this.database.run('begin')
    try {
      for (const { sql, parameters } of statements) this.database.run(sql, parameters)
      this.database.run('commit')
    } catch (error) {
      this.database.run('rollback')
      throw error
    }
    return EMPTY_RESULT
  }

  private select(translation: Extract<Translation, { kind: 'select' }>): EngineResult {
    const { sql, parameters } = translation.statement
    const statement = this.database.prepare(sql) as unknown as ExactStatement
    try {
      if (parameters.length > 0) statement.bind(parameters)
      const values: SqliteValue[][] = []
      const texts: Uint8Array[][] = []
      while (statement.step()) {
        const row = statement.get(null, { useBigInt: true })
        values.push(row)
        // sql.js decodes text and drops a byte order mark: the bytes are taken as they are.
        texts.push(
          row.map((value, at) => (typeof value === 'string' ? statement.getBlob(at) : EMPTY_BYTES)),
        )
      }
      const shape = {
        names: statement.getColumnNames(),
        items: translation.items,
        tables: translation.tables,
        columnsOf: (table: string) => this.columnsOf(table),
      }
      const fields = resultFields(shape, (at) => values.find((row) => row[at] !== null)?.[at])
      const rows = values.map((row, rowAt) =>
        row.map((value, at) => {
          const field = fields[at]
          if (field === undefined) return null
          return valueBytes(value, field, () => texts[rowAt]?.[at] ?? EMPTY_BYTES)
        }),
      )
      return { fields, rows, rowsAffected: 0 }
    } finally {
      statement.free()
    }
  }

  private columnsOf(table: string): DeclaredColumn[] | undefined {
    const known = this.columns.get(table)
    if (known) return known
    const result = this.database.exec('select name, type, "notnull" from pragma_table_info(?)', [
      table,
    ])[0]
    const columns = (result?.values ?? []).map(([name, type, notNull]) => ({
      name: String(name),
      type: String(type),
      notNull: notNull === 1,
    }))
    if (columns.length === 0) return undefined
    this.columns.set(table, columns)
    return columns
  }

  private prepareConnection(): void {
    this.database.run('pragma case_sensitive_like = on')
    this.database.create_function('mysql_char_length', (bytes: Uint8Array | null) =>
      bytes === null ? null : [...Buffer.from(bytes).toString('utf8')].length,
    )
  }

  private check(path: string): void {
    let applicationId: number
    let tables: number
    try {
      applicationId = Number(this.database.exec('pragma application_id')[0]?.values[0]?.[0])
      tables = Number(this.database.exec('select count(*) from sqlite_schema')[0]?.values[0]?.[0])
      const problem = String(this.database.exec('pragma quick_check(1)')[0]?.values[0]?.[0])
      if (problem !== 'ok') throw new Error(problem)
    } catch {
      throw new Error(`${path} is a damaged SQLite file; move it away or restore a copy`)
    }
    if (tables > 0 && applicationId !== APPLICATION_ID) {
      throw new Error(`${path} is an SQLite file of another program; choose another path`)
    }
    this.database.run(`pragma application_id = ${APPLICATION_ID}`)
  }
}

const EMPTY_BYTES = new Uint8Array()
