/**
 * A process of a Web function: its `scf_bootstrap` (583/56126), with the Node of this machine for the runtime's and a port of
 * its own for 9000.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openPort } from '../../../scripts/local/open-port.ts'

export interface ForwardedRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface WebInstance {
  /** Passes one request on; returns what the process printed meanwhile. */
  forward(given: ForwardedRequest, response: ServerResponse): Promise<string[]>
  kill(): void
}

const STARTS_WITHIN_MS = 10_000

/** @throws {Error} when nothing listens in time */
export async function startWebInstance(
  folder: string,
  env: Record<string, string>,
): Promise<WebInstance> {
  const bootstrap = await readFile(join(folder, 'scf_bootstrap'), 'utf8')
  const script = bootstrap.replace(/\/var\/lang\/node\d+\/bin\/node/, process.execPath)
  const port = await openPort()
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk
    })

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
      throw new Error(`a Web function does not listen: ${printed}`)
    await delay(50)
  }

  return {
    async forward(given, response) {
      printed = ''
      const answer = await send(given)
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
      await once(answer, 'end')
      return printed.split('\n').filter(Boolean)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
