import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import initSqlJs from 'sql.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineResult } from '../../../../scripts/simulators/planetscale/engine.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'

/** Runs one autocommitted statement. */
async function run(engine: Engine, sql: string): Promise<EngineResult> {
  const session = engine.openSession()
  try {
    return await session.execute(sql)
  } finally {
    await session.close()
  }
}

async function cells(engine: Engine, sql: string): Promise<(string | null)[][]> {
  const { rows } = await run(engine, sql)
  return rows.map((row) =>
    row.map((value) => (value === null ? null : Buffer.from(value).toString())),
  )
}

const TABLE = 'create table t (k varchar(4) primary key)'

describe('the file', () => {
  let folder: string
  let path: string
  let children: ChildProcess[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'miniscore-sqlite-'))
    path = join(folder, 'sub', 'dev.sqlite')
    children = []
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  async function reopened<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = await openSqliteEngine(path)
    try {
      return await work(engine)
    } finally {
      await engine.close()
    }
  }

  test('keeps what was committed, and nothing of what was not', async () => {
    await reopened(async (engine) => {
      await run(engine, TABLE)
      await run(engine, "insert into t (k) values ('a')")
      const session = engine.openSession()
      await session.execute('begin')
      await session.execute("insert into t (k) values ('b')")
      await session.execute('commit')
      await session.execute('begin')
      await session.execute("insert into t (k) values ('c')")
    })
    expect(await reopened((engine) => cells(engine, 'select k from t'))).toEqual([['a'], ['b']])
    expect(await readdir(join(folder, 'sub'))).toEqual(['dev.sqlite'])
  })

  test('holds a write before it is acknowledged', async () => {
    const SQL = await initSqlJs()
    await reopened(async (engine) => {
      await run(engine, TABLE)
      const writes = Array.from({ length: 20 }, async (_, at) => {
        await run(engine, `insert into t (k) values ('${at}')`)
        const stored = new SQL.Database(await readFile(path))
        const found = stored.exec(`select count(*) from t where k = '${at}'`)[0]?.values[0]?.[0]
        stored.close()
        return found
      })
      expect(new Set(await Promise.all(writes))).toEqual(new Set([1]))
    })
  })

  test('loses nothing acknowledged when the process is killed, and its lock does not stand in the way', async () => {
    const engineUrl = new URL(
      '../../../../scripts/simulators/planetscale/sqlite-engine.ts',
      import.meta.url,
    ).href
    const program = `
      const { openSqliteEngine } = await import(${JSON.stringify(engineUrl)})
      const engine = await openSqliteEngine(${JSON.stringify(path)})
      const session = engine.openSession()
      await session.execute('create table t (k int primary key)')
      for (let k = 0; ; k++) { await session.execute('insert into t (k) values (' + k + ')'); console.log(k) }`
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    children.push(child)
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.split('\n').length > 15) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    const acknowledged = output.split('\n').slice(0, -1)
    const stored = await reopened((engine) => cells(engine, 'select k from t order by k'))
    expect(acknowledged.length).toBeGreaterThan(10)
    expect(stored.flat()).toEqual(expect.arrayContaining(acknowledged))
  })

  test.each([
    ['text', 'hello', 'is not an SQLite file'],
    ['half a header', `SQLite format 3\0${'x'.repeat(200)}`, 'is a damaged SQLite file'],
  ])('that is %s is refused in words and left alone', async (_, content, message) => {
    await reopened((engine) => run(engine, TABLE))
    await writeFile(path, content)
    await expect(openSqliteEngine(path)).rejects.toThrow(message)
    expect(await readFile(path, 'latin1')).toBe(content)
    expect(await readdir(join(folder, 'sub'))).toEqual(['dev.sqlite'])
  })

  test('that was cut off is refused in words', async () => {
    await reopened((engine) => run(engine, TABLE))
    const whole = await readFile(path)
    await writeFile(path, whole.subarray(0, whole.length / 2))
    await expect(openSqliteEngine(path)).rejects.toThrow('is a damaged SQLite file')
  })

  test('of another program is refused in words', async () => {
    const SQL = await initSqlJs()
    const foreign = new SQL.Database()
    foreign.run('create table theirs (a int)')
    await reopened((engine) => run(engine, TABLE))
    await writeFile(path, foreign.export())
    foreign.close()
    await expect(openSqliteEngine(path)).rejects.toThrow('of another program')
  })

  test('that is in use is refused, naming the process', async () => {
    await reopened(async () => {
      await expect(openSqliteEngine(path)).rejects.toThrow(`is in use by process ${process.pid}`)
    })
  })

  test('that cannot be written refuses the write instead of acknowledging it', async () => {
    await reopened(async (engine) => {
      await run(engine, TABLE)
      await rm(join(folder, 'sub'), { recursive: true })
      await expect(run(engine, "insert into t (k) values ('a')")).rejects.toMatchObject({
        errno: 1026,
      })
    }).catch((error: unknown) => {
      // Closing tries once more and says so.
      expect(String(error)).toContain('cannot be written')
    })
    expect.assertions(2)
  })
})
