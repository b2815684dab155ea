/** SQLite's messages as the errors MySQL would have answered. */
import { EngineError, syntaxError } from './engine.ts'

/** Texts as of https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html; `$` is what was found. */
const ERRORS: Record<number, [sqlState: string, text: string]> = {
  1026: ['HY000', '$'],
  1048: ['23000', "Column '$' cannot be null"],
  1050: ['42S01', "Table '$' already exists"],
  1052: ['23000', "Column '$' in field list is ambiguous"],
  1054: ['42S22', "Unknown column '$' in 'field list'"],
  1060: ['42S21', "Duplicate column name '$'"],
  1061: ['42000', "Duplicate key name '$'"],
  1062: ['23000', "Duplicate entry for key '$'"],
  1091: ['42000', "Can't DROP '$'; check that column/key exists"],
  1114: ['HY000', 'The table is full'],
  1136: ['21S01', "Column count doesn't match value count at row 1"],
  1146: ['42S02', "Table 'miniscore.$' doesn't exist"],
  1205: ['HY000', 'Lock wait timeout exceeded; try restarting transaction'],
  1264: ['22003', "Out of range value for column '$' at row 1"],
  1317: ['70100', 'Query execution was interrupted'],
  1366: ['HY000', "Incorrect string value for column '$' at row 1"],
  1406: ['22001', "Data too long for column '$' at row 1"],
  1690: ['22003', 'BIGINT value is out of range'],
}

const MESSAGES: readonly [pattern: RegExp, errno: number][] = [
  [/^UNIQUE constraint failed: (.+)/, 1062],
  [/^NOT NULL constraint failed: .*\.(.+)/, 1048],
  [/^CHECK constraint failed: 1264 (.+)/, 1264],
  [/^CHECK constraint failed: 1366 (.+)/, 1366],
  [/^CHECK constraint failed: 1406 (.+)/, 1406],
  [/^no such table: (?:main\.)?(.+)/, 1146],
  [/^no such column: "?([^"]+)/, 1054],
  [/has no column named (.+)/, 1054],
  [/^ambiguous column name: (.+)/, 1052],
  [/^table `?(.+?)`? already exists/, 1050],
  [/^index (?:.+\.)?(.+) already exists/, 1061],
  [/^no such index: (?:.+\.)?(.+)/, 1091],
  [/^duplicate column name: (.+)/, 1060],
  [/has \d+ columns but \d+ values|\d+ values for \d+ columns/, 1136],
  [/^integer overflow/, 1690],
  [/^(?:out of memory|database or disk is full)/, 1114],
]

export function mysqlError(errno: number, about = ''): EngineError {
  const [sqlState, text] = ERRORS[errno] ?? ['HY000', '$']
  return new EngineError(
    errno,
    sqlState,
    text.replace('$', () => about),
  )
}

export function engineErrorFrom(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const message = error instanceof Error ? error.message : String(error)
  for (const [pattern, errno] of MESSAGES) {
    const found = pattern.exec(message)
    if (found) return mysqlError(errno, found[1])
  }
  const near = /^near "(.*)": syntax error|^incomplete input|^unrecognized token/.exec(message)
  return near ? syntaxError(near[1] ?? '') : mysqlError(1105, `SQLite: ${message}`)
}
