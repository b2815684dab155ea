import { createHash } from 'node:crypto'
import { v7 as uuidV7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import type { Db, Queryable, SqlRow, SqlValue } from '../../../shared/store/db.ts'
import { uuidToBytes } from '../../../shared/store/rows.ts'
import { openMySql } from '../../support/open-door.ts'
import { describeOnServers } from '../../support/server-suites.ts'
import { everyCall, everyStore } from '../../support/store-calls.ts'
import { insertRatings } from '../../support/stored-rating.ts'

/**
 * A page of these reads the index from where the last page ended. Over large accounts the servers skip (`Using index for
 * group-by`), over those of a few rows they find reading on no dearer.
 */
const WALKS = [
  /^select acc_nbr, null as oldest from rating_folds/,
  /^select acc_nbr, min\(id\) as oldest from ratings/,
  /^select event_id, occurred_at, event, person, request from audit_events/,
  // Which key sealed what, a page of people at a time.
  /^select user_id, session_key_1, session_key_2, session_key_3, phone_sealed from users where user_id > \?/,
  // Ending everybody's sessions, some hundred people at a time.
  /^select user_id, count\(\*\) as row_count from sessions where user_id > \?/,
  /^update sessions set ended_at = \? where user_id > \? and user_id <= \?/,
]

/** Rows per table of the filling, and how many of them a statement may be expected to look at. */
const ROWS = 4000
const ROWS_MAX = 1000
/** Nothing of the filling has had its time, or can be folded. */
const LATER_MS = Date.UTC(2040, 0, 1)

describeOnServers('on filled tables, every statement of the stores', ({ freshDatabase }) => {
  let db: Db
  const scans: string[] = []
  let explained = 0
  /** Asks for the plan of each statement at the moment it is run, on the rows that it finds. */
  const explaining = (inner: Queryable): Queryable => ({
    async query(sql, parameters = []) {
      if (!/^\s*insert/.test(sql)) {
        explained++
        scans.push(...(await scansOf(inner, sql, parameters)))
      }
      return inner.query(sql, parameters)
    },
  })

  beforeAll(async () => {
    db = openMySql({ url: await freshDatabase(), connections: 1, timeoutMs: () => 30_000 })
    await migrate(db, { migrations: await readMigrations() })
    await fill(db)
    const explainingDb: Db = {
      ...explaining(db),
      transaction: (work) => db.transaction((inner) => work(explaining(inner))),
      close: () => db.close(),
    }
    const calls = everyCall(everyStore(explainingDb), db)
    for (const call of Object.values(calls).flatMap((methods) => Object.values(methods))) {
      await call()
    }
  })
  afterAll(() => db?.close())

  test('goes by an index, and looks at no more rows than it needs', () => {
    expect(scans).toEqual([])
    expect(explained).toBeGreaterThan(100)
  })

  test.each<[sql: string, parameters: SqlValue[]]>([
    ['select user_id from sessions where device = ?', ['phone']],
    ['delete from counters where used < ?', [1]],
    ['select count(*) as row_count from ratings where insert_time < ?', [1]],
    [
      'select id from ratings where user_id > ? order by insert_time limit ?',
      [Buffer.alloc(16), 1],
    ],
    ['update users set unionid = null where openid = ?', ['o1']],
  ])('would be found scanning: %s', async (sql, parameters) => {
    expect(await scansOf(db, sql, parameters)).not.toEqual([])
  })
})

async function scansOf(
  db: Queryable,
  sql: string,
  parameters: readonly SqlValue[],
): Promise<string[]> {
  if (WALKS.some((walk) => walk.test(sql))) return []
  // MySQL 9 explains as a tree unless it is told otherwise.
  const { rows } = await db.query(`explain format = traditional ${sql}`, parameters)
  return rows.filter(isScan).map((plan) => `${sql}: ${JSON.stringify(plan)}`)
}

function isScan(plan: SqlRow): boolean {
  return 'estRows' in plan ? isScanOnTiDb(plan) : isScanOnMySql(plan)
}

/** TiDB names its operators: `└─TableFullScan_5`. */
function isScanOnTiDb({ id, estRows }: SqlRow): boolean {
  const operator = String(id)
  return /FullScan/.test(operator) || (/Scan/.test(operator) && Number(estRows) > ROWS_MAX)
}

function isScanOnMySql({ table, type, key, rows }: SqlRow): boolean {
  // What a subselect gave is no table of ours, and was limited.
  if (typeof table !== 'string' || table.startsWith('<')) return false
  return type === 'ALL' || type === 'index' || key === null || Number(rows) > ROWS_MAX
}

async function fill(db: Db): Promise<void> {
  for (let account = 0; account < ROWS / 20; account++) {
    await insertRatings(db, `9${account}`, { count: 20, fromMs: LATER_MS })
  }
  const people = Array.from({ length: ROWS }, (_, index) => ({
    openid: `o${index}`,
    userId: uuidToBytes(uuidV7()),
    digest: createHash('sha256').update(`${index}`).digest(),
  }))
  const insert = async (
    into: string,
    values: (person: (typeof people)[number]) => SqlValue[],
  ): Promise<void> => {
    for (let from = 0; from < people.length; from += 500) {
      const batch = people.slice(from, from + 500).map(values)
      const row = `(${batch[0]?.map(() => '?').join(', ')})`
      await db.query(`insert into ${into} values ${batch.map(() => row).join(', ')}`, batch.flat())
    }
  }
  await insert('rating_folds (acc_nbr, folded_through, counts, version)', ({ openid }) => [
    openid,
    new Uint8Array(16),
    '{"count":0,"grades":{"grade1":{},"grade2":{},"grade3":{}}}',
    1,
  ])
  await insert(
    'users (user_id, appid, openid, created_at, last_login_at)',
    ({ userId, openid }) => [userId, 'wxapp', openid, LATER_MS, LATER_MS],
  )
  await insert('identities (appid, openid, user_id, created_at)', ({ userId, openid }) => [
    'wxapp',
    openid,
    userId,
    LATER_MS,
  ])
  await insert(
    'sessions (user_id, session_id, kind, device, created_at, last_used_at, expires_at, refresh_generation, refresh_kid, refresh_hash, rotated_at)',
    ({ userId, digest }) => [
      userId,
      uuidToBytes(uuidV7()),
      'code',
      'phone',
      LATER_MS,
      LATER_MS,
      LATER_MS,
      1,
      'k1',
      digest,
      LATER_MS,
    ],
  )
  await insert('phone_holders (phone_digest, user_id, bound_at)', ({ userId, digest }) => [
    digest,
    userId,
    LATER_MS,
  ])
  await insert('code_claims (code_digest, nonce_digest, claimed_at)', ({ digest }) => [
    digest,
    digest,
    LATER_MS,
  ])
  await insert('counters (counter_key, window_start, used)', ({ openid }) => [openid, LATER_MS, 5])
  await insert('audit_events (event_id, occurred_at, event, person, request)', ({ userId }) => [
    userId,
    LATER_MS,
    'operator-read',
    'sixteen-letters-',
    'request-1',
  ])
  const tables =
    'ratings, rating_folds, users, identities, sessions, phone_holders, code_claims, counters, audit_events'
  await db.query(`analyze table ${tables}`)
}
