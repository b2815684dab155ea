/** What the commands of package.json print for `--help`: all of them in one process, which is twenty times quicker than each in its own. */

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { projectFolder } from '../../scripts/build/bundle.ts'

/** Names of the commands that are ours: `npm run <name>`. */
export function ownCommands(): string[] {
  const { scripts } = JSON.parse(
    readFileSync(path.join(projectFolder, 'package.json'), 'utf8'),
  ) as { scripts: Record<string, string> }
  return Object.entries(scripts).flatMap(([name, line]) =>
    line.startsWith('tsx scripts/') ? name : [],
  )
}

let helps: Promise<Record<string, string>> | undefined

/** The text by name. */
export function helpOfCommands(): Promise<Record<string, string>> {
  helps ??= read()
  return helps
}

async function read(): Promise<Record<string, string>> {
  const program = fileURLToPath(new URL('./print-helps.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', program, ...ownCommands()],
    { cwd: projectFolder },
  )
  return JSON.parse(stdout) as Record<string, string>
}
