/** Instances of a function, each in a process of its own on the measured core. */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Defer } from '../cli/closers.ts'
import type { BackEnd } from './back-end.ts'
import { compileProgram } from './programs.ts'
import { startStopwatch } from './stopwatch.ts'

export interface InstanceOptions {
  bundle: string
  event: Record<string, unknown>
  /** Of every answer. */
  status: number
  /** How often it answers the event; once unless told. */
  answers?: number
  variables?: Record<string, string> | undefined
  /** Another program than `program/answers.ts` on the measured Node; it takes the same arguments. */
  launcher?: { command: string; program: string }
}

export interface InstanceResult {
  /** From its start to its end or, with one answer, to that. */
  elapsedMs: number
  /** Resident memory after the first answer and after the last. */
  firstMb: number
  lastMb: number
}

type Answer = Omit<InstanceResult, 'elapsedMs'> & { codeCache?: string }

/** @returns what starts an instance and waits for its end; it throws when an answer has another status, or a bundle's code cache was refused */
export async function instanceStarter(
  { folder, authorityFile }: BackEnd,
  defer: Defer,
): Promise<(options: InstanceOptions) => Promise<InstanceResult>> {
  const run = await startStopwatch(folder, defer)
  const program = await compileProgram('answers', folder)
  const eventFile = path.join(folder, 'event.json')
  return async ({ bundle, event, status, answers = 1, variables, launcher }) => {
    await writeFile(eventFile, JSON.stringify(event))
    const args = [
      launcher?.program ?? program,
      bundle,
      eventFile,
      `${status}`,
      `${answers}`,
      authorityFile,
    ]
    const { answer, firstByteMs } = await run<Answer>({
      command: launcher?.command,
      args,
      variables,
      log: answers === 1 ? 'pipe' : 'ignore',
    })
    const { firstMb, lastMb, codeCache = 'taken' } = answer
    if (codeCache !== 'taken') throw new Error(`the code cache of ${bundle} is ${codeCache}`)
    return { firstMb, lastMb, elapsedMs: firstByteMs }
  }
}
