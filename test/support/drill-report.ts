/** What the drills leave behind: a line of figures each on the terminal, and the same as JSON in `.data/drills`. */
import { type BrokenVariantRun, type DrillRun, keepRecord } from '../../scripts/drills/records.ts'

export type { BrokenVariantRun, DrillId, DrillRun } from '../../scripts/drills/records.ts'

/** `npm run drills -- --full`: the sizes of a release. Otherwise those that every change is tried with. */
export const isFullDrill: boolean = process.env.DRILLS === 'full'

/** Prints the line of a drill and keeps its figures. */
export async function reportDrill(run: DrillRun): Promise<void> {
  const { drill, on, figures, passed, unmeasured } = run
  const words = Object.entries(figures).map(([name, value]) => `${name}=${value}`)
  const verdict = unmeasured ? `not measured: ${unmeasured}` : passed ? 'pass' : 'FAIL'
  await keepRecord({ ...run, full: isFullDrill })
  console.log([`drill=${drill}`, ...(on ? [`on=${on}`] : []), ...words, verdict].join(' '))
}

/** The same for a broken variant of it. */
export async function reportBrokenVariant(run: BrokenVariantRun): Promise<void> {
  const { drill, on, variant, caught } = run
  await keepRecord(run)
  const verdict = caught ? 'caught' : 'SURVIVED'
  console.log(
    [`drill=${drill}`, ...(on ? [`on=${on}`] : []), `broken="${variant}"`, verdict].join(' '),
  )
}

/**
 * Tries a broken variant until it is found out, `attempts` times at most where it goes wrong by chance only, and reports it.
 * Resolves to whether it was found out.
 */
export async function isFoundOut(
  variant: Omit<BrokenVariantRun, 'caught'>,
  isWrong: () => Promise<boolean>,
  { attempts = 1 }: { attempts?: number } = {},
): Promise<boolean> {
  let caught = false
  for (let attempt = 0; attempt < attempts && !caught; attempt++) caught = await isWrong()
  await reportBrokenVariant({ ...variant, caught })
  return caught
}
