import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessPathOf } from '../../scripts/bench/access-path.ts'
import { atLeast, atMost, type Figure, verdictOf } from '../../scripts/bench/figure.ts'
import { hotAccount, middleId, rareAuthor } from '../../scripts/bench/generated-ratings.ts'
import { loadRatings } from '../../scripts/bench/load-ratings.ts'
import { median, medianRatio } from '../../scripts/bench/median.ts'
import { renderTable } from '../../scripts/bench/table.ts'
import { functionNames } from '../../scripts/build/bundle.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { startScript } from '../support/local-command.ts'
import { anyServerUrl, describeOnServers } from '../support/server-suites.ts'

const HEADING = /^benchmark +what +measured +budget +we would like +mark +detail$/m

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-bench-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs the command to its end. */
async function bench(...args: string[]) {
  const file = path.join(folder, `${args[0]}.json`)
  const environment: Record<string, string> = anyServerUrl
    ? { TEST_DATABASE_URL: anyServerUrl }
    : {}
  const command = startScript('bench.ts', [...args, '--json', file], environment)
  const exitCode = await command.exited
  const text = await readFile(file, 'utf8').catch(() => '{}')
  const { figures = [] } = JSON.parse(text) as { figures?: (Figure & { verdict: string })[] }
  return { exitCode, output: command.output(), figures }
}

describe('npm run bench', () => {
  test('size names the machine and weighs every function with both drivers', async () => {
    const { exitCode, output, figures } = await bench('size', '--strict')
    expect(output).toMatch(/^node v\d+.*cores \d+/)
    expect(output).toMatch(HEADING)
    expect(figures).toHaveLength(4 * functionNames.length)
    expect(figures).toContainEqual(
      expect.objectContaining({ what: 'zip of submit-score, mysql', unit: 'KiB' }),
    )
    const isOver = figures.some(({ verdict }) => verdict === 'OVER')
    expect(exitCode).toBe(isOver ? 1 : 0)
  })

  test('cold measures each first answer against a no-op, or says why it cannot', async () => {
    const { exitCode, output, figures } = await bench('cold', '--rounds', '1')
    expect(exitCode, output).toBe(0)
    expect(output).toMatch(HEADING)
    expect(figures).toHaveLength(10)
    const skipped = figures.filter((figure) => 'skipped' in figure)
    expect(skipped).toHaveLength(anyServerUrl === undefined ? 5 : 0)
    for (const figure of figures) if ('value' in figure) expect(figure.value).toBeGreaterThan(0)
  })

  test.skipIf(anyServerUrl === undefined)(
    'scale compares a large account with a small one, and no statement scans',
    async () => {
      const { exitCode, output, figures } = await bench('scale', '--rows', '2000', '--rounds', '1')
      expect(exitCode, output).toBe(0)
      expect(output).toMatch(HEADING)
      expect(output).toContain('2000 of 2000 ratings (100 %)')
      expect(figures).toContainEqual(
        expect.objectContaining({ what: 'statements that scan, by EXPLAIN', value: 0 }),
      )
      const [underLoad] = figures.filter(({ what }) => /1,000 times a second: st/.test(what))
      expect(underLoad).toMatchObject({ detail: '2000 ratings too young to be folded' })
    },
  )

  test.each([
    [['nonsense'], 'There is no benchmark "nonsense"'],
    [['scale', '--rows', 'many'], '--rows should be a whole number'],
    [['scale', '--server', 'oracle'], '--server is mariadb, mysql or tidb'],
    [['scale', '--hot-share', '2'], '--hot-share should be'],
    [['cold', '--rounds', '0'], '--rounds should be a whole number'],
    [['cold', '--svg', 'peers.svg'], '--svg draws the figures of peers'],
  ])('%j ends with 1 and a sentence', async (args, sentence) => {
    const { exitCode, output } = await bench(...args)
    expect(exitCode).toBe(1)
    expect(output).toContain(sentence)
  })
})

describe('a figure', () => {
  const figure = (value: number, budget = atMost(2, 1)): Figure => ({
    benchmark: 'cold',
    what: 'something',
    value,
    unit: '×',
    budget,
    detail: '',
  })

  test.each([
    [figure(1), 'as wished'],
    [figure(1.01), 'pass'],
    [figure(2.01), 'OVER'],
    [figure(Number.NaN), 'OVER'],
    [figure(0.9, atLeast(0.6, 0.85)), 'as wished'],
    [figure(0.6, atLeast(0.6, 0.85)), 'pass'],
    [figure(0.59, atLeast(0.6, 0.85)), 'OVER'],
    [{ benchmark: 'cold', what: 'something', skipped: 'a reason' } as Figure, 'skipped'],
  ])('%j is marked %s', (judged, mark) => {
    expect(verdictOf(judged)).toBe(mark)
    expect(renderTable([judged])).toContain(mark)
  })

  test('is a median of rounds, so that a single slow one does not count', () => {
    expect(median([3, 1, 100])).toBe(3)
    expect(median([1, 2])).toBe(1.5)
    expect(medianRatio([2, 40, 2], [1, 20, 1])).toBe(2)
    expect(() => median([])).toThrow()
  })
})

describeOnServers('on a database', ({ freshDatabase }) => {
  test('made-up ratings are the same every time, as many as asked for, with the busy account’s share', async () => {
    const options = { rows: 5000, hotShare: 0.15 }
    const load = async () => {
      const databaseUrl = await freshDatabase()
      await loadRatings({ ...options, databaseUrl, progress: () => {} })
      const db = await openDb(databaseUrl)
      const { rows } = await db.query('select * from ratings order by acc_nbr, id')
      await db.close()
      return rows
    }
    const rows = await load()
    expect(rows).toHaveLength(options.rows)
    const busy = rows.filter(({ acc_nbr }) => acc_nbr === hotAccount)
    expect(busy).toHaveLength(750)
    expect(busy.filter(({ user_id }) => rareAuthor.equals(user_id as Uint8Array))).toHaveLength(3)
    expect(busy[375]?.id).toEqual(new Uint8Array(middleId(options)))
    const times = busy.map(({ insert_time }) => Number(insert_time))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(await load()).toEqual(rows)
  })

  test('a statement that scans is told from one that uses an index', async () => {
    const databaseUrl = await freshDatabase()
    await loadRatings({ databaseUrl, rows: 1000, hotShare: 0.3, progress: () => {} })
    const scan = { sql: 'select id from ratings where txt1 = ?', parameters: ['?'] }
    expect(await accessPathOf(databaseUrl, [scan])).toMatchObject({ scans: [scan.sql] })
    const range = {
      sql: 'select id from ratings where acc_nbr = ? order by id desc limit ?',
      parameters: [hotAccount, 5],
    }
    const { rowsTouched, scans } = await accessPathOf(databaseUrl, [range])
    expect(scans).toEqual([])
    expect(rowsTouched).toBeLessThan(10)
    const whole = {
      sql: 'select grade1 from ratings where acc_nbr = ?',
      parameters: [hotAccount],
    }
    expect((await accessPathOf(databaseUrl, [whole])).rowsTouched).toBeGreaterThan(290)
  })
})
