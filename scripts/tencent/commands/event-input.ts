/** The event a command line gives: `--data`, `--path`, or none. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DeployProblem } from '../problem.ts'
import { type CommandContext, textOption } from './context.ts'

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DeployProblem(`${where} is not JSON: ${(error as Error).message}`)
  }
}

/** The event as a value; `{}` when none is given. A missing file or broken JSON is a `DeployProblem`. */
export async function readEvent(context: CommandContext): Promise<unknown> {
  const data = textOption(context.options, 'data')
  const path = textOption(context.options, 'path')
  if (data !== undefined && path !== undefined)
    throw new DeployProblem('Give --data or --path, not both.')
  if (data !== undefined) return context.options.raw ? data : parse(data, '--data')
  if (path === undefined) return {}
  const file = resolve(context.serviceDir, path)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new DeployProblem(`--path ${path} cannot be read: ${error.code ?? error.message}`)
  })
  return parse(text, `--path ${path}`)
}
