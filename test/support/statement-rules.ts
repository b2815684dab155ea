/**
 * What every statement of the stores keeps to, so that it runs on MySQL 8, MariaDB, Vitess, TiDB and SQLite,
 * and touches one shard. It reads the plain SQL the stores write, and finds fault with what it cannot read.
 */
import { isDeepStrictEqual } from 'node:util'
import type { SqlValue } from '../../shared/store/db.ts'

export interface Statement {
  sql: string
  parameters: readonly SqlValue[]
  /** Statements of one transaction have the same number; undefined outside of any. */
  transaction: number | undefined
}

/** The columns that decide on which shard a row of a table lies. */
export const shardKeys: Readonly<Record<string, readonly string[]>> = {
  ratings: ['acc_nbr'],
  rating_folds: ['acc_nbr'],
  users: ['user_id'],
  sessions: ['user_id'],
  identities: ['appid', 'openid'],
  phone_holders: ['phone_digest'],
  code_claims: ['code_digest'],
  counters: ['counter_key'],
}

/** Where a statement goes: the shard key's values, or `every` for the few that may ask all shards. */
export type Target = { key: string; values: SqlValue[] } | 'every'

/**
 * Statements without a shard key, each with the reason why it may ask every shard. None inside a transaction; all but one
 * read.
 */
export const SCATTERS: readonly { statement: RegExp; reason: string }[] = [
  {
    statement: /^select [^;]* from ratings where user_id = \? /,
    reason: 'a person’s own ratings lie with the accounts they rate',
  },
  {
    statement:
      /^select distinct acc_nbr from ratings where acc_nbr > \? order by acc_nbr limit \?$/,
    reason: 'commands walk over all accounts, a page at a time',
  },
  {
    statement:
      /^select acc_nbr from rating_folds where acc_nbr > \? and not exists \(select 1 from ratings where ratings\.acc_nbr = rating_folds\.acc_nbr\) order by acc_nbr limit \?$/,
    reason:
      'the same walk, over accounts whose ratings are gone; both tables have the same shard key',
  },
  {
    statement: /^select user_id from users where left_at < \? order by left_at limit \?$/,
    reason: 'whoever left last minute is looked for again, and removed by their key',
  },
  {
    statement:
      /^(?:select user_id, count\(\*\) as row_count from sessions where user_id > \? and ended_at is null and created_at <= \? group by user_id order by user_id limit \?|update sessions set ended_at = \? where user_id > \? and user_id <= \? and ended_at is null and created_at <= \?)$/,
    reason:
      'a command ends everybody’s sessions, which one statement a person would take hours for; each shard may do so alone',
  },
  {
    statement:
      /^select (?:phone_digest from phone_holders where (?:user_id|previous_user_id) = \?|code_digest from code_claims where user_id = \? limit \?)$/,
    reason:
      'numbers and codes of a person who leaves lie by themselves, and are changed by their key',
  },
  {
    statement:
      /^select (?:code_digest from code_claims where claimed_at|counter_key from counters where window_start|user_id, session_id from sessions where expires_at) < \? limit \?$/,
    reason: 'commands look for what has had its time, and delete it by its key',
  },
]

/** Words that are not the same everywhere, or lean on the server's clock or counters. */
const FOREIGN_WORDS =
  /\b(?:now|sysdate|curdate|curtime|current_timestamp|current_date|current_time|localtime|unix_timestamp|utc_timestamp|rand|uuid|uuid_to_bin|last_insert_id|insertid|auto_increment|replace|returning|nowait|as new|lock in share mode|for share|create|alter|drop|truncate|call|union (?!all)|with)\b/

