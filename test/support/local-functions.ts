/** Bundles that do what no function of the project does, as a local run has them: with a source map. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import {
  FunctionProcess,
  type FunctionProcessOptions,
} from '../../scripts/local/function-process.ts'

/** Does what the event's `do` says. */
const obedient = `
let calls = 0
let ticks = 0
const held: unknown[] = []
setInterval(() => ticks++, 2).unref()
interface Context { callbackWaitsForEmptyEventLoop: boolean; getRemainingTimeInMillis(): number }
function spin(): void {
  let count = 0
  while (Date.now() > count) count++
}
export async function main_handler(event: { do?: string; ms?: number }, context: Context) {
  calls++
  context.callbackWaitsForEmptyEventLoop = event.do === 'linger'
  switch (event.do) {
    case 'throw': throw new Error('thrown')
    case 'loop': spin(); break
    case 'wait': console.log('waiting'); await new Promise((resolve) => setTimeout(resolve, event.ms ?? 100)); break
    case 'await nothing': await new Promise(() => setInterval(() => {}, 1e6)); break
    case 'exit': process.exit(3); break
    case 'print': console.log('a line'); break
    case 'linger': setTimeout(() => console.log('lingered'), event.ms); break
    case 'fill the heap': for (;;) held.push(String(held.length).repeat(99)); break
    case 'fill a buffer': held.push(Buffer.alloc(200e6, 1)); break
    case 'return much': return 'x'.repeat(6 * 1024 * 1024)
  }
  const { callbackWaitsForEmptyEventLoop: _, ...rest } = context
  return { calls, ticks, env: process.env, hour: new Date(0).getHours(), remaining: context.getRemainingTimeInMillis(), context: rest }
}`

const sources: Readonly<Record<string, string>> = {
  index: obedient,
  empty: 'export {}',
  broken: 'throw new Error("at load")',
  endless: 'for (let count = 0; ; count++) Number.isFinite(count)',
  web: `
import { createServer } from 'node:http'
createServer((request, response) => {
  if (request.url === '/exit') process.exit(3)
  if (request.url === '/hang') return
  response.setHeader('x-scf-secret-key', 'never')
  response.setHeader('x-own', request.url === '/headers' ? 'x'.repeat(5000) : ['a', 'b'])
  const { method, url, headers } = request
  let body = ''
  request.on('data', (chunk) => { body += chunk })
  request.on('end', () => response.end(JSON.stringify({ method, url, headers, body, home: process.env.HOME })))
}).listen(Number(process.env.PORT), process.env.HOST)`,
  deaf: 'setInterval(() => {}, 1e6)',
}

export interface LocalFunctions {
  /** The bundle called so. */
  file(name: string): string
  /** A function with sound settings but for `changes`; the bundle `index` unless they name another. */
  start(changes?: Partial<FunctionProcessOptions>): FunctionProcess
  close(): Promise<void>
}

/** Builds them all, once for a test file. */
export async function localFunctions(): Promise<LocalFunctions> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'miniscore-function-'))
  const names = Object.keys(sources)
  await Promise.all(
    names.map((name) => writeFile(path.join(folder, `${name}.ts`), sources[name] ?? '')),
  )
  await build({
    entryPoints: names.map((name) => path.join(folder, `${name}.ts`)),
    outdir: folder,
    sourcemap: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  })
  const running: FunctionProcess[] = []
  const file = (name: string): string => path.join(folder, `${name}.js`)
  return {
    file,
    start(changes = {}) {
      const started = new FunctionProcess({
        name: 'test',
        file: file('index'),
        environment: { OWN: 'yes' },
        timeoutMs: 5000,
        execArgv: ['--enable-source-maps'],
        freezes: true,
        ...changes,
      })
      running.push(started)
      return started
    },
    async close() {
      await Promise.all(running.map((each) => each.stop()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
