import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { chooseDrills, drills, drillTests, testsOf } from '../../scripts/drills/drills.ts'
import {
  type DrillRecord,
  forgetRecords,
  keepRecord,
  readRecords,
} from '../../scripts/drills/records.ts'
import { renderSummary, summarise, withTable } from '../../scripts/drills/summary.ts'
import { readPage, section, tableRows } from '../support/documentation.ts'

const page = readPage('.github/SECURITY.md').text

function drillsOf(...letters: string[]) {
  return drills.filter(({ letter }) => letters.includes(letter))
}

const run = (drill: string, changes = {}): DrillRecord => ({
  drill,
  figures: { lost: 0 },
  passed: true,
  full: false,
  ...changes,
})
const variants = (drill: string, made: number, caught: number): DrillRecord[] =>
  Array.from({ length: made }, (_, index) => ({
    drill,
    variant: `without ${index}`,
    caught: index < caught,
  }))

describe('the table of the drills', () => {
  test('names each of them, whenever it was last run in full', () => {
    const rows = tableRows(section(page, 'What the drills showed'))
    expect(rows.map(([letter]) => letter)).toEqual(drills.map(({ letter }) => letter))
    expect(rows.map(([, method]) => method)).toEqual(drills.map(({ method }) => method))
    expect(drills.map(({ letter }) => letter).join('')).toContain('ABCDEFGHIJKLMNOPQRSTU')
  })

  test('takes the figures of those that were run and keeps the others’', () => {
    const only = (letter: string, date: string, text: string, full = true) => {
      const records = [run(letter, { full }), ...variants(letter, 2, 1)]
      return withTable(text, { all: drills, date, summary: summarise(drillsOf(letter), records) })
    }
    const after = only('C', '2026-02-02', only('A', '2026-01-01', page))
    expect(after).toMatch(/^\| A \|.*lost=0 pass \| 1\/2 \| 2026-01-01 \|$/m)
    expect(after).toMatch(/^\| C \|.*lost=0 pass \| 1\/2 \| 2026-02-02 \|$/m)
    expect(tableRows(section(after, 'What the drills showed'))).toHaveLength(drills.length)
    expect(after.split('\n## ')).toHaveLength(page.split('\n## ').length)
    const empty = page.replaceAll(/^\| ([A-Z]) \|(.*?)\|.*$/gm, '| $1 |$2| – | – | – |')
    const small = only('C', '2026-01-01', only('A', '2026-01-01', empty, false), true)
    expect(small).toMatch(/^\| A \|.*\| 2026-01-01, in small \|$/m)
    expect(small).toMatch(/^\| U \|.*\| – \| 2\/4 \| – \|$/m)
    expect(only('C', '2026-02-02', small, false)).toBe(small)
    expect(only('A', '2026-02-02', small, false)).toMatch(/^\| A \|.*2026-02-02, in small \|$/m)
  })
})

describe('drills are chosen', () => {
  test('by letters, in either case; every file of them has one', () => {
    expect(chooseDrills(['j', 'A']).map(({ letter }) => letter)).toEqual(['A', 'J'])
    const found = chooseDrills([]).flatMap(testsOf)
    const files = readdirSync(drillTests).filter((file) => file.endsWith('.test.ts'))
    expect(found.map((file) => path.basename(file)).sort()).toEqual(files.sort())
  })

  test('another letter is refused with the list', () => {
    expect(() => chooseDrills(['A', 'Z'])).toThrow(/no drill Z\. There are:\n {2}A {2}submissions/)
  })
})

describe('a run of drills', () => {
  test('is in order with every drill passed and 95 in 100 broken variants caught', () => {
    const summary = summarise(drillsOf('A', 'J'), [
      run('A'),
      run('J', { passed: false, unmeasured: 'the machine was busy' }),
      ...variants('A', 20, 19),
    ])
    expect(summary).toMatchObject({ made: 20, caught: 19, problems: [] })
    expect(renderSummary(summary)).toContain('not measured: the machine was busy')
    expect(renderSummary(summary)).toContain('survived: A "without 19"')
  })

  test.each<[what: string, records: DrillRecord[], problem: RegExp]>([
    ['a drill failed', [run('A', { on: 'MySQL', passed: false })], /^Drill A on MySQL failed\.$/],
    ['a drill left nothing', [], /^Drill A left no figures/],
    [
      'a variant too many survived',
      [run('A'), ...variants('A', 20, 18)],
      /^Only 18 of 20 .*: A "without 18", A "without 19"\.$/,
    ],
  ])('is not when %s', (_what, records, problem) => {
    expect(summarise(drillsOf('A'), records).problems).toEqual([expect.stringMatching(problem)])
  })

  test('does not take an earlier one’s figures for its own', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-drills-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    for (const record of [run('A'), run('C'), ...variants('A', 2, 2)]) {
      await keepRecord(record, folder)
    }
    expect(await readRecords(['A'], folder)).toHaveLength(3)
    await forgetRecords(['A'], folder)
    expect(await readRecords(['A', 'C'], folder)).toEqual([run('C')])
  })
})
