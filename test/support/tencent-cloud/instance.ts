/** A process that runs the events of one function, one after the other, as the platform keeps an instance. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Answer {
  value?: string
  failure?: { status: number; message: string; stack?: string }
  /** It asked to be stopped between events (583/67790). */
  freezes?: boolean
  durationMs: number
  memoryBytes: number
}

export interface Instance {
  /** Runs one event; `lines` is what the code printed. */
  run(message: object, timeoutSeconds: number): Promise<Answer & { lines: string[] }>
  /** Whether it can take another event: a failure ends an instance. */
  isIdle(): boolean
  kill(): void
}

const instanceScript = fileURLToPath(new URL('./instance.cjs', import.meta.url))
const END = '\u0000end\n'

export function startInstance(cwd: string, env: Record<string, string>): Instance {
  const child: ChildProcess = spawn(process.execPath, [instanceScript], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const printed = { text: '' }
  let answered: Answer | undefined
  let settle: ((answer: Answer) => void) | undefined
  let isOver = false

  const look = (): void => {
    if (answered && printed.text.split(END).length > 2) settle?.(answered)
  }
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      printed.text += chunk
      look()
    })
  child.on('message', (message) => {
    answered = message as Answer
    look()
  })
  const end = (status: number, message: string): void => {
    isOver = true
    settle?.({ failure: { status, message }, durationMs: 0, memoryBytes: 0 })
  }
  child.on('error', (error) => end(439, error.message))
  child.on('close', (code) => end(439, `process exited with code ${code}`))

  return {
    isIdle: () => !isOver && settle === undefined,
    kill: () => void child.kill('SIGKILL'),
    run: async (message, timeoutSeconds) => {
      const timer = setTimeout(() => {
        end(433, `Invoking task timed out after ${timeoutSeconds} seconds`)
        child.kill('SIGKILL')
      }, timeoutSeconds * 1000)
      const answer = await new Promise<Answer>((resolve) => {
        settle = resolve
        child.kill('SIGCONT')
        child.send(message)
      })
      clearTimeout(timer)
      const lines = printed.text.replaceAll(END, '').split('\n').filter(Boolean)
      printed.text = ''
      answered = undefined
      settle = undefined
      if (answer.freezes) child.kill('SIGSTOP')
      if (answer.failure) {
        isOver = true
        child.kill('SIGKILL')
      }
      return { ...answer, lines }
    },
  }
}
