import { type Cast, connect } from '@planetscale/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMariaDbEngine } from '../../../scripts/simulators/planetscale/mariadb-engine.ts'
import { startOfflinePlanetScale } from '../../../scripts/simulators/planetscale/server.ts'
import { DbError } from '../../../shared/store/db.ts'
import { castValue } from '../../../shared/store/planetscale-answer.ts'
import { describeOnServers } from '../../support/server-suites.ts'
import { startPsHttpSim } from './ps-http-sim.ts'

interface Simulator {
  url: string
  close(): Promise<void>
}

interface Answer {
  result?: { fields?: { name: string; type: string; charset: number }[]; rowsAffected?: string }
  error?: { code: string; message: string }
}

const TABLES = [
  `create table kinds (
    id binary(2) not null, t tinyint null, u int null, s smallint null, b bigint not null,
    a varchar(9) character set ascii collate ascii_bin not null, c varchar(9) character set utf8mb4 collate utf8mb4_bin null,
    x text character set utf8mb4 collate utf8mb4_bin null, v varbinary(9) null,
    primary key (id), unique key once (a)
  ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`,
  "insert into kinds values (x'0001', -128, 2147483647, 3, 9007199254740991, 'abc', '😀é', '', x'00ff'), (x'0002', null, null, null, -9007199254740991, 'ABC', null, null, null)",
]

/** In an order in which each finds what the ones before left; all are asked once of each. */
const STATEMENTS = [
  'select * from kinds order by id',
  'select k.id, k.c as text, k.t from kinds k join kinds l on l.id = k.id order by k.id',
  'select count(*) as n, count(t) as m, sum(s) as total, max(b) as hi, min(c) as lo, max(v) as bytes from kinds',
  "select 'x' as x, null as missing",
  "select id from kinds where a = 'nobody'",
  "insert ignore into kinds (id, b, a) values (x'0001', 1, 'abc')",
  "insert into kinds (id, b, a) values (x'0003', 1, 'new')",
  "insert into kinds (id, b, a) values (x'0003', 2, 'new') on duplicate key update b = values(b)",
  "update kinds set b = last_insert_id(b + 7) where a = 'new'",
  "update kinds set b = 5 where id in (x'0001', x'0002')",
  "delete from kinds where a = 'new'",
  "delete from kinds where a = 'new'",
  "insert into kinds (id, b, a) values (x'0001', 1, 'new')",
  "insert into kinds (id, b, a) values (x'0003', null, 'new')",
  "insert into kinds (id, b, a) values (x'0003', 1, 'far too long')",
  "insert into kinds (id, b, a, t) values (x'0003', 1, 'new', 128)",
  'select * from nowhere',
  'select missing from kinds',
  'selec 1',
  'select a, count(*) from kinds',
]

describeOnServers('the offline PlanetScale, beside ps-http-sim', (suite) => {
  // PlanetScale has MySQL behind it; in front of TiDB ps-http-sim does not come up.
  describe.skipIf(suite.kind === 'TiDB')('on the same server', () => {
    let offline: Simulator
    let other: Simulator
    beforeAll(async () => {
      const engine = await openMariaDbEngine({ url: await suite.freshDatabase() })
      offline = await startOfflinePlanetScale({ engine })
      other = await startPsHttpSim(await suite.freshDatabase())
      for (const { url } of [offline, other]) {
        for (const statement of TABLES) await answerOf(url, statement)
      }
    })
    afterAll(async () => {
      await offline?.close()
      await other?.close()
    })

    test.each(STATEMENTS)('gives the same answer to %s', async (sql) => {
      expect(await readByTheDoor(offline.url, sql)).toEqual(await readByTheDoor(other.url, sql))
    })

    test('a refusal of one kind is no answer of another: what is compared tells them apart', async () => {
      const missing = await readByTheDoor(other.url, 'select * from nowhere')
      expect(missing).toEqual({ refused: '(errno 1146) (sqlstate 42S02)' })
      expect(await readByTheDoor(other.url, 'selec 1')).not.toEqual(missing)
    })

    test('pins a transaction to its session, and takes it back, alike', async () => {
      for (const { url } of [offline, other]) {
        const [one, another] = [connect({ url }), connect({ url })]
        await one.execute('begin')
        await one.execute("insert into kinds (id, b, a) values (x'0009', 1, 'pinned')")
        const find = "select b from kinds where a = 'pinned'"
        expect((await one.execute(find)).rows).toHaveLength(1)
        expect((await another.execute(find)).rows).toHaveLength(0)
        await one.execute('rollback')
        expect((await one.execute(find)).rows).toHaveLength(0)
      }
    })

    describe('differs where it follows the real service', () => {
      const both = async (sql: string) =>
        [await answerOf(offline.url, sql), await answerOf(other.url, sql)] as const

      // vttablet connects with CLIENT_FOUND_ROWS: https://github.com/vitessio/vitess/blob/main/go/vt/dbconfigs/dbconfigs.go
      test('an UPDATE counts the rows it found, not those it changed', async () => {
        const [ours, theirs] = await both("update kinds set c = c where a = 'abc'")
        expect(ours.result?.rowsAffected).toBe('1')
        expect(theirs.result?.rowsAffected).toBeUndefined()
      })

      test('an error has the code and the prefix that vttablet gives it', async () => {
        const [ours, theirs] = await both('select * from nowhere')
        expect(ours.error).toMatchObject({
          code: 'NOT_FOUND',
          message: expect.stringContaining('vttablet: rpc error: code = NotFound'),
        })
        expect(theirs.error?.code).toBe('UNKNOWN')
      })
    })

    // https://github.com/vitessio/vitess/blob/main/go/sqltypes/type.go, modifyType; as text and bytes are told apart by the
    // charset, by the driver and by the door, both names are read alike.
    test('has plainer names for text that is compared by its bytes, and the same charset but for binary', async () => {
      const sql = 'select a, x, v from kinds'
      const typesOf = ({ result }: Answer) => result?.fields?.map(({ type }) => type)
      const charsetsOf = ({ result }: Answer) =>
        result?.fields?.map(({ charset }) => charset === 63)
      const [ours, theirs] = [await answerOf(offline.url, sql), await answerOf(other.url, sql)]
      expect(typesOf(ours)).toEqual(['VARCHAR', 'TEXT', 'VARBINARY'])
      expect(typesOf(theirs)).toEqual(['VARBINARY', 'BLOB', 'VARBINARY'])
      expect(charsetsOf(ours)).toEqual(charsetsOf(theirs))
    })
  })
})

/** What the store's door makes of an answer: values by its own rules, what a write did, or which error it was. */
async function readByTheDoor(url: string, sql: string) {
  try {
    const connection = connect({ url, cast: castValue as Cast })
    const { rows, rowsAffected, insertId } = await connection.execute(sql)
    return { rows, rowsAffected, insertId }
  } catch (error) {
    if (error instanceof DbError) return { refused: error.failure }
    const [number] = /\(errno [0-9]+\) \(sqlstate \w+\)/.exec(String(error)) ?? []
    if (number === undefined) throw error
    return { refused: number }
  }
}

async function answerOf(url: string, query: string): Promise<Answer> {
  const { username, password, origin } = new URL(url)
  const response = await fetch(`${origin}/psdb.v1alpha1.Database/Execute`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${username}:${password}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query, session: null }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}
