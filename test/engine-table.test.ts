import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectFolder } from '../scripts/build/bundle.ts'
import { type RunReport, tableOf } from './engines/engine-table.ts'
import { type EngineSuite, engineSuites, engines } from './engines/suites.ts'
import { readPage, section, tableRows } from './support/documentation.ts'

const suite: EngineSuite = { title: 'contract', files: ['test/contract.test.ts'] }
const doors = ['offline PlanetScale over sql.js', 'offline PlanetScale over MySQL']
const names = [...doors, 'MariaDB over TCP', 'MySQL over TCP', 'TiDB over TCP']

function report(statusOf: (name: string) => string): RunReport {
  const name = path.join(projectFolder, 'test/contract.test.ts')
  const assertionResults = names.map((door) => ({
    fullName: `the store on ${door} keeps a rating`,
    status: statusOf(door),
    failureMessages: [],
  }))
  return { testResults: [{ name, status: 'passed', assertionResults }] }
}

describe('the table of engines', () => {
  test('counts what passed on each, whatever way led there, and explains what cannot run', () => {
    const table = tableOf(
      report(() => 'passed'),
      [suite],
    )
    expect(table).toContain('| contract | 1 | 1 | 1 | 1 | 1 | – (1) | – (2) |')
    expect(table).toMatch(/\n\n\(1\) [^;]+; \(2\) [^;]+\.$/)
  })

  test('says where something failed', () => {
    const one = report((name) => (name.startsWith('TiDB') ? 'failed' : 'passed'))
    expect(tableOf(one, [suite])).toContain('| **0 of 1** (1) |')
  })

  test('is not made of a run that left an engine out', () => {
    const one = report((name) => (name.startsWith('TiDB') ? 'skipped' : 'passed'))
    expect(() => tableOf(one, [suite])).toThrow('Nothing of "contract" ran on TiDB')
  })

  test('stands in the store’s page, with every suite and engine, and no cell without a reason', () => {
    const text = section(readPage('shared/store/README.md').text, 'Engines')
    const rows = tableRows(text).filter(([title]) =>
      engineSuites.some((each) => each.title === title),
    )
    expect(rows.map(([title]) => title)).toEqual(engineSuites.map(({ title }) => title))
    for (const [title, ...cells] of rows) {
      expect(cells, title).toHaveLength(engines.length)
      for (const cell of cells)
        expect(cell, title).toMatch(
          /^(?:[0-9]+|– \([0-9]+\)|\*\*[0-9]+ of [0-9]+\*\*(?: \([0-9]+\))+)$/,
        )
      for (const [note] of cells.join().matchAll(/\([0-9]+\)/g)) expect(text).toContain(`${note} `)
    }
  })
})
