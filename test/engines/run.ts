/** Runs the suites on the engines people grow into. Run with --help. */
import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { progressLine, runCommand } from '../../scripts/cli/command.ts'
import { CommandProblem, problemList } from '../../scripts/cli/problem.ts'
import { findServer } from '../../scripts/simulators/mysql-server/private-server.ts'
import { serverKinds } from '../../scripts/simulators/mysql-server/server-program.ts'
import { enginesFolder } from '../../scripts/simulators/mysql-server/tidb.ts'
import { buildEngine, checkGo, enginePrograms } from './engine-programs.ts'
import { surprisesIn, tableOf, writeTable } from './engine-table.ts'

const usage = `Usage: npm run engines [-- build | write]

Compiles TiDB, Vitess's planner and ps-http-sim with Go 1.26 into .data/engines, once (about
a quarter of an hour, 4 GB in Go's caches; the modules come through Go's own proxy), then runs the
store's suites, the journey and two drills on sql.js, MariaDB, MySQL and TiDB, and asks the planner
where every statement goes on 1, 4 and 64 shards. Prints a table of what passed on which engine.

  build   compiles only; TEST_SERVERS=TiDB runs single test files on it then
  write   puts the table into shared/store/README.md, with what failed
  --help  this text`

async function build(): Promise<void> {
  checkGo()
  const progress = progressLine()
  for (const program of enginePrograms) {
    const startedMs = Date.now()
    const isNew = await buildEngine(program, progress.show).finally(progress.end)
    const seconds = Math.round((Date.now() - startedMs) / 1000)
    const when = isNew ? `compiled in ${seconds} s` : 'compiled before'
    console.log(`${program.name}: ${program.whatFor} (${when})`)
  }
}

async function run(shouldWrite: boolean): Promise<void> {
  await build()
  const absent = serverKinds.filter((kind) => !findServer(kind))
  if (absent.length > 0) {
    throw new CommandProblem(
      `There is no ${absent.join(' and no ')} on this machine: apt-get install mariadb-server-core, npm run mysql -- get.`,
    )
  }
  const reportFile = path.join(enginesFolder, 'report.json')
  await rm(reportFile, { force: true })
  await runSuites(reportFile)
  const report = await readFile(reportFile, 'utf8').catch(() => undefined)
  if (report === undefined) throw new CommandProblem('The suites broke off: see above.')
  const table = tableOf(JSON.parse(report))
  console.log(table)
  if (shouldWrite) await writeTable(table)
  const surprises = surprisesIn(JSON.parse(report))
  if (surprises.length > 0) throw problemList('Not everything passed:', surprises)
}

/** Resolves when all have run; what came of them stands in the report. */
async function runSuites(reportFile: string): Promise<void> {
  const vitest = path.join(projectFolder, 'node_modules/vitest/vitest.mjs')
  const config = ['--config', 'test/engines/vitest.config.ts', '--root', '.']
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const child = spawn(process.execPath, [vitest, 'run', ...config, ...reporters], {
    cwd: projectFolder,
    env: { ...process.env, TEST_SERVERS: serverKinds.join() },
    stdio: 'inherit',
  })
  return new Promise((resolve, reject) => {
    child.once('close', () => resolve()).once('error', reject)
  })
}

await runCommand({
  usage,
  options: {},
  takesWords: true,
  async run(_options, [verb, ...others]) {
    if (others.length > 0 || !['build', 'write', undefined].includes(verb)) throw new Error(usage)
    if (verb === 'build') return build()
    return run(verb === 'write')
  },
})
