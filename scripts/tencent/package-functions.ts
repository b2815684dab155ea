/** Bundles and zips functions: `<folder>/<function>.zip` with index.js at its root. No network, no credentials. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { bundleFunction, functionNames } from '../build/bundle.ts'
import { CommandProblem } from '../cli/problem.ts'
import type { DesiredFunction } from '../service/service.ts'
import { findRuntimeNode } from './runtime-node.ts'
import { deterministicZip, type PackedFile } from './zip.ts'

export interface Package {
  key: string
  file: string
  zip: Buffer
  sha256: string
}

function loaded(key: string, file: string, zip: Buffer): Package {
  return { key, file, zip, sha256: createHash('sha256').update(zip).digest('hex') }
}

/**
 * What starts a Web function: it must be executable and name Node by its path in the runtime
 * (cloud.tencent.com/document/product/583/56126).
 */
function bootstrapFor(runtime: string): Buffer {
  const major = /^Nodejs(\d+)\./.exec(runtime)?.[1] ?? '20'
  return Buffer.from(`#!/bin/bash\nexec /var/lang/node${major}/bin/node index.js\n`)
}

async function bundled(wanted: DesiredFunction, outdir: string) {
  try {
    const storeDoor = storeDoorOf(wanted.variables.DATABASE_URL)
    return await bundleFunction(wanted.key, {
      storeDoor,
      outdir,
      functionType: wanted.type,
      codeCacheBy: findRuntimeNode(wanted.runtime),
      memorySizeMb: wanted.memorySize,
    })
  } catch (error) {
    // esbuild's messages name file and line; its stack helps nobody.
    if (error instanceof Error && 'errors' in error)
      throw new CommandProblem(`${wanted.key}: ${error.message}`)
    throw error
  }
}

export async function packageFunction(wanted: DesiredFunction, folder: string): Promise<Package> {
  if (!functionNames.includes(wanted.key))
    throw new CommandProblem(
      `${wanted.key}: there is no functions/${wanted.key} to package. There are: ${functionNames.join(', ')}.`,
    )
  const bundle = await bundled(wanted, join(folder, 'build'))
  const files: PackedFile[] = []
  for (const name of bundle.files)
    files.push({ name, data: await readFile(join(dirname(bundle.file), name)) })
  if (wanted.type === 'web')
    files.push({ name: 'scf_bootstrap', data: bootstrapFor(wanted.runtime), executable: true })
  const zip = await deterministicZip(files)
  const file = join(folder, `${wanted.key}.zip`)
  await mkdir(folder, { recursive: true })
  await writeFile(file, zip)
  return loaded(wanted.key, file, zip)
}

/** Takes a package made before. */
export async function readPackage(wanted: DesiredFunction, folder: string): Promise<Package> {
  const file = join(folder, `${wanted.key}.zip`)
  try {
    return loaded(wanted.key, file, await readFile(file))
  } catch {
    throw new CommandProblem(
      `${wanted.key}: there is no package at ${file}. Run "serverless package".`,
    )
  }
}
