/** The built bundles as servers: `node index.js`, each with its own variables and a free port. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type BundleOptions, bundleFunction, bundleServer } from '../../scripts/build/bundle.ts'
import { variablesOf } from '../../scripts/local/local-function.ts'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { readService } from './service.ts'

export interface WebProcess {
  /** The address it says it listens on, reached over loopback. Rejects when it does not start. */
  url: Promise<string>
  /** Everything printed so far. */
  output(): string
  exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
}

export interface WebFunctions {
  /** Starts one function as a server; variables beside its own (PORT, COMPRESS …) come from `extra`. */
  start(name: string, extra?: Record<string, string>): Promise<WebProcess>
  /** Starts all functions as one server, with all variables. */
  startServer(extra?: Record<string, string>): Promise<WebProcess>
  /** The bundle of one function. */
  file(name: string): Promise<string>
  /** Ends every server and removes the bundles. */
  close(): Promise<void>
}

/** Bundles functions on demand and runs them with the variables serverless.yml gives them. */
export async function openWebFunctions(
  environment: Record<string, string>,
  storeDoor: StoreDoor = 'planetscale',
  bundle: (name: string, options: BundleOptions) => Promise<{ file: string }> = bundleFunction,
): Promise<WebFunctions> {
  const outdir = await mkdtemp(path.join(os.tmpdir(), 'miniscore-web-'))
  const service = await readService()
  const bundles = new Map<string, ReturnType<typeof bundle>>()
  const started: WebProcess[] = []
  const fileOf = async (name: string): Promise<string> => {
    const options = { storeDoor, outdir }
    const bundled =
      bundles.get(name) ?? (name === 'server' ? bundleServer(options) : bundle(name, options))
    bundles.set(name, bundled)
    return (await bundled).file
  }
  const run = async (name: string, env: Record<string, string>): Promise<WebProcess> => {
    const file = await fileOf(name)
    const child = spawn(process.execPath, [path.basename(file)], {
      cwd: path.dirname(file),
      env: { PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const running = watch(child)
    started.push(running)
    return running
  }
  return {
    file: fileOf,
    async start(name, extra = {}) {
      const declared = service.find(({ key }) => key === name)
      if (!declared) throw new Error(`no function ${name}`)
      return run(name, { ...variablesOf(declared, environment), ...extra })
    },
    startServer: (extra = {}) => run('server', { ...environment, ...extra }),
    async close() {
      for (const each of started) each.signal('SIGKILL')
      await Promise.all(started.map(({ exited }) => exited))
      await rm(outdir, { recursive: true, force: true })
    },
  }
}

function watch(child: ChildProcess): WebProcess {
  let output = ''
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const url = new Promise<string>((resolve, reject) => {
    const onOutput = (chunk: string): void => {
      output += chunk
      const port = /^listening on http:\/\/.*:([0-9]+)$/m.exec(output)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', onOutput)
    }
    void exited.then((code) => reject(new Error(`ended with ${code}:\n${output}`)))
  })
  // Whoever waits for the exit code alone does not care.
  url.catch(() => {})
  return { url, output: () => output, exited, signal: (name) => void child.kill(name) }
}
