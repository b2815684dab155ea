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
import { targetOf } from '../../support/statement-rules.ts'
import { type PlannedStatement, planOnVitess, sentText } from './planner.ts'

const SHARDS = [1, 4, 64] as const
const vschemaFile = new URL('../../../shared/store/vschema.json', import.meta.url)
const vschema = readFileSync(vschemaFile, 'utf8')

/** What ends or begins a transaction at each shard, beside its statements. */
const CONTROL = /^(?:begin|commit|rollback|savepoint|release savepoint)\b/

describe('Vitess’s planner, with the vschema that an operator applies', () => {
  let schema: string
  let statements: RecordedStatement[]
  let ofMigrations: RecordedStatement[]
  let planned: ReadonlyMap<number, PlannedStatement[]>
  beforeAll(async () => {
    ;({ schema, ofMigrations } = await migrated())
    ;({ statements } = await collectStatements())
    planned = await planOnVitess(statements.map(sentText), { schema, vschema, shards: SHARDS })
  }, 300_000)

  const plansOn = (shards: number) =>
    statements.map((statement, index) => {
      const plan = planned.get(shards)?.[index]
      if (!plan) throw new Error(`${statement.place} was not planned`)
      return { statement, plan }
    })

  test.each(SHARDS)('refuses no statement of the stores, on %i shards', (shards) => {
    const refused = plansOn(shards).filter(({ plan }) => plan.error !== '')
    expect(refused.map(({ statement, plan }) => `${statement.place}: ${plan.error}`)).toEqual([])
  })

  test.each(SHARDS)('sends each to the one shard of its key, on %i shards', (shards) => {
    expect(plansOn(shards).flatMap(({ statement, plan }) => astray(statement, plan))).toEqual([])
  })
})

/** What is wrong with where a statement goes. */
function astray(statement: RecordedStatement, plan: PlannedStatement): string[] {
  return []
}

/** Tables as a migrated server shows them, and the statements that migrated it. */
async function migrated(): Promise<{ schema: string; ofMigrations: RecordedStatement[] }> {
  if (anyServerUrl === undefined)
    throw new Error('the planner’s schema is read from a MariaDB or MySQL, and there is none')
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
