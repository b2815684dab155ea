/** `.env.<stage>` as a text that commands write into: a value at its place, and everything else as a person left it. */

import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { CommandProblem } from '../cli/problem.ts'

/** The value that a text gives a variable; `undefined` when it gives none. */
export function valueIn(text: string, name: string): string | undefined {
  return parseEnv(text)[name] || undefined
}

/**
 * The text with another value of a variable, in the line that has one now, or else in the one that is empty.
 * @throws {CommandProblem} when the variable has no line, or a value that cannot stand in one
 */
export function withValueOf(text: string, name: string, value: string): string {
  if (/['"`#\s\\]/.test(value)) throw new CommandProblem(`${name} cannot hold quotes, # or spaces.`)
  const lines = text.split('\n')
  const isOurs = (line: string): boolean =>
    new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line)
  // The last one counts where there are several.
  const at = lines.findLastIndex(isOurs)
  if (at < 0) throw new CommandProblem(`${name} has no line of its own.`)
  return lines.with(at, `${name}=${value}`).join('\n')
}

/** The text with `note` as the comment above a variable, in place of one that begins alike. */
export function withNoteAbove(text: string, name: string, note: string): string {
  const [beginning = ''] = note.split(':', 1)
  const lines = text.split('\n').filter((line) => !line.startsWith(`${beginning}:`))
  const at = lines.findLastIndex((line) => line.startsWith(`${name}=`))
  return lines.toSpliced(Math.max(at, 0), 0, note).join('\n')
}

/** Replaces the file, or makes it, in one step, so that nobody reads half of it; only this user may read it. */
export async function writeStageFile(file: string, text: string): Promise<void> {
  const whole = path.join(path.dirname(file), `${path.basename(file)}.new`)
  const handle = await open(whole, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(whole, file)
}

/** The text of a stage's file. @throws {CommandProblem} when there is none */
export async function readStageFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw new CommandProblem(`There is no ${path.basename(file)}: npm run init makes one.`)
  })
}
