/** Counts of grades as the database gives them: in rows, or as JSON. */

import { addCounts, emptyCounts } from '../domain/score.ts'
import type { GradeCounts } from '../ports.ts'
import type { SqlRow } from './db.ts'
import { integer, integerOrNull, isSameBytes } from './rows.ts'

/** Counts of a result whose rows are grades and a `row_count`. */
export function sumCounts(rows: readonly SqlRow[]): GradeCounts {
  return rows.map(readCounts).reduce(addCounts, emptyCounts)
}

/** The same of those of them that are old enough to be folded, by a `settled_count`. */
export function sumSettled(rows: readonly SqlRow[]): GradeCounts {
  return sumCounts(rows.map((row) => ({ ...row, row_count: row.settled_count ?? 0 })))
}

/** Folded counts as they are stored. */
export function parseCounts(json: string): GradeCounts {
  return JSON.parse(json) as GradeCounts
}

function readCounts(row: SqlRow): GradeCounts {
  const count = integer(row, 'row_count')
  if (count === 0) return emptyCounts
  const counted = (name: string): Record<string, number> => {
    const grade = integerOrNull(row, name)
    return grade === null ? {} : { [grade]: count }
  }
  return {
    count,
    grades: { grade1: counted('grade1'), grade2: counted('grade2'), grade3: counted('grade3') },
  }
}

/** Whether two counts are the same. */
export function isSameCounts(a: GradeCounts, b: GradeCounts): boolean {
  return isSameBytes(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)))
}
