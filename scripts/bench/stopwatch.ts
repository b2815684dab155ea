/** The near end of `program/stopwatch.ts`: how the benchmarks run a program to its end. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Defer } from '../cli/closers.ts'
import { bareEnvironment, onMeasuredCore } from './machine.ts'
import { measuredNode } from './measured-node.ts'
import type { StopwatchOrder, StopwatchResult } from './program/stopwatch.ts'
import { compileProgram, endProcess } from './programs.ts'

interface MeasuredProgram {
  /** The measured Node unless told. */
  command?: string | undefined
  args: readonly string[]
  /** Its environment, beside PATH and LANG. */
  variables: Record<string, string> | undefined
  /** What reads its log: a pipe, as on the platform, or nobody. */
  log: 'pipe' | 'ignore'
}

/**
 * Runs a program to its end, on the measured core. Resolves to its JSON on file descriptor 3 and when that began.
 * @throws {Error} with its last words when it gave none
 */
export type Stopwatch = <Answer>(
  program: MeasuredProgram,
) => Promise<{ answer: Answer; firstByteMs: number }>

export async function startStopwatch(folder: string, defer: Defer): Promise<Stopwatch> {
  const program = await compileProgram('stopwatch', folder)
  const [execPath, execArgv] = onMeasuredCore(measuredNode.file, [])
  const child = fork(program, [], { execPath, execArgv, env: bareEnvironment(), stdio: 'inherit' })
  defer(() => endProcess(child))
  const ended = once(child, 'exit').then(() => {
    throw new Error('the stopwatch ended')
  })
  ended.catch(() => {})
  return async ({ command, args, variables, log }) => {
    const order: StopwatchOrder = { command, args, env: bareEnvironment(variables), log }
    const answered = once(child, 'message') as Promise<[StopwatchResult]>
    child.send(order)
    const [{ firstByteMs, answer, exitCode, complaint }] = await Promise.race([answered, ended])
    if (exitCode !== 0 || answer === '') {
      throw new Error(`a measured process ended with ${exitCode}: ${complaint.slice(-2000)}`)
    }
    return { firstByteMs, answer: JSON.parse(answer) }
  }
}
