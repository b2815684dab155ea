/** Runs a program to its end. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How much of a failed program's words is worth repeating. */
const LAST_LINES = 12

export interface RunOptions {
  environment?: NodeJS.ProcessEnv
  /** Called with each line the program writes to its file descriptor 3. */
  onStatusLine?: (line: string) => void
}

/** @returns what it printed. @throws {Error} with its last words, when it fails or cannot be started */
export async function runProgram(
  program: string,
  args: readonly string[],
  { environment = process.env, onStatusLine }: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  let status = ''
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    const lines = (status + chunk.toString('utf8')).split('\n')
    status = lines.pop() ?? ''
    for (const line of lines) onStatusLine?.(line)
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (exitCode === 0) return output
  const lastWords = output.trim().split('\n').slice(-LAST_LINES).join('\n')
  throw new Error(`${program} failed (${exitCode ?? 'ended by a signal'}):\n${lastWords}`)
}
