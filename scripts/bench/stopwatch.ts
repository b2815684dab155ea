/** The near end of `program/stopwatch.ts`. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { bareEnvironment, onMeasuredCore } from './machine.ts'
import type { StopwatchOrder, StopwatchResult } from './program/stopwatch.ts'
import { compileProgram, endProcess } from './programs.ts'

export interface Stopwatch {
  /** Runs `node …args` to its end. @throws {Error} with its last words when it gave no answer */
  firstAnswer(
    args: string[],
    variables: Record<string, string>,
  ): Promise<{ firstAnswerMs: number; answer: unknown }>
  close(): Promise<void>
}

/** Runs on the measured core, and so does everything it starts. */
export async function startStopwatch(folder: string): Promise<Stopwatch> {
  const program = await compileProgram('stopwatch', folder)
  const [execPath, execArgv] = onMeasuredCore(process.execPath, [])
  const child = fork(program, [], { execPath, execArgv, env: bareEnvironment(), stdio: 'inherit' })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the stopwatch ended')
  })
  ended.catch(() => {})
  return {
    async firstAnswer(args, variables) {
      const order: StopwatchOrder = {
        command: process.execPath,
        args,
        env: bareEnvironment(variables),
      }
      const answered = once(child, 'message') as Promise<[StopwatchResult]>
      child.send(order)
      const [{ firstAnswerMs, answer, exitCode, complaint }] = await Promise.race([answered, ended])
      if (exitCode !== 0 || answer === '') {
        throw new Error(`a measured process ended with ${exitCode}: ${complaint.slice(-2000)}`)
      }
      return { firstAnswerMs, answer: JSON.parse(answer) }
    },
    close: () => endProcess(child),
  }
}
