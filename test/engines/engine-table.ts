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
  whyEmpty,
} from './suites.ts'

/** As vitest's JSON reporter writes it; only what is read. */
export interface RunReport {
  testResults: {
    /** Absolute path of the file. */
    name: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

interface Cell {
  passed: number
  /** Passed and failed; what a test leaves out for an engine counts as neither. */
  ran: number
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
  const cellText = (suite: EngineSuite, engine: Engine): string => {
    const { passed, ran } = cellOf(report, suite, engine)
    if (ran > 0) return passed === ran ? `${ran}` : `**${passed} of ${ran}**`
    const reason = whyEmpty(suite, engine)
    if (reason === undefined) {
      throw new CommandProblem(
        `Nothing of "${suite.title}" ran on ${engine}: the table would have a cell that nobody can explain.`,
      )
    }
    if (!notes.includes(reason)) notes.push(reason)
    return `– (${notes.indexOf(reason) + 1})`
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
  const states = report.testResults
    .filter(({ name }) => suite.files.includes(path.relative(projectFolder, name)))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => engineOf(fullName, suite) === engine)
    .map(({ status }) => status)
  const passed = states.filter((status) => status === 'passed').length
  return { passed, ran: passed + states.filter((status) => status === 'failed').length }
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
