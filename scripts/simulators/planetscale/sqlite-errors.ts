/** SQLite's messages as the errors MySQL would have answered. */
import { EngineError, notSupported, syntaxError } from './engine.ts'

type Rule = [pattern: RegExp, errno: number, sqlState: string, text: (found: string) => string]

/** Numbers and texts: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
const RULES: Rule[] = [
  [
    /^UNIQUE constraint failed: (.+)/,
    1062,
    '23000',
    (columns) => `Duplicate entry for key '${columns}'`,
  ],
  [
    /^NOT NULL constraint failed: .*\.(.+)/,
    1048,
    '23000',
    (column) => `Column '${column}' cannot be null`,
  ],
  [
    /^CHECK constraint failed: 1406 (.+)/,
    1406,
    '22001',
    (column) => `Data too long for column '${column}' at row 1`,
  ],
  [
    /^CHECK constraint failed: 1264 (.+)/,
    1264,
    '22003',
    (column) => `Out of range value for column '${column}' at row 1`,
  ],
  [
    /^CHECK constraint failed: 1366 (.+)/,
    1366,
    'HY000',
    (column) => `Incorrect string value for column '${column}' at row 1`,
  ],
  [
    /^CHECK constraint failed: 3819 (.+)/,
    3819,
    'HY000',
    (name) => `Check constraint '${name}' is violated.`,
  ],
  [
    /^CHECK constraint failed: (.+)/,
    3819,
    'HY000',
    (name) => `Check constraint '${name}' is violated.`,
  ],
  [
    /^no such table: (?:main\.)?(.+)/,
    1146,
    '42S02',
    (table) => `Table 'miniscore.${table}' doesn't exist`,
  ],
  [
    /^no such column: (.+)/,
    1054,
    '42S22',
    (column) => `Unknown column '${column}' in 'field list'`,
  ],
  [
    /has no column named (.+)/,
    1054,
    '42S22',
    (column) => `Unknown column '${column}' in 'field list'`,
  ],
  [
    /^ambiguous column name: (.+)/,
    1052,
    '23000',
    (column) => `Column '${column}' in field list is ambiguous`,
  ],
  [/^table `?(.+?)`? already exists/, 1050, '42S01', (table) => `Table '${table}' already exists`],
  [
    /^index (.+) already exists/,
    1061,
    '42000',
    (index) => `Duplicate key name '${index.split('.').at(-1)}'`,
  ],
  [
    /^no such index: (.+)/,
    1091,
    '42000',
    (index) => `Can't DROP '${index.split('.').at(-1)}'; check that column/key exists`,
  ],
  [/^duplicate column name: (.+)/, 1060, '42S21', (column) => `Duplicate column name '${column}'`],
  [
    /(?:has \d+ columns but \d+ values|\d+ values for \d+ columns)/,
    1136,
    '21S01',
    () => "Column count doesn't match value count at row 1",
  ],
  [/^no such function: (.+)/, 1305, '42000', (name) => `FUNCTION ${name} does not exist`],
  [
    /^wrong number of arguments to function (.+)\(/,
    1582,
    '42000',
    (name) => `Incorrect parameter count in the call to native function '${name}'`,
  ],
  [
    /^too many SQL variables/,
    1390,
    'HY000',
    () => 'Prepared statement contains too many placeholders',
  ],
  [/^integer overflow/, 1690, '22003', () => 'BIGINT value is out of range'],
  [/^(?:out of memory|database or disk is full)/, 1114, 'HY000', () => 'The table is full'],
]

export function engineErrorFrom(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const message = error instanceof Error ? error.message : String(error)
  for (const [pattern, errno, sqlState, text] of RULES) {
    const found = pattern.exec(message)
    if (found) return new EngineError(errno, sqlState, text(found[1] ?? ''))
  }
  const near = /^near "(.*)": syntax error|^incomplete input|^unrecognized token/.exec(message)
  if (near) return syntaxError(near[1] ?? '')
  return /^Cannot add|misuse|not authorized/i.test(message)
    ? notSupported(message)
    : new EngineError(1105, 'HY000', `SQLite: ${message}`)
}
