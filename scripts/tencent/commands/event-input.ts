/** The event a command line gives: `--data`, `--path`, or none. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CommandProblem } from '../../cli/problem.ts'
import { type CommandContext, textOption } from './context.ts'

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandProblem(`${where} is not JSON: ${(error as Error).message}`)
  }
}

/** The event as a value; `{}` when none is given. A missing file or broken JSON is a `CommandProblem`. */
export async function readEvent(context: CommandContext): Promise<unknown> {
  const data = textOption(context.options, 'data')
  const path = textOption(context.options, 'path')
  if (data !== undefined && path !== undefined)
    throw new CommandProblem('Give --data or --path, not both.')
  if (data !== undefined) return context.options.raw ? data : parse(data, '--data')
  if (path === undefined) return {}
  const file = resolve(context.serviceDir, path)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandProblem(`--path ${path} cannot be read: ${error.code ?? error.message}`)
  })
  return parse(text, `--path ${path}`)
}
