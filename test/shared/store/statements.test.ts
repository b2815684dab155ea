import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { collectStatements } from '../../support/collected-statements.ts'
import type { RecordedStatement } from '../../support/recording-db.ts'
import { columnsOf } from '../../support/schema-rules.ts'
import {
  BATCHES,
  CLOCK_READERS,
  judgeStatement,
  judgeTransaction,
  normalised,
  SCATTERS,
  type Statement,
  targetOf,
} from '../../support/statement-rules.ts'
import type { Calls, Stores } from '../../support/store-calls.ts'

const storeFolder = new URL('../../../shared/store/', import.meta.url)

describe('every statement of the stores', () => {
  let stores: Stores
  let calls: Calls
  let statements: RecordedStatement[]
  let columns: ReadonlySet<string>
  beforeAll(async () => {
    const collected = await collectStatements()
    ;({ stores, calls, statements } = collected)
    columns = new Set(columnsOf(collected.migrations).map(({ column }) => column))
  })

  test('is asked for: no store, method or query is left out', () => {
    const sources = readdirSync(storeFolder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ name, source: readFileSync(new URL(name, storeFolder), 'utf8') }))
    const exported = sources.flatMap(({ source }) =>
      [...source.matchAll(/^export (?:async )?function\*? (\w+)\(\s*db: /gm)].map(
        ([, name]) => name,
      ),
    )
    const {
      counts,
      folds,
      maintenance,
      databaseClock,
      sessionInStatement,
      auditPages,
      ...factories
    } = stores
    const functions = [counts, folds, maintenance, databaseClock, sessionInStatement, auditPages]
    const named = [factories, ...functions].flatMap((group) => Object.keys(group))
    expect(named.sort()).toEqual(exported.sort())
    for (const name of Object.keys(stores) as (keyof Stores)[]) {
      expect(Object.keys(calls[name]).sort(), name).toEqual(Object.keys(stores[name]).sort())
    }
    const places = sources
      .filter(({ source }) => /\bdb: (?:Db|Queryable)\b/.test(source))
      .flatMap(({ name, source }) => queryPlaces(name, source))
    expect(places.length).toBeGreaterThan(30)
    expect([...new Set(statements.map(({ place }) => place))].sort()).toEqual(places.sort())
  })

  test('names its shard key and speaks the common dialect', () => {
    const faults = statements.flatMap((statement) =>
      judgeStatement(statement, columns).map((fault) => `${statement.place}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  test('goes to one shard; only one’s own ratings, those who leave and the walks of commands ask them all', () => {
    const everywhere = statements.filter((statement) => targetOf(statement) === 'every')
    expect(new Set(everywhere.map(({ place }) => place.split(':')[0]))).toEqual(
      new Set([
        'ratings.ts',
        'rating-erasure.ts',
        'maintenance.ts',
        'people.ts',
        'sessions.ts',
        'audit.ts',
      ]),
    )
    const uses = (pattern: RegExp, among = statements) =>
      among.filter(({ sql }) => pattern.test(normalised(sql))).length
    for (const { statement, reason } of SCATTERS) {
      expect(uses(statement, everywhere), reason).toBeGreaterThan(0)
    }
    for (const { statement, reason } of BATCHES) expect(uses(statement), reason).toBeGreaterThan(0)
    for (const reader of CLOCK_READERS) expect(uses(reader), `${reader}`).toBeGreaterThan(0)
  })

  test('shares its shard with the rest of its transaction', () => {
    const numbers = new Set(statements.flatMap(({ transaction }) => transaction ?? []))
    expect(numbers.size).toBeGreaterThan(2)
    for (const number of numbers) {
      const together = statements.filter(({ transaction }) => transaction === number)
      expect(judgeTransaction(together), together[0]?.place).toEqual([])
    }
  })

  test.each<[what: string, fault: string, sql: string, parameters: Statement['parameters']]>([
    ['no shard key', 'ratings without acc_nbr', 'select id from ratings where id = ?', ['x']],
    [
      'a walk that is not listed',
      'sessions without user_id',
      'select user_id from sessions where user_id > ? order by user_id limit ?',
      ['u', 1],
    ],
    [
      'a deletion of what has had its time, without its key',
      'sessions without user_id',
      'delete from sessions where expires_at < ? limit ?',
      [1, 1],
    ],
    [
      'a range of shard keys',
      'ratings without acc_nbr',
      'select id from ratings where acc_nbr > ?',
      ['1'],
    ],
    [
      'a look at a session that is another than the stores’',
      'ratings without acc_nbr',
      'insert into ratings (id, user_id, acc_nbr) values (?, (select s.user_id from sessions s where s.user_id = ?), ?)',
      ['x', 'u', '1'],
    ],
    [
      'a shard key that need not hold',
      'ratings without acc_nbr',
      'select id from ratings where acc_nbr = ? or id = ?',
      ['1', 'x'],
    ],
    [
      'half a shard key',
      'identities without appid, openid',
      'select user_id from identities where openid = ?',
      ['o'],
    ],
    [
      'a shard key as a literal',
      'ratings without acc_nbr',
      "select id from ratings where acc_nbr = '1'",
      [],
    ],
    [
      'a write by author',
      'ratings without acc_nbr',
      'delete from ratings where user_id = ? and id = ?',
      ['u', 'x'],
    ],
    [
      'another table by author',
      'rating_folds without acc_nbr',
      'select counts from rating_folds where user_id = ? and acc_nbr > ?',
      ['u', ''],
    ],
    [
      'an insert without shard key',
      'counters without counter_key',
      'insert into counters (window_start, used) values (?, ?)',
      [0, 1],
    ],
    [
      'a computed shard key',
      'counters without counter_key',
      'insert into counters (counter_key, used) values (lower(?), ?)',
      ['k', 1],
    ],
    [
      'an unknown table',
      'the table secrets has no shard key',
      'select a from secrets where acc_nbr = ?',
      ['1'],
    ],
    [
      'a join across shards',
      'users without user_id',
      'select s.device from sessions s join users u on u.openid = s.device where s.user_id = ?',
      ['u'],
    ],
    [
      'a subquery elsewhere',
      'identities without appid, openid',
      'select id from ratings where acc_nbr = ? and user_id = (select user_id from identities where openid = ?)',
      ['1', 'o'],
    ],
    [
      'the server’s clock',
      'a word that not every database knows alike',
      'update users set created_at = now() where user_id = ?',
      ['u'],
    ],
    [
      'the server’s clock where none is allowed',
      'a word that not every database knows alike',
      'update rating_folds set version = unix_timestamp() * 1000 where acc_nbr = ?',
      ['1'],
    ],
    [
      'the server’s clock in another spelling',
      'a word that not every database knows alike',
      'select unix_timestamp(now()) * 1000 as database_ms from rating_folds where acc_nbr = ?',
      ['1'],
    ],
    [
      'its shard key twice',
      'acc_nbr is bound more than once',
      'select counts from rating_folds where acc_nbr = ? union all select count(*) from ratings where acc_nbr = ?',
      ['1', '1'],
    ],
    [
      'a join to rows that lie nowhere in particular',
      'rating_folds without acc_nbr',
      'select f.counts from (select user_id, id from ratings where acc_nbr = ? limit ?) g join rating_folds f on f.acc_nbr = g.acc_nbr',
      ['1', 1],
    ],
    [
      'many shard keys that are not listed',
      'users without user_id',
      'delete from users where user_id in (?, ?) and last_login_at < ?',
      ['1', '2', 1],
    ],
    [
      'a number the server gave',
      'last_insert_id of nothing: an id that the server made',
      'select last_insert_id() as n from users where user_id = ?',
      ['u'],
    ],
    [
      'a row-value comparison',
      'a row-value comparison',
      'select id from ratings where acc_nbr = ? and (insert_time, id) < (?, ?)',
      ['1', 1, 'x'],
    ],
    [
      'REPLACE',
      'a word that not every database knows alike',
      'replace into counters (counter_key, used) values (?, ?)',
      ['k', 1],
    ],
    [
      'RETURNING',
      'a word that not every database knows alike',
      'delete from code_claims where code_digest = ? returning user_id',
      ['d'],
    ],
    [
      'SKIP LOCKED',
      'skip locked',
      'select used from counters where counter_key = ? for update skip locked',
      ['k'],
    ],
    [
      'the new upsert',
      'a word that not every database knows alike',
      'insert into counters (counter_key, used) values (?, ?) as new on duplicate key update used = new.used',
      ['k', 1],
    ],
    [
      'an alias that is a column',
      'the alias id is a column’s name',
      'select hex(id) as id from ratings where acc_nbr = ? order by id',
      ['1'],
    ],
    [
      'the same without as',
      'the alias id is a column’s name',
      'select hex(id) id from ratings where acc_nbr = ? order by id',
      ['1'],
    ],
    [
      'a value in the text',
      'a literal or quoted name where only ? may stand',
      "update sessions set device = 'x' where user_id = ?",
      ['u'],
    ],
    [
      'a value too few',
      'not as many values as ?',
      'select id from ratings where acc_nbr = ? and id > ?',
      ['1'],
    ],
    [
      'two statements',
      'more than one plain statement',
      'select id from ratings where acc_nbr = ?; select 1',
      ['1'],
    ],
    [
      'everything',
      'select *, which a new column changes',
      'select * from ratings where acc_nbr = ?',
      ['1'],
    ],
  ])('is refused with %s', (_what, fault, sql, parameters) => {
    expect(judgeStatement({ sql, parameters, transaction: undefined }, columns)).toContain(fault)
  })

  test.each([
    'update audit_events set person = ? where event_id = ?',
    'delete from audit_events where event_id = ?',
    'delete from audit_events where occurred_at < ? limit ?',
    'delete from audit_events where event_id in (?, ?)',
    'insert ignore into audit_events (event_id, person) values (?, ?)',
    'insert into audit_events (event_id, person) values (?, ?) on duplicate key update person = values(person)',
  ])('is refused when it changes what was audited, or deletes it but by its age: %s', (sql) => {
    const parameters = Array(sql.split('?').length - 1).fill('x')
    const faults = judgeStatement({ sql, parameters, transaction: undefined }, columns)
    expect(faults).toContain('changes audit_events, which only grows')
  })

  test('is refused in a transaction with another account, or when it asks every shard there', () => {
    const sql = 'delete from ratings where acc_nbr = ? and id = ?'
    const [first, second] = ['1', '2'].map((account) => ({
      sql,
      parameters: [account, 'x'],
      transaction: 1,
    }))
    const fold = {
      sql: 'select counts from rating_folds where acc_nbr = ?',
      parameters: ['1'],
      transaction: 1,
    }
    expect(judgeTransaction([first, fold] as Statement[])).toEqual([])
    expect(judgeTransaction([first, second] as Statement[])).not.toEqual([])
    const batch = {
      sql: 'delete from rating_folds where acc_nbr in (?, ?)',
      parameters: ['1', '2'],
      transaction: 1,
    }
    expect(judgeTransaction([batch, batch])).toEqual([])
    expect(judgeTransaction([batch, { ...batch, parameters: ['1', '3'] }])).not.toEqual([])
    const own = {
      sql: 'select id from ratings where user_id = ? limit ?',
      parameters: ['u', 1],
      transaction: 1,
    }
    expect(judgeStatement(own, columns)).not.toEqual([])
    expect(judgeStatement({ ...own, transaction: undefined }, columns)).toEqual([])
  })
})

/** Where a source file asks a query, as `name:line`. */
function queryPlaces(name: string, source: string): string[] {
  return source
    .split('\n')
    .flatMap((line, index) => (/\.query\(/.test(line) ? [`${name}:${index + 1}`] : []))
}
