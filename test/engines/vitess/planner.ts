/** Vitess's own planner, compiled from `main.go` beside this file: which shards a statement asks, before there is any shard. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { format } from '@planetscale/database'
import { enginesFolder } from '../../../scripts/simulators/mysql-server/tidb.ts'
import type { Statement } from '../../support/statement-rules.ts'

/** What the planner says of one statement, or of the statements of one transaction together. */
export interface PlannedStatement {
  /** `keyspace/shard` of each shard that is asked. */
  shards: string[]
  /** What the MySQL of each of them is asked. */
  asked: Record<string, string[]>
  /** The plan's operators, outermost first: `Route EqualUnique`. */
  operators: string[]
  /** Why Vitess refuses it; empty when it does not. */
  error: string
}

export interface PlanningOptions {
  /** `create table` statements. */
  schema: string
  /** One keyspace's, as an operator applies it. */
  vschema: string
  shards: readonly number[]
}

export const plannerProgram: string = join(enginesFolder, 'vitess-planner')
const KEYSPACE = 'miniscore'
/** How many lines of a failed planner are worth repeating. */
const LAST_WORDS = 12

/**
 * Plans each of `statements` by itself, once for every number of shards.
 * @throws {Error} with the planner's words, when it takes the schema or the vschema for wrong
 */
export async function planOnVitess(
  statements: readonly string[],
  { schema, vschema, shards }: PlanningOptions,
): Promise<ReadonlyMap<number, PlannedStatement[]>> {
  const planner = spawn(plannerProgram, { stdio: ['pipe', 'pipe', 'pipe'] })
  const keyspaces = JSON.stringify({ [KEYSPACE]: JSON.parse(vschema) })
  planner.stdin.end(JSON.stringify({ schema, vschema: keyspaces, shards, statements }))
  const [answer, words, exitCode] = await Promise.all([
    text(planner.stdout),
    text(planner.stderr),
    new Promise((resolve, reject) => planner.once('close', resolve).once('error', reject)),
  ])
  if (exitCode !== 0) {
    // Its own log is JSON; the rest are the planner's words, or where it broke off.
    const said = words.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    throw new Error(`the planner ended with ${exitCode}:\n${said.slice(0, LAST_WORDS).join('\n')}`)
  }
  const planned = JSON.parse(answer) as Record<string, PlannedStatement[]>
  return new Map(shards.map((count) => [count, planned[count] ?? []]))
}

/** The text that PlanetScale's driver sends: values stand in it. */
export function sentText({ sql, parameters }: Pick<Statement, 'sql' | 'parameters'>): string {
  return parameters.length === 0 ? sql : format(sql, [...parameters])
}
