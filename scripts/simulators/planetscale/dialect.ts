/**
 * The MySQL that this project's statements, migrations and commands are written in (shared/store, scripts/database,
 * scripts/doctor) as SQLite. Nothing else is translated: what SQLite would run differently is refused with a sentence, and
 * what it cannot read is a syntax error. To let a further function through is a line in FUNCTIONS.
 */
import { type DefinitionStep, translateDefinition } from './definitions.ts'
import { notTranslated, syntaxError } from './engine.ts'
import { type ParameterizedSql, splitList, takeOutLiterals } from './literals.ts'

export type Translation =
  | { kind: 'begin' | 'commit' | 'rollback' }
  /** `tables` are all that are named in it: a result column named as one of theirs has its type. */
  | { kind: 'select'; statement: ParameterizedSql; tables: string[] }
  | { kind: 'write'; statement: ParameterizedSql }
  | { kind: 'definition'; steps: DefinitionStep[] }

/** Functions that do the same in SQLite or are there (sqlite-engine.ts), and the words that may stand in front of a bracket. */
const FUNCTIONS = [
  'count',
  'sum',
  'min',
  'max',
  'coalesce',
  'if',
  'hex',
  'unhex',
  'unix_timestamp',
  'last_insert_id',
]
const WORDS = 'select from in values and or not exists on where when then else all'.split(' ')
const BEFORE_BRACKET = new Set([...FUNCTIONS, ...WORDS])
/** Division gives a fraction in MySQL, || is its "or", its LIKE does not tell case, and ids are made by nobody here. */
const OTHERWISE_IN_SQLITE = /[/|&~^]|\b(?:like|collate|returning)\b|\blast_insert_id ?\( ?\)/i

/** @throws {EngineError} 1064 for what is not MySQL, 1235 for MySQL that is not translated */
export function translate(source: string): Translation {
  const { sql, parameters } = takeOutLiterals(source)
  const verb = /^\w*/.exec(sql)?.[0].toLowerCase() ?? ''
  switch (verb) {
    case 'begin':
    case 'commit':
    case 'rollback':
      if (sql.length > verb.length) throw notTranslated(sql)
      return { kind: verb }
    case 'create':
    case 'alter':
    case 'drop':
      return { kind: 'definition', steps: translateDefinition(sql, parameters) }
    case 'select': {
      const statement = { sql: rewritten(sql), parameters }
      const tables = [...statement.sql.matchAll(/\b(?:from|join) (\w+)/gi)].map(([, name]) => name)
      return { kind: 'select', statement, tables: tables as string[] }
    }
    case 'insert':
      return { kind: 'write', statement: { sql: translateInsert(sql), parameters } }
    case 'update':
      refuseReadAfterAssignment(/ set (.*?)(?: where |$)/i.exec(sql)?.[1] ?? '')
      return { kind: 'write', statement: { sql: rewritten(sql), parameters } }
    case 'delete':
      return { kind: 'write', statement: { sql: rewritten(sql), parameters } }
    default:
      throw syntaxError(source.trim())
  }
}

/** What is the same in every statement. Index hints and row locks mean nothing where one transaction runs at a time. */
function rewritten(sql: string): string {
  const plain = sql
    .replaceAll(/ (?:use|force|ignore) (?:index|key) ?\([^)]*\)/gi, '')
    .replaceAll(/ for (?:update|share)\b/gi, '')
  const [other] = OTHERWISE_IN_SQLITE.exec(plain) ?? []
  if (other !== undefined) throw notTranslated(other)
  for (const [, name = ''] of plain.matchAll(/(?<!\binto )\b(\w+) ?\(/gi)) {
    if (!BEFORE_BRACKET.has(name.toLowerCase())) throw notTranslated(`${name}(…)`)
  }
  return plain.replaceAll(/\bif ?\(/gi, 'iif(').replaceAll(/\bunix_timestamp ?\(/gi, 'unixepoch(')
}

function translateInsert(sql: string): string {
  const [insert = '', assignments, ...more] = sql.split(/ on duplicate key update /i)
  const head = rewritten(insert).replace(/^insert ignore\b/i, 'insert or ignore')
  if (assignments === undefined) return head
  if (more.length > 0 || / select /i.test(insert)) throw notTranslated('this upsert')
  const inserted = rewritten(assignments).replaceAll(/\bvalues ?\( ?(\w+) ?\)/gi, 'excluded.$1')
  refuseReadAfterAssignment(inserted)
  return `${head} on conflict do update set ${inserted}`
}

/** MySQL assigns from left to right and later expressions see the new value; SQLite's see the old one. */
function refuseReadAfterAssignment(assignments: string): void {
  const assigned = new Set<string>()
  for (const assignment of splitList(assignments)) {
    const [, target, expression = ''] = /^(\w+) ?=(.*)$/.exec(assignment) ?? []
    if (target === undefined) throw syntaxError(assignment)
    const read = expression.match(/(?<!\bexcluded\.)\b\w+/g) ?? []
    if (read.some((name) => assigned.has(name)))
      throw notTranslated('an assignment that reads a column assigned before it')
    assigned.add(target)
  }
}
