/**
 * MySQL statements on SQLite (sql.js), for the offline PlanetScale of `npm run dev` and the tests.
 * One transaction at a time: whoever comes second waits, at most `lockWaitMs`, and then gets 1205.
 */
import initSqlJs, { type Database, type Statement } from 'sql.js'
import {
  type DeclaredColumn,
  fieldOfColumn,
  fieldOfValue,
  type SqliteValue,
} from './column-types.ts'
import { type DefinitionStep, withColumnRedefined } from './definitions.ts'
import { type Translation, translate } from './dialect.ts'
import { EMPTY_RESULT, type Engine, type EngineResult, type EngineSession } from './engine.ts'
import { ExclusiveLock } from './exclusive-lock.ts'
import { engineErrorFrom, mysqlError } from './sqlite-errors.ts'
import { openSqliteFile, type SqliteFile } from './sqlite-file.ts'

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
  { lockWaitMs = 2000 }: SqliteEngineOptions = {},
): Promise<Engine> {
  const file = path === ':memory:' ? undefined : await openSqliteFile(path)
  try {
    const library = await initSqlJs()
    const database = new SqliteDatabase(path, new library.Database(file?.image), file)
    const lock = new ExclusiveLock()
    return {
      openSession: () => new SqliteSession(database, lock, lockWaitMs),
      close: () => database.close(),
    }
  } catch (error) {
    await file?.close()
    throw error
  }
}

/** What reaches the database; the rest is the session's. */
type Runnable = Extract<Translation, { kind: 'select' | 'write' | 'definition' }>

class SqliteSession implements EngineSession {
  inTransaction = false
  #wrote = false
  #closed = false
  readonly #database: SqliteDatabase
  readonly #lock: ExclusiveLock
  readonly #lockWaitMs: number

  constructor(database: SqliteDatabase, lock: ExclusiveLock, lockWaitMs: number) {
    this.#database = database
    this.#lock = lock
    this.#lockWaitMs = lockWaitMs
  }

