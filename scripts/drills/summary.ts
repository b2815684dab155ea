/** Records → what came of a run, as data, as a table on the terminal and as rows of the table in `.github/SECURITY.md`. */

import type { Drill } from './drills.ts'
import type { BrokenVariantRun, DrillRecord, DrillRun } from './records.ts'

/** Of all broken variants so many are to be caught. */
const CAUGHT_LEAST = 0.95

export interface DrillSummary {
  drill: Drill
  runs: (DrillRun & { full: boolean })[]
  variants: BrokenVariantRun[]
}

export interface RunSummary {
  drills: DrillSummary[]
  made: number
  caught: number
  /** Sentences; none when all is well. */
  problems: string[]
}

/** Judges the records of the drills that were run. */
export function summarise(chosen: readonly Drill[], records: readonly DrillRecord[]): RunSummary {
  const drills = chosen.map((drill): DrillSummary => {
    const own = records.filter((record) => record.drill === drill.letter)
    return { drill, runs: own.filter(isRun), variants: own.filter(isVariant) }
  })
  const variants = drills.flatMap((each) => each.variants)
  const survivors = variants.filter(({ caught }) => !caught)
  const caught = variants.length - survivors.length
  const problems = drills.flatMap(problemsOf)
  if (caught < variants.length * CAUGHT_LEAST) {
    const names = survivors.map(({ drill, variant }) => `${drill} "${variant}"`).join(', ')
    problems.push(`Only ${caught} of ${variants.length} broken variants were caught: ${names}.`)
  }
  return { drills, made: variants.length, caught, problems }
}

function isRun(record: DrillRecord): record is DrillRun & { full: boolean } {
  return 'figures' in record
}

function isVariant(record: DrillRecord): record is BrokenVariantRun {
  return 'variant' in record
}

function problemsOf({ drill: { letter }, runs }: DrillSummary): string[] {
  if (runs.length === 0) return [`Drill ${letter} left no figures: it failed early or was skipped.`]
  return runs
    .filter(({ passed, unmeasured }) => !passed && unmeasured === undefined)
    .map(({ on }) => `Drill ${letter}${on ? ` on ${on}` : ''} failed.`)
}

/** For the terminal. */
export function renderSummary({ drills, made, caught, problems }: RunSummary): string {
  const lines = drills.flatMap(({ drill: { letter }, runs, variants }) => {
    const share = `${variants.filter((each) => each.caught).length}/${variants.length} caught`
    const rows = runs.map((run) => [run.on ?? '', verdictOf(run), figuresOf(run)])
    return (rows.length > 0 ? rows : [['', 'no figures', '']]).map((row, index) => [
      index === 0 ? letter : '',
      ...row.slice(0, 2),
      index === 0 ? share : '',
      ...row.slice(2),
    ])
  })
  const head = ['drill', 'on', 'result', 'variants', 'figures']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  )
  const print = (line: string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    ...[head, ...lines].map(print),
    `${caught} of ${made} broken variants caught`,
    ...survivorsOf(drills),
    ...problems,
  ].join('\n')
}

function survivorsOf(drills: readonly DrillSummary[]): string[] {
  return drills
    .flatMap(({ variants }) => variants)
    .filter(({ caught }) => !caught)
    .map(({ drill, on, variant }) => `survived: ${drill}${on ? ` on ${on}` : ''} "${variant}"`)
}

function verdictOf({ passed, unmeasured }: DrillRun): string {
  if (unmeasured !== undefined) return `not measured: ${unmeasured}`
  return passed ? 'pass' : 'FAIL'
}

function figuresOf({ figures }: DrillRun): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

const BEGIN = '<!-- drills: npm run drills -- --full --table -->'
const END = '<!-- /drills -->'
/** Ends the row of a run that was not in full. */
const IN_SMALL = ', in small |'

/**
 * A page whose table has the rows of this run in place of its own; rows of other drills stay, and those of a full run where
 * this one was in small. The drill that is the broken variants of all others has their sum.
 */
export function withTable(
  page: string,
  { all, summary, date }: { all: readonly Drill[]; summary: RunSummary; date: string },
): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin)
    throw new Error(`The page has no table between ${BEGIN} and ${END}.`)
  const before = page.slice(begin + BEGIN.length, end).split('\n')
  const rows = all.map((drill) => {
    const ran = summary.drills.find((each) => each.drill.letter === drill.letter)
    const kept = before.find((line) => line.startsWith(`| ${drill.letter} |`))
    const empty = rowOf({ drill, runs: [], variants: [] }, '–')
    if (!ran) return kept ?? empty
    const isFull = ran.runs.every(({ full }) => full)
    const staysFull = kept && kept !== empty && !kept.endsWith(IN_SMALL)
    return !isFull && staysFull ? kept : rowOf(ran, isFull ? date : `${date}, in small`)
  })
  const ofAll = sumOfShares(rows.filter((row) => !row.startsWith('| U |')))
  const last = rows.map((row) =>
    row.startsWith('| U |') ? row.replace(/\S+ \| \S+ \|$/, `${ofAll} | – |`) : row,
  )
  const head = '| | Drill | Figures | Variants caught | Run |\n|---|---|---|---|---|'
  return `${page.slice(0, begin)}${BEGIN}\n\n${[head, ...last].join('\n')}\n\n${page.slice(end)}`
}

/** `16/16` and `3/4` are `19/20`. */
function sumOfShares(rows: readonly string[]): string {
  const sums = [0, 0]
  for (const row of rows) {
    const [, ...share] = / (\d+)\/(\d+) \| [^|]*\|$/.exec(row) ?? []
    sums.forEach((sum, column) => {
      sums[column] = sum + Number(share[column] ?? 0)
    })
  }
  return sums.join('/')
}

function rowOf({ drill: { letter, method }, runs, variants }: DrillSummary, date: string): string {
  const figures = runs
    .map((run) => [...(run.on ? [`${run.on}:`] : []), figuresOf(run), verdictOf(run)].join(' '))
    .join('<br>')
    .replaceAll('|', '\\|')
  const share =
    variants.length > 0
      ? `${variants.filter(({ caught }) => caught).length}/${variants.length}`
      : '–'
  return `| ${letter} | ${method} | ${figures || '–'} | ${share} | ${date} |`
}
