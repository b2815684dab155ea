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
  audit_events: ['event_id'],
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
      /^select acc_nbr, min\(id\) as oldest from ratings force index \(primary\) where acc_nbr > \? group by acc_nbr order by acc_nbr limit \?$/,
    reason: 'commands walk over all accounts, a page at a time',
  },
  {
    statement:
      /^select acc_nbr, null as oldest from rating_folds where acc_nbr > \? and not exists \(select 1 from ratings where ratings\.acc_nbr = rating_folds\.acc_nbr\) order by acc_nbr limit \?$/,
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
      /^select user_id, session_key_1, session_key_2, session_key_3, phone_sealed from users where user_id > \? order by user_id limit \?$/,
    reason: 'a command finds out whether a key is still needed, a page of people at a time',
  },
  {
    statement:
      /^select (?:phone_digest from phone_holders where (?:user_id|previous_user_id) = \?|code_digest from code_claims where user_id = \? limit \?)$/,
    reason:
      'numbers and codes of a person who leaves lie by themselves, and are changed by their key',
  },
  {
    statement:
      /^select (?:code_digest from code_claims where (claimed_at)|counter_key from counters where (window_start)|user_id from sessions where (expires_at)|event_id from audit_events where (occurred_at)) < \? order by (?:\1|\2|\3|\4) limit \?$/,
    reason: 'commands look for what has had its time, and delete it by its key',
  },
  {
    statement:
      /^select event_id, occurred_at, event, person, request from audit_events where occurred_at >= \? and \(occurred_at > \? or event_id > \?\) order by occurred_at, event_id limit \?$/,
    reason: 'a command prints the audit, a page at a time',
  },
]

/** How many `?` a list of them has, and what stands behind it. */
const LIST = '\\((?:\\?, )*\\?\\)'

/**
 * Statements of commands that name several shard keys at once, with how the keys are found among the parameters. Each key's
 * part must stand for itself, since shards commit one by one.
 */
export const BATCHES: readonly {
  statement: RegExp
  key: string
  keysOf: (parameters: readonly SqlValue[]) => readonly SqlValue[]
  reason: string
}[] = [
  {
    statement: new RegExp(`^select acc_nbr from rating_folds where acc_nbr in ${LIST}$`),
    key: 'acc_nbr',
    keysOf: (parameters) => parameters,
    reason: 'retention leaves folded accounts out',
  },
  {
    statement: new RegExp(
      `^select acc_nbr, count\\(\\*\\) as row_count from \\(select acc_nbr, id from ratings force index \\(primary\\) where acc_nbr in ${LIST} and id <= \\? order by acc_nbr, id limit \\?\\) t group by acc_nbr order by acc_nbr$`,
    ),
    key: 'acc_nbr',
    keysOf: (parameters) => parameters.slice(0, -2),
    reason: 'retention looks which accounts it can take whole',
  },
  {
    statement:
      /^insert into rating_folds \(acc_nbr, folded_through, counts, version\) values \(\?, \?, \?, \?\)(?:, \(\?, \?, \?, \?\))*$/,
    key: 'acc_nbr',
    keysOf: (parameters) => parameters.filter((_, index) => index % 4 === 0),
    reason: 'retention keeps folders out of the accounts it takes',
  },
  {
    statement: new RegExp(`^delete from ratings where acc_nbr in ${LIST} and id <= \\?$`),
    key: 'acc_nbr',
    keysOf: (parameters) => parameters.slice(0, -1),
    reason: 'retention takes small accounts together',
  },
  {
    statement: new RegExp(`^delete from rating_folds where acc_nbr in ${LIST}$`),
    key: 'acc_nbr',
    keysOf: (parameters) => parameters,
    reason: 'and lets folders in again',
  },
  ...[
    ['code_claims', 'code_digest', 'claimed_at'],
    ['counters', 'counter_key', 'window_start'],
    ['sessions', 'user_id', 'expires_at'],
    ['audit_events', 'event_id', 'occurred_at'],
  ].map(([table = '', key = '', moment]) => ({
    statement: new RegExp(`^delete from ${table} where ${key} in ${LIST} and ${moment} < \\?$`),
    key,
    keysOf: (parameters: readonly SqlValue[]) => parameters.slice(0, -1),
    reason: 'what has had its time goes many rows at once',
  })),
]

/** The database's clock, to the second below: the only spelling that means the same everywhere and in every time zone. */
const DATABASE_CLOCK = 'unix_timestamp() * 1000'
/** The same clock, in whole periods: the turn of a rating. */
const PERIOD_TURN = '? * (unix_timestamp() - (unix_timestamp() + ?) % ?) + ?'

/** Statements that read it: a submission is held against it, and the mark of folded counts. */
export const CLOCK_READERS: readonly RegExp[] = [
  /^insert into ratings \([^)]*insert_time[^)]*\) values \([?, ]*if\(unix_timestamp\(\) \* 1000 between \? and \?, \?, null\)[?, ]*\? \* \(unix_timestamp\(\) - \(unix_timestamp\(\) \+ \?\) % \?\) \+ \?\)$/,
  /^select id, idempotency_key, content_hash, replaced, turn from ratings force index \(ratings_turns\) where acc_nbr = \? and user_id = \? and turn between /,
  /^insert into audit_events \(event_id, occurred_at, [\w, ]+\) values \(\?, unix_timestamp\(\) \* 1000, [?, ]+\)$/,
  /^select [\w, ]*unix_timestamp\(\) \* 1000 as database_ms(?:, count\(\*\) as row_count)? from rating_folds where acc_nbr = \?(?: for update)?$/,
  /^select f\.counts, f\.version, unix_timestamp\(\) \* 1000 as database_ms, /,
]

