/** The small programs that run in processes of their own: compiled here, so that none is slowed by tsx. */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { build } from 'esbuild'
import { projectFolder } from '../build/bundle.ts'

/** Compiles `program/<name>.ts` and what it imports to one CommonJS file in `folder`. @returns the file */
export async function compileProgram(name: string, folder: string): Promise<string> {
  const outfile = path.join(folder, 'programs', `${name}.cjs`)
  await build({
    absWorkingDir: projectFolder,
    entryPoints: [`scripts/bench/program/${name}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'silent',
  })
  return outfile
}

/** Ends a process and waits until it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

const LISTENING_WITHIN_MS = 15_000

/**
 * Waits until a server's log file says `listening on URL`. A file, because a pipe would have to be
 * read by somebody while the server is measured.
 * @throws {Error} with the log when the server ended or is silent
 */
export async function urlFromLog(file: string, server: ChildProcess): Promise<string> {
  const endsAtMs = Date.now() + LISTENING_WITHIN_MS
  for (;;) {
    const log = await readFile(file, 'utf8')
    const url = /^listening on (\S+)$/m.exec(log)?.[1]
    if (url !== undefined) return url
    if (server.exitCode !== null || Date.now() > endsAtMs) {
      throw new Error(`a measured server did not start: ${log.slice(-2000)}`)
    }
    await pause(20)
  }
}