const RULES: readonly { pattern: RegExp; fault: string }[] = [
  { pattern: FOREIGN_WORDS, fault: 'a word that not every database knows alike' },
  { pattern: /\bskip locked\b/, fault: 'skip locked' },
  { pattern: /['"`]/, fault: 'a literal or quoted name where only ? may stand' },
  { pattern: /;|--|#|\/\*/, fault: 'more than one plain statement' },
  {
    pattern: /\(\s*[\w.]+(?:\s*,\s*[\w.?]+)+\s*\)\s*(?:[<>=!]|in\b)/,
    fault: 'a row-value comparison',
  },
  { pattern: /\|\||&&|<=>|::/, fault: 'an operator of one dialect' },
  { pattern: /\bselect\s+(?:\w+\.)?\*/, fault: 'select *, which a new column changes' },
]

/** What is wrong with a statement; empty when nothing is. `columns` are the names of all columns there are. */
export function judgeStatement(statement: Statement, columns: ReadonlySet<string>): string[] {
  const sql = normalised(statement.sql)
  const faults = RULES.flatMap(({ pattern, fault }) => (pattern.test(sql) ? [fault] : []))
  if (placeholders(sql) !== statement.parameters.length) faults.push('not as many values as ?')
  const named = aliases(sql).find((alias) => columns.has(alias))
  if (named !== undefined) faults.push(`the alias ${named} is a column’s name`)
  const target = targetOf(statement)
  if (typeof target === 'string' && target !== 'every') faults.push(target)
  if (target === 'every' && statement.transaction !== undefined) {
    faults.push('asks every shard inside a transaction')
  }
  return faults
}

/** What is wrong with the statements of one transaction together. */
export function judgeTransaction(statements: readonly Statement[]): string[] {
  const [first, ...others] = statements.map(targetOf)
  return others.every((target) => isDeepStrictEqual(target, first))
    ? []
    : ['a transaction touches more than one shard key']
}

/** Where a statement goes, or what is missing for telling. */
export function targetOf({ sql: written, parameters }: Statement): Target | string {
  const sql = normalised(written)
  if (SCATTERS.some(({ statement }) => statement.test(sql))) return 'every'
  const found = tablesOf(sql).map((table) => {
    const key = shardKeys[table.name]
    if (!key) return `the table ${table.name} has no shard key`
    const positions = key.map((column) => boundAt(sql, table, column))
    if (positions.some((position) => position === undefined)) {
      return `${table.name} without ${key.join(', ')}`
    }
    const values = positions.map((position) => parameters[position ?? -1] ?? null)
    return { key: key.join(', '), values }
  })
  const [first] = found
  if (first === undefined) return 'no table'
  return (
    found.find((target) => typeof target === 'string') ??
    (found.every((target) => isDeepStrictEqual(target, first)) ? first : 'tables of two shards')
  )
}

interface Table {
  name: string
  alias: string | undefined
}

/** Which `?` holds this column's value, by an insert's list or an equality that must hold. */
function boundAt(sql: string, { name, alias }: Table, column: string): number | undefined {
  const [, list, values] =
    /^insert (?:ignore )?into \w+ \(([^)]*)\) values \(([^)]*)\)/.exec(sql) ?? []
  if (list !== undefined && values !== undefined) {
    const index = list.split(',').findIndex((each) => each.trim() === column)
    const bound = values.split(',').map((each) => each.trim())
    if (bound[index] !== '?') return undefined
    return bound.slice(0, index).filter((each) => each === '?').length
  }
  const where = sql.indexOf(' where ')
  // With an `or` anywhere, an equality need not hold.
  if (where < 0 || / or | not ?\(| not exists|\bcase\b/.test(sql.slice(where))) return undefined
  const own = alias === undefined ? column : `${alias}.${column}`
  const equality = new RegExp(`(?:where|and) ${own.replace('.', '\\.')} = \\?`).exec(
    sql.slice(where),
  )
  if (equality) return placeholders(sql.slice(0, where + equality.index))
  // A joined table is where the table lies whose key it equals.
  const [, other] =
    alias === undefined
      ? []
      : (new RegExp(` on ${own} = (\\w+)\\.${column}(?: |$)`).exec(sql) ?? [])
  return other === undefined ? undefined : boundAt(sql, { name, alias: other }, column)
}

function tablesOf(sql: string): Table[] {
  const after =
    /\b(?:from|join|into|^update) (\w+)(?: (?!use |force |where |set |on |join |values|order |limit |group )(\w+))?/g
  return [...sql.matchAll(after)].map(([, name = '', alias]) => ({ name, alias }))
}

/** Names given to results, with and without `as`. */
function aliases(sql: string): string[] {
  const [, selected = ''] = /^select (?:distinct )?(.*?) from /.exec(sql) ?? []
  return [...selected.matchAll(/(?:\bas |[)\w?] )(\w+)(?=,|$)/g)].map(([, alias = '']) => alias)
}

function placeholders(sql: string): number {
  return sql.split('?').length - 1
}

/** A statement on one line, in lower case. */
export function normalised(sql: string): string {
  return sql.trim().replaceAll(/\s+/g, ' ').toLowerCase()
}
