/** What a benchmark reports: one figure, what it is held against, and how it stands. */

import type { ServerKind } from '../simulators/mysql-server/server-program.ts'

export const benchmarkNames = [
  'size',
  'cold',
  'warm',
  'throughput',
  'memory',
  'scale',
  'peers',
  'growth',
] as const

export type BenchmarkName = (typeof benchmarkNames)[number]

/** A bound that counts, and the value we would like. */
export interface Budget {
  kind: 'at most' | 'at least'
  limit: number
  wish: number
}

export interface Measured {
  what: string
  value: number
  unit: '×' | 'µs' | 'USD' | 'MB' | 'KiB' | 'statements' | 'round trips'
  /** Left out where a figure is only for information. */
  budget?: Budget
  /** What the value was made from, and anything that qualifies it. */
  detail: string
  bar?: Bar
}

/** What is drawn of a figure, beside the others of its chart. */
export interface Bar {
  chart: string
  label: string
  length: number
}

/** Something this machine could not measure, and why. */
interface Skipped {
  what: string
  skipped: string
}

/** What a benchmark gives. */
export type Row = Measured | Skipped

export type Figure = { benchmark: BenchmarkName } & Row

export type Verdict = 'as wished' | 'pass' | 'OVER' | 'skipped' | ''

export function atMost(limit: number, wish: number): Budget {
  return { kind: 'at most', limit, wish }
}

export function atLeast(limit: number, wish: number): Budget {
  return { kind: 'at least', limit, wish }
}

/** How a figure stands; nothing is said of one without a budget. */
export function verdictOf(figure: Row): Verdict {
  if ('skipped' in figure) return 'skipped'
  const { budget, value } = figure
  if (!budget) return ''
  const holds = (bound: number): boolean =>
    budget.kind === 'at most' ? value <= bound : value >= bound
  if (holds(budget.wish)) return 'as wished'
  return holds(budget.limit) ? 'pass' : 'OVER'
}

/** What a run was told, and where it says how far it is. */
export interface BenchmarkOptions {
  /** Rounds in which all contestants take their turn; each benchmark has its own default. */
  rounds: number | undefined
  /** Which kind of server `scale` runs on. */
  server: ServerKind
  /** Ratings of the large database of `scale`. */
  rows: number
  /** Part of those ratings that one account gets. */
  hotShare: number
  progress: (line: string) => void
}

export type Benchmark = (options: BenchmarkOptions) => Promise<Row[]>

/** Why something was not measured. */
export const withoutServer: Readonly<Record<ServerKind, string>> = {
  MariaDB: 'no MariaDB on this machine (apt-get install mariadb-server-core)',
  MySQL: 'no MySQL on this machine (npm run mysql -- get)',
  TiDB: 'no TiDB on this machine (npm run engines -- build)',
}
