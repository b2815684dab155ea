/** What a drill leaves behind in `.data/drills`: a JSON file for each run and each broken variant. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { dataFolder } from '../cli/data-folder.ts'

/** By letter, as in `drills.ts`. */
export type DrillId = string

export interface DrillRun {
  drill: DrillId
  /** What it ran on or against, when there are several: `MySQL`, `MariaDB`, `sql.js`. */
  on?: string
  figures: Readonly<Record<string, number | string>>
  /** Whether every promise held. The test asserts it as well; this is for the table. */
  passed: boolean
  /** Why nothing could be measured. Then `passed` says nothing. */
  unmeasured?: string
}

/** A build with one control taken out, and whether the drill noticed. */
export interface BrokenVariantRun {
  drill: DrillId
  on?: string
  /** What was taken out, in words: `sign before the key is known`. */
  variant: string
  caught: boolean
}

export type DrillRecord = (DrillRun & { full: boolean }) | BrokenVariantRun

export const recordsFolder: string = path.join(dataFolder, 'drills')

/** Keeps a record, in place of an earlier one of the same drill, ground and variant. */
export async function keepRecord(record: DrillRecord, folder = recordsFolder): Promise<void> {
  const words = [record.drill, record.on ?? '', 'variant' in record ? record.variant : '']
  const name = words
    .join(' ')
    .trim()
    .replaceAll(/[^a-zA-Z0-9]+/g, '-')
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`)
}

/** The records of these drills. */
export async function readRecords(
  letters: readonly DrillId[],
  folder = recordsFolder,
): Promise<DrillRecord[]> {
  const found = await filesOf(letters, folder)
  return found.map(({ record }) => record)
}

/** Deletes the records of these drills, so that what is read afterwards is of the run between. */
export async function forgetRecords(
  letters: readonly DrillId[],
  folder = recordsFolder,
): Promise<void> {
  for (const { file } of await filesOf(letters, folder)) await rm(file)
}

async function filesOf(
  letters: readonly DrillId[],
  folder: string,
): Promise<{ file: string; record: DrillRecord }[]> {
  const names = await readdir(folder).catch(() => [])
  const read = names
    .filter((name) => name.endsWith('.json') && name !== SUMMARY)
    .sort()
    .map(async (name) => {
      const file = path.join(folder, name)
      return { file, record: JSON.parse(await readFile(file, 'utf8')) as DrillRecord }
    })
  return (await Promise.all(read)).filter(({ record }) => letters.includes(record.drill))
}

export const SUMMARY = 'summary.json'