  async execute(sql: string): Promise<EngineResult> {
    const translation = translate(sql)
    switch (translation.kind) {
      case 'begin':
        await this.#end('commit')
        this.inTransaction = true
        return EMPTY_RESULT
      case 'commit':
      case 'rollback':
        await this.#end(translation.kind)
        return EMPTY_RESULT
      case 'definition':
        // As in MySQL, a definition commits what is open.
        await this.#end('commit')
        return this.#locked(translation)
      default:
        return this.#locked(translation)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#end('rollback').catch(() => undefined)
  }

  async #locked(translation: Runnable): Promise<EngineResult> {
    if (!this.#lock.isHeldBy(this)) await this.#takeLock()
    let saved: Promise<void> | undefined
    try {
      const result = this.#database.run(translation)
      if (translation.kind !== 'select') {
        if (this.inTransaction) this.#wrote = true
        else saved = this.#database.save()
      }
      return saved === undefined ? result : saved.then(() => result)
    } finally {
      if (!this.inTransaction) this.#lock.release(this)
    }
  }

  async #takeLock(): Promise<void> {
    if (!(await this.#lock.acquire(this, this.#lockWaitMs))) throw mysqlError(1205)
    // The session may have ended while its statement waited.
    if (this.#closed) {
      this.#lock.release(this)
      throw mysqlError(1317)
    }
    if (this.inTransaction) this.#database.control('begin')
  }

  async #end(verb: 'commit' | 'rollback'): Promise<void> {
    if (!this.inTransaction) return
    this.inTransaction = false
    if (!this.#lock.isHeldBy(this)) return
    let saved: Promise<void> | undefined
    try {
      this.#database.control(verb)
      if (verb === 'commit' && this.#wrote) saved = this.#database.save()
    } finally {
      this.#wrote = false
      this.#lock.release(this)
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
  readonly #database: Database
  readonly #file: SqliteFile | undefined
  readonly #columns = new Map<string, DeclaredColumn[]>()
  /** What the statement that runs gave to last_insert_id. */
  #handedOn = 0

  constructor(path: string, database: Database, file: SqliteFile | undefined) {
    this.#database = database
    this.#file = file
    this.#defineFunctions()
    this.#check(path)
  }

  #defineFunctions(): void {
    this.#database.create_function('last_insert_id', (value: number) => {
      this.#handedOn = value
      return value
    })
  }

  /** BEGIN takes effect here only when the first statement of a transaction has the lock. */
  control(verb: 'begin' | 'commit' | 'rollback'): void {
    this.#columns.clear()
    this.#database.run(verb)
  }

  run(translation: Runnable): EngineResult {
    try {
      if (translation.kind === 'select') return this.#select(translation)
      if (translation.kind === 'definition') return this.#define(translation.steps)
      const { sql, parameters } = translation.statement
      this.#handedOn = 0
      this.#database.run(sql, parameters)
      const rowsAffected = this.#database.getRowsModified()
      return { ...EMPTY_RESULT, rowsAffected, insertId: this.#handedOn }
    } catch (error) {
      throw engineErrorFrom(error)
    }
  }

  /** Takes the image at once; resolves when the file holds it. */
  async save(): Promise<void> {
    if (!this.#file) return
    const image = this.#database.export()
    // An export opens the database anew, and without them.
    this.#defineFunctions()
    try {
      await this.#file.save(image)
    } catch (error) {
      throw mysqlError(1026, error instanceof Error ? error.message : 'Error writing file')
    }
  }

  async close(): Promise<void> {
    this.#database.close()
    await this.#file?.close()
  }

  #define(steps: readonly DefinitionStep[]): EngineResult {
    this.control('begin')
    try {
      for (const step of steps) {
        if (typeof step === 'string') this.#database.run(step)
        else this.#redefine(step)
      }
      this.control('commit')
    } catch (error) {
      this.control('rollback')
      throw error
    }
    return EMPTY_RESULT
  }

  /** MODIFY: the table is made anew, which holds its rows against the new definition. */
  #redefine({ table, ...column }: Exclude<DefinitionStep, string>): void {
    const [tableSql, ...indexes] = this.#rows(
      "select sql from sqlite_schema where tbl_name = ? and sql is not null order by type = 'index'",
      table,
    ).map(([sql]) => String(sql))
    if (tableSql === undefined) throw mysqlError(1146, table)
    const redefined = withColumnRedefined(tableSql, 'redefined', column)
    if (redefined === undefined) throw mysqlError(1054, column.column)
    this.#database.run(redefined)
    this.#database.run(`insert into redefined select * from ${table}`)
    this.#database.run(`drop table ${table}`)
    this.#database.run(`alter table redefined rename to ${table}`)
    for (const index of indexes) this.#database.run(index)
  }

  #select({ statement: { sql, parameters }, tables }: Extract<Runnable, { kind: 'select' }>) {
    const statement = this.#database.prepare(sql) as unknown as ExactStatement
    try {
      if (parameters.length > 0) statement.bind(parameters)
      const values: SqliteValue[][] = []
      const rows: (Uint8Array | null)[][] = []
      while (statement.step()) {
        const row = statement.get(null, { useBigInt: true })
        values.push(row)
        rows.push(
          row.map((value, at) => {
            // sql.js decodes text and drops a byte order mark: the bytes are taken as they are.
            if (typeof value === 'string') return statement.getBlob(at)
            if (value === null || value instanceof Uint8Array) return value
            return Buffer.from(String(value))
          }),
        )
      }
      const columns = tables.flatMap((table) => this.#columnsOf(table))
      const fields = statement.getColumnNames().map((name, at) => {
        const column = columns.find((each) => each.name === name)
        if (column) return fieldOfColumn(column)
        return fieldOfValue(name, values.find((row) => row[at] !== null)?.[at])
      })
      return { ...EMPTY_RESULT, fields, rows }
    } finally {
      statement.free()
    }
  }

  #columnsOf(table: string): DeclaredColumn[] {
    const known = this.#columns.get(table)
    if (known) return known
    const rows = this.#rows('select name, type from pragma_table_info(?)', table)
    const columns = rows.map(([name, type]) => ({ name: String(name), type: String(type) }))
    this.#columns.set(table, columns)
    return columns
  }

  #rows(sql: string, ...parameters: string[]): unknown[][] {
    return this.#database.exec(sql, parameters)[0]?.values ?? []
  }

  #check(path: string): void {
    let applicationId: number
    let tables: number
    try {
      applicationId = Number(this.#rows('pragma application_id')[0]?.[0])
      tables = Number(this.#rows('select count(*) from sqlite_schema')[0]?.[0])
      const problem = String(this.#rows('pragma quick_check(1)')[0]?.[0])
      if (problem !== 'ok') throw new Error(problem)
    } catch {
      throw new Error(`${path} is a damaged SQLite file; move it away or restore a copy`)
    }
    if (tables > 0 && applicationId !== APPLICATION_ID) {
      throw new Error(`${path} is an SQLite file of another program; choose another path`)
    }
    this.#database.run(`pragma application_id = ${APPLICATION_ID}`)
  }
}
