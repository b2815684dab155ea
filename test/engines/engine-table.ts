/** The table "engine × suite" in the store's page, out of what a run's reporter wrote. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { CommandProblem } from '../../scripts/cli/problem.ts'
import {
  type Engine,
  type EngineSuite,
  engineOf,
  engineSuites,
  engines,
  knownDifferences,
  whyEmpty,
} from './suites.ts'

/** As vitest's JSON reporter writes it; only what is read. */
export interface RunReport {
  testResults: {
    /** Absolute path of the file. */
    name: string
    /** `failed` also where a set-up broke, and no test of its own says so. */
    status: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}

interface Cell {
  passed: number
  /** Passed and failed; what a test leaves out for an engine counts as neither. */
  ran: number
  /** What differs where something did not pass. */
  reasons: string[]
}

const BEGIN = '<!-- npm run engines -- write: begin -->'
const END = '<!-- end -->'
const page = path.join(projectFolder, 'shared/store/README.md')

/**
 * The table as Markdown, its empty cells explained below it.
 * @throws {CommandProblem} naming a suite and an engine of which nothing ran, though it should have
 */
export function tableOf(report: RunReport, suites: readonly EngineSuite[] = engineSuites): string {
  const notes: string[] = []
  const noteOn = (reason: string): string => {
    if (!notes.includes(reason)) notes.push(reason)
    return `(${notes.indexOf(reason) + 1})`
  }
  const cellText = (suite: EngineSuite, engine: Engine): string => {
    const { passed, ran, reasons } = cellOf(report, suite, engine)
    if (ran > 0 && passed === ran) return `${ran}`
    if (ran > 0) return [`**${passed} of ${ran}**`, ...reasons.map(noteOn)].join(' ')
    const reason = whyEmpty(suite, engine)
    if (reason === undefined) {
      throw new CommandProblem(
        `Nothing of "${suite.title}" ran on ${engine}: the table would have a cell that nobody can explain.`,
      )
    }
    return `– ${noteOn(reason)}`
  }
  const rows = suites.map((suite) => [
    suite.title,
    ...engines.map((engine) => cellText(suite, engine)),
  ])
  const lines = [['Tests that passed', ...engines], ['---', ...engines.map(() => '---')], ...rows]
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `${table}\n\n${notes.map((note, index) => `(${index + 1}) ${note}`).join('; ')}.`
}

function cellOf(report: RunReport, suite: EngineSuite, engine: Engine): Cell {
  const results = resultsOf(report, suite).filter((result) => result.engine === engine)
  const failed = results.filter(({ status }) => status === 'failed')
  const passed = results.filter(({ status }) => status === 'passed').length
  const reasons = new Set(failed.map((result) => differenceOf(result)?.why ?? SURPRISE))
  return { passed, ran: passed + failed.length, reasons: [...reasons] }
}

const SURPRISE = 'failed in the run that wrote this, and no known difference explains it'

interface Result {
  fullName: string
  status: string
  failureMessages: string[]
  engine: Engine | undefined
}

function resultsOf(report: RunReport, suite: EngineSuite): Result[] {
  return report.testResults
    .filter(({ name }) => suite.files.includes(path.relative(projectFolder, name)))
    .flatMap(({ assertionResults }) => assertionResults)
    .map((result) => ({ ...result, engine: engineOf(result.fullName, suite) }))
}

function differenceOf({ fullName, engine, failureMessages }: Result) {
  return knownDifferences.find(
    (each) =>
      engine === each.engine &&
      each.test.test(fullName) &&
      failureMessages.every((message) => each.failure.test(message)),
  )
}

/** Tests that failed though no difference is known, and files whose set-up broke. */
export function surprisesIn(report: RunReport): string[] {
  const failed = engineSuites
    .flatMap((suite) => resultsOf(report, suite))
    .filter((result) => result.status === 'failed' && differenceOf(result) === undefined)
    .map(({ fullName }) => fullName)
  const broken = report.testResults
    .filter(
      ({ status, assertionResults }) => status === 'failed' && !assertionResults.some(hasFailed),
    )
    .map(({ name }) => `${path.relative(projectFolder, name)}: its set-up`)
  return [...failed, ...broken]
}

function hasFailed({ status }: { status: string }): boolean {
  return status === 'failed'
}

/** Puts the table into the page, between its two markers. @throws {CommandProblem} when they are not there */
export async function writeTable(table: string): Promise<void> {
  const text = await readFile(page, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) {
    throw new CommandProblem(`shared/store/README.md lacks the lines "${BEGIN}" and "${END}".`)
  }
  await writeFile(page, `${text.slice(0, from)}${BEGIN}\n${table}\n${text.slice(to)}`)
}
