/** The configuration as a deploy would read it: serverless.yml resolved by the framework itself, and the stage's values. */

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Stage, StageValues } from '../cli/stage.ts'
import { type Configuration, type DesiredService, desiredService } from '../service/service.ts'

export interface Deployment {
  service: DesiredService
  /** `.env.<stage>`. */
  envFile: string | undefined
  /** What stands in that file. */
  fileValues: StageValues
  /** Every variable that serverless.yml or .env.example mentions. */
  knownNames: ReadonlySet<string>
}

/** The framework could not read serverless.yml; the message is its own, without any variable's value. */
export class UnreadableConfiguration extends Error {
  override readonly name = 'UnreadableConfiguration'
}

export interface ReadDeploymentOptions {
  /** Where serverless.yml lies. */
  folder: string
  stage: Stage
  env: Readonly<Record<string, string | undefined>>
}

const PRINT_TIMEOUT_MS = 60_000
const PRINT_MAX_BYTES = 4 * 1024 * 1024

/** @throws {UnreadableConfiguration} */
export async function readDeployment(options: ReadDeploymentOptions): Promise<Deployment> {
  const { folder, stage } = options
  const read = (name: string): Promise<string | undefined> =>
    readFile(path.join(folder, name), 'utf8').catch(() => undefined)
  const [printed, settings, example] = await Promise.all([
    printConfiguration(options),
    read('serverless.yml'),
    read('.env.example'),
  ])
  const service = desiredService(printed, stage.values)
  const mentioned = [...(settings ?? '').matchAll(/\$(?:\{env:)?([A-Z][A-Z0-9_]+)/g)].map(
    ([, variable]) => variable ?? '',
  )
  // The example's optional variables are comments.
  const offered = [...(example ?? '').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(
    ([, variable]) => variable ?? '',
  )
  return {
    service,
    envFile: stage.file,
    fileValues: stage.fileValues,
    knownNames: new Set([
      ...mentioned,
      ...offered,
      ...service.functions.flatMap(({ declared }) => declared),
    ]),
  }
}

async function printConfiguration(options: ReadDeploymentOptions): Promise<Configuration> {
  const { folder, stage, env } = options
  const program = createRequire(import.meta.url).resolve('osls/bin/serverless.js')
  const args = [program, 'print', '--format', 'json', '--stage', stage.name]
  const settings = { cwd: folder, env, timeout: PRINT_TIMEOUT_MS, maxBuffer: PRINT_MAX_BYTES }
  const { stdout } = await promisify(execFile)(process.execPath, args, settings).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) => {
      throw new UnreadableConfiguration(frameworkMessage(`${stdout}\n${stderr}`))
    },
  )
  try {
    return JSON.parse(stdout) as Configuration
  } catch {
    throw new UnreadableConfiguration('serverless print gave no JSON')
  }
}

/** The first paragraph of an error: what follows quotes the file, in which somebody may have put a secret. */
function frameworkMessage(output: string): string {
  const [, after = ''] = /Error:\s*\n([\s\S]*)/.exec(output) ?? []
  const [first = ''] = after.trim().split(/\n\s*\n/)
  return first.replaceAll(/\s+/g, ' ') || 'serverless print failed without a message'
}
