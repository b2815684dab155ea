import { connect, DatabaseError } from '@planetscale/database'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type OfflinePlanetScale,
  type OfflinePlanetScaleOptions,
  startOfflinePlanetScale,
} from '../../../../scripts/simulators/planetscale/server.ts'
import { openSqliteEngine } from '../../../../scripts/simulators/planetscale/sqlite-engine.ts'

let server: OfflinePlanetScale | undefined
afterEach(() => server?.close())

async function start(
  options: Partial<OfflinePlanetScaleOptions> = {},
): Promise<OfflinePlanetScale> {
  const engine = await openSqliteEngine(':memory:', { lockWaitMs: 100 })
  server = await startOfflinePlanetScale({ engine, ...options })
  return server
}

const EXECUTE = '/psdb.v1alpha1.Database/Execute'

function post(url: string, path: string, body: string, authorization?: string): Promise<Response> {
  const { username, password, origin } = new URL(url)
  const basic = `Basic ${btoa(`${username}:${password}`)}`
  return fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { authorization: authorization ?? basic, 'content-type': 'application/json' },
    body,
  })
}

async function answerTo(url: string, query: string): Promise<unknown> {
  const response = await post(url, EXECUTE, JSON.stringify({ query, session: null }))
  expect(response.status).toBe(200)
  return response.json()
}

async function refusal(work: Promise<unknown>): Promise<DatabaseError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DatabaseError) return error
  throw new Error(`expected a DatabaseError, got ${String(error)}`)
}

describe('answers', () => {
  test('leave out zero values and write 64-bit numbers as strings', async () => {
    const { url } = await start()
    await answerTo(url, 'create table t (id int primary key, txt text)')
    expect(await answerTo(url, "insert into t values (1, ''), (2, null)")).toMatchObject({
      result: { rowsAffected: '2' },
    })
    const answer = await answerTo(url, 'select txt from t order by id')
    expect(answer).toMatchObject({ result: { rows: [{ lengths: ['0'] }, { lengths: ['-1'] }] } })
    expect(JSON.stringify(answer)).not.toMatch(/values|rowsAffected|insertId|error/)
    expect(await answerTo(url, 'begin')).toMatchObject({ result: {} })
  })

  test('tell text from bytes by the charset and name types as Vitess does', async () => {
    const { url } = await start()
    const connection = connect({ url })
    await connection.execute(
      'create table kinds (t tinyint, u int, b bigint, c varchar(9), x text, v varbinary(9), f binary(2))',
    )
    await connection.execute(
      "insert into kinds values (-1, 7, 9007199254740993, 'c', 'x', x'00ff', x'0102')",
    )
    const { rows, types, fields } =
      await connection.execute<Record<string, unknown>>('select * from kinds')
    expect(types).toEqual({
      t: 'INT8',
      u: 'INT32',
      b: 'INT64',
      c: 'VARCHAR',
      x: 'TEXT',
      v: 'VARBINARY',
      f: 'BINARY',
    })
    expect(fields.map(({ charset }) => charset)).toEqual([63, 63, 63, 255, 255, 63, 63])
    expect(rows[0]).toMatchObject({
      t: -1,
      u: 7,
      b: '9007199254740993',
      c: 'c',
      x: 'x',
      v: Uint8Array.from([0, 255]),
      f: Uint8Array.from([1, 2]),
    })
  })

  test('give counts as strings, as the real service does', async () => {
    const { url } = await start()
    const connection = connect({ url })
    await connection.execute('create table n (a int)')
    await connection.execute('insert into n values (1), (2)')
    const { rows, types } = await connection.execute(
      'select count(*) as rows_found, a, null as missing from n group by a order by a',
    )
    expect(rows).toEqual([
      { rows_found: '1', a: 1, missing: null },
      { rows_found: '1', a: 2, missing: null },
    ])
    expect(types).toEqual({ rows_found: 'INT64', a: 'INT32', missing: 'NULL' })
  })

  test('carry SQL errors as text in HTTP 200', async () => {
    const { url } = await start()
    const answer = await answerTo(url, 'select * from nowhere')
    expect(answer).toMatchObject({ session: {}, error: { code: 'NOT_FOUND' } })
    const { message } = await refusal(connect({ url }).execute('select * from nowhere'))
    expect(message).toContain(
      "Table 'miniscore.nowhere' doesn't exist (errno 1146) (sqlstate 42S02)",
    )
  })

  test('repeat the statement with its values in errors, as the real service may', async () => {
    const { url } = await start()
    const work = connect({ url }).execute('select * from nowhere where a = ?', ['13800138000'])
    expect((await refusal(work)).message).toContain('13800138000')
  })
})

