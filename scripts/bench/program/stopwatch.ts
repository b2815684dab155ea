/**
 * Starts processes and measures the time until their first byte on file descriptor 3. A process of its own and
 * a small one, because starting a process copies the page tables of the one that starts it: from a
 * parent of 300 MB that alone takes 10 ms. Orders and results travel over IPC.
 */

import { spawn } from 'node:child_process'

export interface StopwatchOrder {
  /** Node, this very one, unless told. */
  command?: string | undefined
  args: readonly string[]
  env: Record<string, string>
  log: 'pipe' | 'ignore'
}

export interface StopwatchResult {
  firstByteMs: number
  answer: string
  exitCode: number | null
  complaint: string
}

process.on('message', (order: StopwatchOrder) => measure(order))
process.on('disconnect', () => process.exit())

function measure({ command = process.execPath, args, env, log }: StopwatchOrder): void {
  let answer = ''
  let complaint = ''
  let firstByteMs = Number.NaN
  const startedAt = performance.now()
  const child = spawn(command, args, { env, stdio: ['ignore', log, 'pipe', 'pipe'] })
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    if (answer === '') firstByteMs = performance.now() - startedAt
    answer += chunk.toString('utf8')
  })
  child.stdout?.resume()
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString('utf8')
  })
  child.once('close', (exitCode) => {
    const result: StopwatchResult = { firstByteMs, answer, exitCode, complaint }
    process.send?.(result)
  })
}
