/** An event function's process: function-host.cjs calls the bundle's handler with what arrives over IPC. */

import { fork } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { HostedProcess, type ProcessSettings, type StartedProcess } from './hosted-process.ts'
import { nodeOptions, platformEnvironment } from './platform.ts'

const hostFile = fileURLToPath(new URL('function-host.cjs', import.meta.url))

export function startHandler(settings: ProcessSettings): StartedProcess {
  const { file, environment } = settings
  const child = fork(hostFile, [file], {
    cwd: path.dirname(file),
    env: { ...platformEnvironment(settings), ...environment },
    execArgv: nodeOptions(settings),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return {
    hosted: new HostedProcess(child, settings),
    // Of a process that has just ended, the exit is the news.
    hand: (event, context) => void child.send({ event, context }, () => {}),
  }
}
