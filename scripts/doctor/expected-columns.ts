/** Which collation the migrations give each text column. */

import type { Migration } from '../database/migrations.ts'

const TABLE = /^(?:create table(?: if not exists)?|alter table) (\w+)/i
const COLUMN = /^\s*(?:(?:add|modify) column )?(\w+) [^,]*?\bcollate (\w+)/i

/** `table.column` and its collation, a later migration's word over an earlier one's. */
export function expectedColumns(
  migrations: readonly Pick<Migration, 'statements'>[],
): { column: string; collation: string }[] {
  const expected = new Map<string, string>()
  for (const statement of migrations.flatMap(({ statements }) => statements)) {
    const table = TABLE.exec(statement)?.[1]
    if (!table) continue
    for (const line of statement.split('\n').slice(1)) {
      const [, column, collation] = COLUMN.exec(line) ?? []
      // The table's own options stand behind its closing bracket.
      if (column && collation && !line.startsWith(')')) {
        expected.set(`${table}.${column}`, collation)
      }
    }
  }
  return [...expected].map(([column, collation]) => ({ column, collation }))
}