describe('requests', () => {
  test.each([
    ['a wrong password', `Basic ${btoa('offline:wrong')}`],
    ['no credentials', ''],
  ])('with %s are answered 401', async (_, authorization) => {
    const { url } = await start()
    const response = await post(url, EXECUTE, JSON.stringify({ query: 'select 1' }), authorization)
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
  })

  test.each([
    '',
    '{',
    '[]',
    'null',
    '{"query":1}',
    '{"query":"select 1","session":{}}',
    '{"query":"select 1","session":"x"}',
  ])('with the body %j are answered 400', async (body) => {
    const { url } = await start()
    const response = await post(url, EXECUTE, body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } })
  })

  test('with a session of another server are answered 400', async () => {
    const { url } = await start()
    const { session } = (await answerTo(url, 'begin')) as { session: { signature: string } }
    const forged = {
      ...session,
      signature: session.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
    }
    const response = await post(url, EXECUTE, JSON.stringify({ query: 'commit', session: forged }))
    expect(response.status).toBe(400)
  })

  test('that are too large are answered 413', async () => {
    const { url } = await start()
    const query = `select '${'x'.repeat(16 * 1024 * 1024)}'`
    const response = await post(url, EXECUTE, JSON.stringify({ query }))
    expect(response.status).toBe(413)
  })

  test('to other paths and methods are answered 404 and 405', async () => {
    const { url } = await start()
    expect((await post(url, '/other', '{}')).status).toBe(404)
    expect((await fetch(new URL(url).origin + EXECUTE)).status).toBe(405)
  })

  test('a taken port is named', async () => {
    const { url } = await start()
    const engine = await openSqliteEngine(':memory:')
    const port = Number(new URL(url).port)
    await expect(startOfflinePlanetScale({ engine, port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port} (EADDRINUSE).`,
    )
    await engine.close()
  })
})

describe('transactions', () => {
  test('hold what they wrote back until COMMIT, and ROLLBACK takes it away', async () => {
    const { url } = await start()
    const connection = connect({ url })
    await connection.execute('create table t (a int)')
    await connection.transaction((tx) => tx.execute('insert into t values (1)'))
    const failure = connection.transaction(async (tx) => {
      await tx.execute('insert into t values (2)')
      throw new Error('changed my mind')
    })
    await expect(failure).rejects.toThrow('changed my mind')
    expect((await connection.execute('select a from t')).rows).toEqual([{ a: 1 }])
    expect(server?.transactions()).toBe(0)
  })

  test('go on after a refused statement', async () => {
    const { url } = await start()
    const connection = connect({ url })
    await connection.execute('create table t (a int primary key)')
    await connection.transaction(async (tx) => {
      await tx.execute('insert into t values (1)')
      expect((await refusal(tx.execute('insert into t values (1)'))).message).toContain(
        '(errno 1062)',
      )
      await tx.execute('insert into t values (2)')
    })
    expect((await connection.execute('select count(*) as n from t')).rows).toEqual([{ n: '2' }])
  })

  test('make others wait, and turn them away with 1205 in the end', async () => {
    const { url } = await start()
    const [one, other] = [connect({ url }), connect({ url })]
    await one.execute('create table t (a int)')
    await one.execute('begin')
    await one.execute('insert into t values (1)')
    expect((await refusal(other.execute('insert into t values (2)'))).message).toContain(
      '(errno 1205)',
    )
    const waiting = other.execute('select a from t')
    await one.execute('commit')
    expect((await waiting).rows).toEqual([{ a: 1 }])
  })

  test('are rolled back at the time limit, and their session says so', async () => {
    const { url } = await start({ transactionLimitMs: 500 })
    const connection = connect({ url })
    await connection.execute('create table t (a int)')
    await connection.execute('begin')
    await connection.execute('insert into t values (1)')
    await expect.poll(() => server?.transactions()).toBe(0)
    const { message } = await refusal(connection.execute('commit'))
    expect(message).toContain('exceeded timeout')
    expect((await connect({ url }).execute('select a from t')).rows).toEqual([])
  })

  test('are ended by a definition, which commits as in MySQL', async () => {
    const { url } = await start()
    const connection = connect({ url })
    await connection.execute('create table t (a int)')
    await connection.execute('begin')
    await connection.execute('insert into t values (1)')
    await connection.execute('create table other (a int)')
    await connection.execute('rollback')
    expect((await connection.execute('select a from t')).rows).toEqual([{ a: 1 }])
  })
})

test('a fault hits the next matching statements only', async () => {
  const { url, faults } = await start()
  const connection = connect({ url })
  faults.add({ kind: 'sql-error', errno: 1213, sqlState: '40001', match: '^select 1', times: 2 })
  await connection.execute('select 2')
  for (const _ of [1, 2]) {
    const { message } = await refusal(connection.execute('select 1'))
    expect(message).toContain('(errno 1213) (sqlstate 40001)')
  }
  await connection.execute('select 1')
  expect(faults.left).toBe(0)
})
