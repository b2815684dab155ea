/** Rules about ratings: who may read which, and the arithmetic of a summary. No I/O, no clock. */

import type { Caller, GradeCounts, ReadScope } from '../ports.ts'
import { type GradeColumn, gradeColumns } from './form-definition.ts'

/**
 * The one reading rule. An operator reads all ratings of an account, and so does the holder of the number, or those since
 * they took it over; everyone else reads their own. There is no "forbidden": what may not be read is not there.
 */
export function readableBy(caller: Caller, acc_nbr: string): ReadScope {
  const sinceMs = caller.isOperator ? 0 : caller.heldSince(acc_nbr)
  if (sinceMs === undefined) return { kind: 'author', userId: caller.userId }
  return sinceMs === 0 ? { kind: 'all' } : { kind: 'since', sinceMs }
}

/** The counts of no ratings. */
export const emptyCounts: GradeCounts = {
  count: 0,
  grades: { grade1: {}, grade2: {}, grade3: {} },
}

/** The counts of two disjoint sets of ratings together. */
export function addCounts(a: GradeCounts, b: GradeCounts): GradeCounts {
  return combine(a, b, 1)
}

/** The counts of `a` without those of `b`, a part of it. */
export function subtractCounts(a: GradeCounts, b: GradeCounts): GradeCounts {
  return combine(a, b, -1)
}

function combine(a: GradeCounts, b: GradeCounts, sign: 1 | -1): GradeCounts {
  const grades = {
    grade1: { ...a.grades.grade1 },
    grade2: { ...a.grades.grade2 },
    grade3: { ...a.grades.grade3 },
  }
  for (const name of gradeColumns) {
    for (const [grade, count] of Object.entries(b.grades[name])) {
      const sum = (grades[name][grade] ?? 0) + sign * count
      if (sum === 0) delete grades[name][grade]
      else grades[name][grade] = sum
    }
  }
  return { count: a.count + sign * b.count, grades }
}

/** What is told of the grades of one column. */
export interface GradeSummary {
  mean: number | null
  counts: Record<string, number>
}

/** Means to two decimals, of these columns; `null` where nobody gave that grade. */
export function summarise<Name extends GradeColumn>(
  { count, grades }: GradeCounts,
  names: readonly Name[],
): { count: number; grades: Record<Name, GradeSummary> } {
  const summaries = names.map((name): [Name, GradeSummary] => {
    const counts = grades[name]
    const given = Object.values(counts).reduce((sum, each) => sum + each, 0)
    const total = Object.entries(counts).reduce(
      (sum, [grade, each]) => sum + Number(grade) * each,
      0,
    )
    return [name, { mean: given === 0 ? null : Math.round((total / given) * 100) / 100, counts }]
  })
  return { count, grades: Object.fromEntries(summaries) as Record<Name, GradeSummary> }
}
