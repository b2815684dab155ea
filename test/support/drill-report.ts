/** What the drills leave behind: a line of figures each on the terminal, and the same as JSON in `.data/drills`. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { dataFolder } from '../../scripts/cli/data-folder.ts'

/** `npm run drills -- --full`: the sizes of a release. Otherwise those that every change is tried with. */
export const isFullDrill: boolean = process.env.DRILLS === 'full'

/** The drills by letter, as in the table of `.github/SECURITY.md`. */
export type DrillId = string

export interface DrillRun {
  drill: DrillId
  /** What it ran on or against, when there are several: `MySQL`, `MariaDB`, `sql.js`. */
  on?: string
  figures: Readonly<Record<string, number | string>>
  /** Whether every promise held. The test asserts it as well; this is for the table. */
  passed: boolean
}

/** A build with one control taken out, and whether the drill noticed. */
export interface BrokenVariantRun {
  drill: DrillId
  on?: string
  /** What was taken out, in words: `sign before the key is known`. */
  variant: string
  caught: boolean
}

/** Prints the line of a drill and keeps its figures. */
export async function reportDrill(run: DrillRun): Promise<void> {
  const { drill, on, figures, passed } = run
  const words = Object.entries(figures).map(([name, value]) => `${name}=${value}`)
  await keep(`${drill}${on ? `-${on}` : ''}`, { ...run, full: isFullDrill })
  console.log(
    [`drill=${drill}`, ...(on ? [`on=${on}`] : []), ...words, passed ? 'pass' : 'FAIL'].join(' '),
  )
}

/** The same for a broken variant of it. */
export async function reportBrokenVariant(run: BrokenVariantRun): Promise<void> {
  const { drill, on, variant, caught } = run
  const file = `${drill}${on ? `-${on}` : ''}-without-${variant.replaceAll(/[^a-zA-Z0-9]+/g, '-')}`
  await keep(file, run)
  console.log(`drill=${drill} broken="${variant}" ${caught ? 'caught' : 'SURVIVED'}`)
}

async function keep(name: string, record: unknown): Promise<void> {
  const folder = path.join(dataFolder, 'drills')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`)
}
