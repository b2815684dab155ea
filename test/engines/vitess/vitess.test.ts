import { readFileSync } from 'node:fs'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { beforeAll, describe, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../scripts/database/migrations.ts'
import {
  createDatabase,
  dropDatabase,
} from '../../../scripts/simulators/mysql-server/private-server.ts'
import { collectStatements } from '../../support/collected-statements.ts'
import { openMySql } from '../../support/open-door.ts'
import { type RecordedStatement, recordStatements } from '../../support/recording-db.ts'
import { anyServerUrl } from '../../support/server-suites.ts'
import {
  asSharded,
  BATCHES,
  normalised,
  type Statement,
  targetOf,
} from '../../support/statement-rules.ts'
import { type PlannedStatement, planOnVitess, sentText } from './planner.ts'

const SHARDS = [1, 4, 64] as const
const vschemaFile = new URL('../../../shared/store/vschema.json', import.meta.url)
const vschema = readFileSync(vschemaFile, 'utf8')

/** What is no statement of ours: a transaction's ends, and how vttablet fetches the value that `last_insert_id(…)` was handed. */
const BESIDE = /^(?:begin|commit|rollback|select last_insert_id\([0-9]*\)$)/

let schema: string
let statements: RecordedStatement[]
let ofMigrations: RecordedStatement[]
beforeAll(async () => {
  ;({ schema, ofMigrations } = await migrated())
  statements = (await collectStatements()).statements.map(asSharded)
})

/** Plans on four shards. */
async function plan(
  sent: readonly string[],
  withVschema: string = vschema,
): Promise<PlannedStatement[]> {
  const planned = await planOnVitess(sent, { schema, vschema: withVschema, shards: [4] })
  return planned.get(4) ?? []
}

describe('Vitess’s planner, with the vschema that an operator applies', () => {
  let planned: ReadonlyMap<number, PlannedStatement[]>
  beforeAll(async () => {
    planned = await planOnVitess(statements.map(sentText), { schema, vschema, shards: SHARDS })
  }, 120_000)
  const plansOn = (shards: number) => paired(statements, planned.get(shards) ?? [])

  test.each(SHARDS)('refuses no statement of the stores, on %i shards', (shards) => {
    expect(plansOn(shards)).toHaveLength(statements.length)
    const refused = plansOn(shards).filter(({ plan }) => plan.error !== '')
    expect(refused.map(({ statement, plan }) => `${statement.place}: ${plan.error}`)).toEqual([])
  })

  test.each(SHARDS)(
    'sends each to the one shard of its key, once, and the listed ones to every shard, on %i shards',
    (shards) => {
      const faults = plansOn(shards).flatMap(({ statement, plan }) =>
        astray(statement, plan, shards).map((fault) => `${statement.place}: ${fault}`),
      )
      expect(faults).toEqual([])
    },
  )

  test('keeps each transaction on one shard', async () => {
    const numbers = [...new Set(statements.flatMap(({ transaction }) => transaction ?? []))]
    // Retention's batches: each account's part stands for itself.
    const together = numbers
      .map((number) => statements.filter(({ transaction }) => transaction === number))
      .filter((transaction) => !transaction.some(isBatch))
    expect(together.length).toBeGreaterThan(3)
    const sent = together.map((each) => `begin; ${each.map(sentText).join('; ')}; commit`)
    for (const { shards, error } of await plan(sent)) {
      expect(error).toBe('')
      expect(shards).toHaveLength(1)
    }
  })

  test('knows every table there is, those of the migrations’ own bookkeeping included', async () => {
    const tables = [...schema.matchAll(/^create table `(\w+)`/gim)].map(([, name]) => name)
    expect(Object.keys(JSON.parse(vschema).tables).sort()).toEqual(tables.sort())
    const bookkeeping = ofMigrations.filter(({ sql }) =>
      /^(?:select|insert|update|delete)\b.*\bschema_(?:migrations|lock)\b/s.test(sql.trim()),
    )
    expect(bookkeeping.length).toBeGreaterThan(20)
    const plans = paired(bookkeeping, await plan(bookkeeping.map(sentText)))
    expect(plans.filter(({ plan }) => plan.error !== '')).toEqual([])
    const spread = plans.filter(({ plan }) => plan.shards.length > 1)
    expect(new Set(spread.map(({ statement }) => normalised(statement.sql)))).toEqual(
      new Set([
        'select version, name, checksum, statements_done, applied_at from schema_migrations order by version',
      ]),
    )
  })
})

describe('it finds', () => {
  /** Faults of all statements under another vschema, refusals included. */
  const faultsUnder = async (change: (tables: Record<string, unknown>) => void) => {
    const changed = JSON.parse(vschema)
    change(changed.tables)
    const plans = paired(statements, await plan(statements.map(sentText), JSON.stringify(changed)))
    return plans.flatMap(({ statement, plan }) =>
      plan.error === '' ? astray(statement, plan, 4) : [plan.error],
    )
  }
  const vindexOn = (column: string) => ({ column_vindexes: [{ column, name: 'xxhash' }] })

  test('a vschema that shards ratings by their author', async () => {
    const faults = await faultsUnder((tables) => {
      tables.ratings = vindexOn('user_id')
    })
    expect(faults.filter((fault) => fault.startsWith('asks 4 shards')).length).toBeGreaterThan(10)
  })

  test('a vschema that keeps sessions elsewhere than their people', async () => {
    const faults = await faultsUnder((tables) => {
      tables.sessions = vindexOn('session_id')
    })
    expect(faults.length).toBeGreaterThan(5)
  })

  test('a vschema without a table', async () => {
    const faults = await faultsUnder((tables) => {
      delete tables.counters
    })
    expect(faults.join()).toContain('counters')
  })

  test('a vschema without a vindex', async () => {
    const work = faultsUnder((tables) => {
      tables.ratings = {}
    })
    await expect(work).rejects.toThrow(/ratings/)
  })

  const account = { parameters: ['13800138000'], transaction: undefined }
  test.each<[what: string, fault: string, statement: Statement]>([
    [
      'a statement without its shard key',
      'asks 4 shards',
      { ...account, sql: 'select id from ratings where idempotency_key = ?' },
    ],
    [
      'a statement about two accounts',
      'asks 2 shards',
      {
        ...account,
        parameters: ['one', 'three'],
        sql: 'select f.counts, (select count(*) from ratings r where r.acc_nbr = ?) as n from rating_folds f where f.acc_nbr = ?',
      },
    ],
  ])('%s', async (_what, fault, statement) => {
    const [found] = await plan([sentText(statement)])
    expect(found?.error).toBe('')
    expect(found && astray(statement, found, 4).join()).toContain(fault)
  })

  test('a transaction over two accounts', async () => {
    const [found] = await plan([
      "begin; delete from ratings where acc_nbr = 'one'; delete from ratings where acc_nbr = 'three'; commit",
    ])
    expect(found?.shards).toHaveLength(2)
  })
})

function paired(of: readonly RecordedStatement[], plans: readonly PlannedStatement[]) {
  return plans.flatMap((plan, index) => {
    const statement = of[index]
    return statement ? [{ statement, plan }] : []
  })
}

/** What is wrong with where a statement goes, of so many shards. */
function astray(statement: Statement, plan: PlannedStatement, shards: number): string[] {
  const sql = normalised(statement.sql)
  const asked = plan.shards.length
  const target = targetOf(statement)
  if (target === 'every') return asked === shards ? [] : [`asks ${asked} shards only: ${sql}`]
  const keys = isBatch(statement) && typeof target !== 'string' ? target.values.length : 1
  if (asked === 0 || asked > keys) return [`asks ${asked} shards: ${sql}`]
  return Object.values(plan.asked).flatMap((queries) => {
    const ours = queries.filter((query) => !BESIDE.test(query))
    return ours.length === 1 ? [] : [`asks a shard ${ours.length} times: ${ours.join('; ')}`]
  })
}

function isBatch({ sql }: Statement): boolean {
  return BATCHES.some(({ statement }) => statement.test(normalised(sql)))
}

/** Tables as a migrated server shows them, and the statements that migrated it. */
async function migrated(): Promise<{ schema: string; ofMigrations: RecordedStatement[] }> {
  if (anyServerUrl === undefined) {
    throw new Error('the planner reads its tables from a MariaDB or MySQL, and there is none')
  }
  const url = await createDatabase(anyServerUrl)
  const db = openMySql({ url, connections: 1, timeoutMs: () => 30_000 })
  const connection = await createConnection({ uri: url })
  try {
    const recorded = recordStatements(db)
    await migrate(recorded.db, { migrations: await readMigrations() })
    const [tables] = await connection.query<RowDataPacket[]>('show tables')
    const definitions: string[] = []
    for (const table of tables.flatMap((row) => Object.values(row))) {
      const [rows] = await connection.query<RowDataPacket[]>('show create table ??', [table])
      definitions.push(String(rows[0]?.['Create Table']))
    }
    return { schema: `${definitions.join(';\n')};`, ofMigrations: recorded.statements }
  } finally {
    await connection.end()
    await db.close()
    await dropDatabase(url)
  }
}
