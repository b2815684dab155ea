/** Figures as a table for people and as JSON for programs. */

import { type Figure, type Measured, verdictOf } from './figure.ts'

const HEADINGS = ['benchmark', 'what', 'measured', 'budget', 'we would like', 'mark', 'detail']

/** One line per figure under a line of headings; columns are separated by two spaces at least. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cells)]
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What `--json` writes: the machine, and each figure with its verdict. */
export function renderJson(figures: readonly Figure[], machine: Record<string, unknown>): string {
  const judged = figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) }))
  return `${JSON.stringify({ machine, figures: judged }, null, 2)}\n`
}

function cells(figure: Figure): string[] {
  const { benchmark, what } = figure
  if ('skipped' in figure) return [benchmark, what, '', '', '', 'skipped', figure.skipped]
  const { value, unit, budget, detail } = figure
  const sign = budget?.kind === 'at least' ? '≥' : '≤'
  const bound = (limit: number | undefined): string =>
    limit === undefined ? '' : `${sign} ${limit}${spaced(unit)}`
  return [
    benchmark,
    what,
    `${rounded(value)}${spaced(unit)}`,
    bound(budget?.limit),
    bound(budget?.wish),
    verdictOf(figure),
    detail,
  ]
}

function spaced(unit: Measured['unit']): string {
  return unit === '×' ? ' ×' : ` ${unit}`
}

/** Three digits that mean something. */
function rounded(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return Math.round(value).toString()
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
