/**
 * Ends the processes of functions when this process is gone, however that came about: a frozen one does not notice, and a
 * Web function's program does not care. A shell waits for the end of its input.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/** Keeps the numbers of living processes; closing a terminal or Ctrl-C, which go to all, do not end it before it is through. */
const script = `
trap '' HUP INT TERM
pids=' '
while read -r what pid; do
  case $what in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -KILL "$pid"; done
`

let guard: ChildProcess | undefined

/** From now on until it exits. On Windows nothing is frozen, and IPC ends what is left. */
export function guardFromOrphaning(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) return
  guard ??= start()
  const { stdin } = guard
  stdin?.write(`+ ${child.pid}\n`)
  child.once('exit', () => stdin?.write(`- ${child.pid}\n`))
}

function start(): ChildProcess {
  const started = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  started.on('error', () => {})
  started.stdin?.on('error', () => {})
  // It ends with this process and does not keep it.
  started.unref()
  if (started.stdin instanceof Socket) started.stdin.unref()
  return started
}
