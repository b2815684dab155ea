/** A command of the project as a person starts it, with what it prints. */

import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { projectFolder } from '../../scripts/build/bundle.ts'
import { RATING_FORM } from './forms/built-with.ts'

export interface Command {
  pid: number | undefined
  /** Everything printed so far. */
  output(): string
  /** Resolves with the match once the output shows `pattern`; rejects when the command ends first. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves with the exit code. */
  exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
}

/** Starts `scripts/NAME …` with a clean environment plus `environment`. */
export function startScript(
  name: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Command {
  // As the `tsx` command does, less a process.
  const child = spawn(process.execPath, ['--import', 'tsx', `scripts/${name}`, ...args], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, RATING_FORM, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return watch(child)
}

/** Starts `serverless …` in the project, with a clean environment plus `environment`. */
export function startServerless(
  args: readonly string[],
  environment: Record<string, string> = {},
): Command {
  const serverless = path.join(projectFolder, 'node_modules/.bin/serverless')
  const child = spawn(process.execPath, [serverless, ...args], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, RATING_FORM, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return watch(child)
}

function watch(child: ChildProcess): Command {
  let output = ''
  const listeners = new Set<() => void>()
  const exited = new Promise<number | null>((resolve) =>
    child.once('close', (code) => resolve(code)),
  )
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      for (const listener of listeners) listener()
    })
  }
  return {
    pid: child.pid,
    output: () => output,
    exited,
    signal: (name) => void child.kill(name),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const match = pattern.exec(output)
          if (!match) return
          listeners.delete(check)
          resolve(match)
        }
        listeners.add(check)
        void exited.then((code) =>
          reject(new Error(`ended with ${code} before ${pattern} was seen:\n${output}`)),
        )
        check()
      }),
  }
}
