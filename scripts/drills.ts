/** Runs the reliability drills. Run with --help. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from './build/bundle.ts'
import { runCommand } from './cli/command.ts'
import { problemList } from './cli/problem.ts'
import { chooseDrills, type Drill, drills, listOf, testsOf } from './drills/drills.ts'
import { forgetRecords, readRecords, recordsFolder, SUMMARY } from './drills/records.ts'
import { renderSummary, summarise, withTable } from './drills/summary.ts'

const usage = `Usage: npm run drills [-- letter …] [-- options]

Does to miniscore what a bad day does, and to builds with a control taken out, which have to be found out.
Without a letter all drills run. Each leaves a line of figures here and as JSON in .data/drills,
the run as a whole .data/drills/summary.json.

${listOf(drills)}

  --full     in the sizes of a release (hours); without it those of every change (minutes)
  --table    write the figures into the table of .github/SECURITY.md; those in small only where none in full stand
  --help     this text

Exit code 1: a drill failed or left no figures, or fewer than 95 in 100 broken variants were caught.
DRILL_SEED=N repeats a drill with the seed among its figures.
Databases are those of npm test: a MariaDB and a MySQL on the PATH, or TEST_DATABASE_URL.`

const PAGE = path.join(projectFolder, '.github/SECURITY.md')

/** Runs the tests of these drills, on this terminal. Resolves to the exit code. */
async function runTests(chosen: readonly Drill[], isFull: boolean): Promise<number> {
  const vitest = path.join(projectFolder, 'node_modules/vitest/vitest.mjs')
  const config = ['--config', 'test/drills/vitest.config.ts', '--root', '.']
  const args = ['run', ...config, ...chosen.flatMap(testsOf)]
  const tests = spawn(process.execPath, [vitest, ...args], {
    cwd: projectFolder,
    env: { ...process.env, DRILLS: isFull ? 'full' : 'small' },
    stdio: 'inherit',
  })
  const [code] = (await once(tests, 'exit')) as [number | null]
  return code ?? 1
}

await runCommand({
  usage,
  options: {
    full: { type: 'boolean', default: process.env.DRILLS === 'full' },
    table: { type: 'boolean', default: false },
  },
  takesWords: true,
  async run({ full = false, table = false }, letters) {
    const chosen = chooseDrills(letters)
    const chosenLetters = chosen.map(({ letter }) => letter)
    await forgetRecords(chosenLetters)
    const startedAtMs = performance.now()
    const code = await runTests(chosen, full)
    const summary = summarise(chosen, await readRecords(chosenLetters))
    const seconds = Math.round((performance.now() - startedAtMs) / 1000)
    await mkdir(recordsFolder, { recursive: true })
    await writeFile(
      path.join(recordsFolder, SUMMARY),
      `${JSON.stringify({ full, seconds, ...summary }, null, 2)}\n`,
    )
    console.log(`\n${renderSummary(summary)}\n${seconds} s`)
    if (table) {
      const date = new Date().toISOString().slice(0, 10)
      const page = await readFile(PAGE, 'utf8')
      await writeFile(PAGE, withTable(page, { all: drills, summary, date }))
    }
    const { problems } = summary
    if (code !== 0) problems.push('A test of the drills failed; see above.')
    if (problems.length > 0) throw problemList('The drills failed:', problems)
  },
})