/** A table whose rows nobody changes, or deletes otherwise than by their age. */
const APPEND_ONLY = 'audit_events'
const BY_AGE = new RegExp(
  `^delete from ${APPEND_ONLY} where event_id in ${LIST} and occurred_at < \\?$`,
)
const CHANGE = new RegExp(
  `^(?:update|delete from|delete ${APPEND_ONLY}|insert ignore into|insert into(?=.* on duplicate key ))\\b.*\\b${APPEND_ONLY}\\b`,
)

/** Words that are not the same everywhere, or lean on the server's clock or counters. */
const FOREIGN_WORDS =
  /\b(?:now|sysdate|curdate|curtime|current_timestamp|current_date|current_time|localtime|unix_timestamp|utc_timestamp|rand|uuid|uuid_to_bin|insertid|auto_increment|replace|returning|nowait|as new|lock in share mode|for share|create|alter|drop|truncate|call|union (?!all)|with)\b/

const RULES: readonly { pattern: RegExp; fault: string }[] = [
  { pattern: FOREIGN_WORDS, fault: 'a word that not every database knows alike' },
  { pattern: /\bskip locked\b/, fault: 'skip locked' },
  // It passes a value on that the statement computed; ids are the application's.
  {
    pattern: /\blast_insert_id(?! ?\((?! ?\)))/,
    fault: 'last_insert_id of nothing: an id that the server made',
  },
  { pattern: /['"`]/, fault: 'a literal or quoted name where only ? may stand' },
  { pattern: /;|--|#|\/\*/, fault: 'more than one plain statement' },
  {
    pattern: /\(\s*[\w.]+(?:\s*,\s*[\w.?]+)+\s*\)\s*(?:[<>=!]|in\b)/,
    fault: 'a row-value comparison',
  },
  { pattern: /\|\||&&|<=>|::/, fault: 'an operator of one dialect' },
  { pattern: /\bselect\s+(?:\w+\.)?\*/, fault: 'select *, which a new column changes' },
]

/** A session looked at by another statement, where the store is not sharded; by itself it keeps to one shard. */
export const SESSION_IN_STATEMENT =
  '(select s.user_id from sessions s join users u on u.user_id = s.user_id where s.user_id = ? and s.session_id = ? and s.ended_at is null and s.expires_at > ? and u.left_at is null and if(s.proof_hash is null, 1, s.proof_hash = ?))'

/** The statement as a sharded store would get it: with the user it names in place of the look at a session. */
export function asSharded<Sent extends Statement>(statement: Sent): Sent {
  const sql = normalised(statement.sql)
  const at = sql.indexOf(SESSION_IN_STATEMENT)
  if (at < 0) return statement
  const first = placeholders(sql.slice(0, at))
  const parameters = statement.parameters.toSpliced(first + 1, 3)
  return { ...statement, sql: sql.replace(SESSION_IN_STATEMENT, '?'), parameters }
}

/** What is wrong with a statement; empty when nothing is. `columns` are the names of all columns there are. */
export function judgeStatement(given: Statement, columns: ReadonlySet<string>): string[] {
  const statement = asSharded(given)
  const sql = normalised(statement.sql)
  const clockless = CLOCK_READERS.some((reader) => reader.test(sql))
    ? sql.replace(DATABASE_CLOCK, '?').replaceAll(PERIOD_TURN, '?')
    : sql
  const faults = RULES.flatMap(({ pattern, fault }) => (pattern.test(clockless) ? [fault] : []))
  faults.push(...keysBoundTwice(sql).map((column) => `${column} is bound more than once`))
  if (placeholders(sql) !== statement.parameters.length) faults.push('not as many values as ?')
  const named = aliases(sql).find((alias) => columns.has(alias))
  if (named !== undefined) faults.push(`the alias ${named} is a column’s name`)
  if (CHANGE.test(sql) && !BY_AGE.test(sql)) {
    faults.push(`changes ${APPEND_ONLY}, which only grows`)
  }
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
export function targetOf(given: Statement): Target | string {
  const { sql: written, parameters } = asSharded(given)
  const sql = normalised(written)
  if (SCATTERS.some(({ statement }) => statement.test(sql))) return 'every'
  const batch = BATCHES.find(({ statement }) => statement.test(sql))
  if (batch) return { key: batch.key, values: [...batch.keysOf(parameters)] }
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

/**
 * Shard keys that a statement names more than once: Vitess compares parameters by name, takes the two for different
 * keys, and asks as many times as there are, each at its own moment.
 */
function keysBoundTwice(sql: string): string[] {
  const columns = new Set(tablesOf(sql).flatMap(({ name }) => shardKeys[name] ?? []))
  const conditions = sql.slice(sql.indexOf(' where '))
  return [...columns].filter(
    (column) => conditions.split(new RegExp(`(?<!\\w)${column} = \\?`)).length > 2,
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
  if (other === undefined) return undefined
  const inside = subselectOf(sql, other)
  if (inside === undefined) return boundAt(sql, { name, alias: other }, column)
  // What was selected from somewhere lies where that lies.
  const [source] = new RegExp(`^select (?:\\w+\\.)?${column}, `).test(inside)
    ? tablesOf(inside)
    : []
  return source && boundAt(sql, source, column)
}

/** The text of `(select …) alias`. */
function subselectOf(sql: string, alias: string): string | undefined {
  const end = sql.search(new RegExp(`\\) ${alias}(?: |$)`))
  if (end < 0) return undefined
  let depth = 1
  let start = end
  while (depth > 0 && start > 0) {
    start--
    if (sql[start] === ')') depth++
    if (sql[start] === '(') depth--
  }
  return sql.slice(start + 1, end)
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
