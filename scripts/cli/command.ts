/** What the commands share: options and help, progress on a terminal, and how they fail. */

import { type ParseArgsConfig, parseArgs } from 'node:util'
import { CommandProblem } from './problem.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>

export interface ScriptCommand<O extends Options> {
  /** What `--help` prints. */
  usage: string
  /** As for `parseArgs`. */
  options: O
  /** Words beside the options are taken; refused otherwise. */
  takesWords?: boolean
  run(values: Parsed<O>['values'], words: string[]): Promise<unknown>
}

/** Runs the command of this process. A failure, wrong usage included, is one sentence and exit code 1, or the error’s own `exitCode`. */
export async function runCommand<const O extends Options>(
  command: ScriptCommand<O>,
): Promise<void> {
  try {
    const help = { type: 'boolean', short: 'h' } as const
    const { values, positionals } = parseArgs({
      options: { ...command.options, help },
      allowPositionals: command.takesWords === true,
    })
    if ('help' in values) console.log(command.usage)
    else await command.run(values as Parsed<O>['values'], positionals)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const isUsage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    console.error(isUsage ? `${message}. --help explains.` : message)
    process.exitCode = (error as { exitCode?: number }).exitCode ?? 1
  }
}

/** The port that a text names; `setting` is what the person wrote it behind. @throws {CommandProblem} saying so */
export function portOf(setting: string, text: string): number {
  const port = Number(text)
  if (/^[0-9]{1,5}$/.test(text) && port <= 65_535) return port
  throw new CommandProblem(`${setting} takes a port number from 0 to 65535, not "${text}".`)
}

const PROGRESS_INTERVAL_MS = 500

/** A progress line on standard error: rewritten on a terminal, every so often elsewhere. */
export function progressLine(): { show(line: string): void; end(): void } {
  const { stderr } = process
  let shownAt = 0
  return {
    show(line) {
      const now = performance.now()
      if (now - shownAt < PROGRESS_INTERVAL_MS) return
      shownAt = now
      stderr.write(stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
    },
    end() {
      if (stderr.isTTY && shownAt > 0) stderr.write('\r\u001b[K')
    },
  }
}
