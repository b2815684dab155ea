/**
 * A process of a Web function: its `scf_bootstrap` (583/56126), with the Node of this machine for the runtime's and a port of
 * its own for 9000.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { openPort } from '../../../scripts/local/open-port.ts'

export interface ForwardedRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface WebInstance {
  /** Passes one request on. */
  forward(given: ForwardedRequest, response: ServerResponse): Promise<void>
  kill(): void
}

const STARTS_WITHIN_MS = 10_000

/** `onLine`: told each line it prints. @throws {Error} when nothing listens in time */
export async function startWebInstance(
  folder: string,
  env: Record<string, string>,
  onLine: (line: string) => void,
): Promise<WebInstance> {
  const bootstrap = await readFile(join(folder, 'scf_bootstrap'), 'utf8')
  const script = bootstrap.replace(/\/var\/lang\/node\d+\/bin\/node/, process.execPath)
  const port = await openPort()
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', onLine)

  const send = async ({ method, url, headers, body }: ForwardedRequest) => {
    const sent = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false })
    sent.end(body)
    const [answer] = await once(sent, 'response')
    return answer
  }
  const giveUpAt = Date.now() + STARTS_WITHIN_MS
  for (;;) {
    const isUp = await send({ method: 'GET', url: '/', headers: {}, body: Buffer.alloc(0) }).then(
      (answer) => answer.resume() !== undefined,
      () => false,
    )
    if (isUp) break
    if (Date.now() > giveUpAt || child.exitCode !== null)
      throw new Error(`a Web function does not listen (exit code ${child.exitCode})`)
    await delay(50)
  }

  return {
    async forward(given, response) {
      const answer = await send(given)
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
      await once(answer, 'end')
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
