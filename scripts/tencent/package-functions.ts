/**
 * Bundles and zips functions: `<folder>/<function>.zip` with index.js at its root, and `<function>.json` that says what it
 * was made for. No network, no credentials.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { type StoreDoor, storeDoorOf, storeDoors } from '../../shared/store/doors.ts'
import { type AnyParts, faultsOf } from '../../shared/wiring/compose.ts'
import { bundleFunction, functionNames } from '../build/bundle.ts'
import type { Declarations } from '../build/declarations.ts'
import { CommandProblem } from '../cli/problem.ts'
import type { DesiredFunction } from '../service/service.ts'
import { findRuntimeNode } from './runtime-node.ts'
import { deterministicZip, type PackedFile } from './zip.ts'

/** What a package was made for, written beside it: a deploy on another machine, or of another stage, checks it. */
export interface PackageRecord {
  /** SHA-256, hexadecimal, of the zip. */
  sha256: string
  /** The database driver it carries. */
  storeDoor: StoreDoor
  /** Variables without which it answers every request with 500. */
  needs: readonly string[]
}

export interface Package {
  key: string
  file: string
  zip: Buffer
  sha256: string
  /** Undefined when there is none, or what is there is none. */
  record: PackageRecord | undefined
}

function digestOf(zip: Buffer): string {
  return createHash('sha256').update(zip).digest('hex')
}

const PackageRecordSchema = v.object({
  sha256: v.string(),
  storeDoor: v.picklist(storeDoors),
  needs: v.array(v.string()),
})

function recordFile(key: string, folder: string): string {
  return join(folder, `${key}.json`)
}

/** Writes the zip and its record. `parts`: what the function declares to need. */
export async function writePackage(
  {
    key,
    zip,
    storeDoor,
    parts,
  }: { key: string; zip: Buffer; storeDoor: StoreDoor; parts: AnyParts },
  folder: string,
): Promise<Package> {
  const file = join(folder, `${key}.zip`)
  const missing = faultsOf(parts, {}).filter(({ code }) => code === 'missing')
  const needs = missing.map(({ variable }) => variable).sort()
  const record = { sha256: digestOf(zip), storeDoor, needs }
  await mkdir(folder, { recursive: true })
  await writeFile(file, zip)
  await writeFile(recordFile(key, folder), `${JSON.stringify(record, null, 2)}\n`)
  return { key, file, zip, sha256: record.sha256, record }
}

/**
 * What starts a Web function: it must be executable and name Node by its path in the runtime
 * (cloud.tencent.com/document/product/583/56126).
 */
export function bootstrapFor(runtime: string): Buffer {
  const major = /^Nodejs(\d+)\./.exec(runtime)?.[1] ?? '20'
  return Buffer.from(`#!/bin/bash\nexec /var/lang/node${major}/bin/node index.js\n`)
}

async function bundled(
  { key, type, runtime, memorySize }: DesiredFunction,
  storeDoor: StoreDoor,
  outdir: string,
) {
  try {
    return await bundleFunction(key, {
      storeDoor,
      outdir,
      functionType: type,
      codeCacheBy: findRuntimeNode(runtime),
      memorySizeMb: memorySize,
    })
  } catch (error) {
    // esbuild's messages name file and line; its stack helps nobody.
    if (error instanceof Error && 'errors' in error)
      throw new CommandProblem(`${key}: ${error.message}`)
    throw error
  }
}

export async function packageFunction(
  wanted: DesiredFunction,
  { folder, declarations }: { folder: string; declarations: Declarations },
): Promise<Package> {
  if (!functionNames.includes(wanted.key))
    throw new CommandProblem(
      `${wanted.key}: there is no functions/${wanted.key} to package. There are: ${functionNames.join(', ')}.`,
    )
  const storeDoor = storeDoorOf(wanted.variables.DATABASE_URL)
  const bundle = await bundled(wanted, storeDoor, join(folder, 'build'))
  const files: PackedFile[] = []
  for (const name of bundle.files)
    files.push({ name, data: await readFile(join(dirname(bundle.file), name)) })
  if (wanted.type === 'web')
    files.push({ name: 'scf_bootstrap', data: bootstrapFor(wanted.runtime), executable: true })
  const zip = await deterministicZip(files)
  const parts = declarations.get(wanted.key) ?? {}
  return writePackage({ key: wanted.key, zip, storeDoor, parts }, folder)
}

/** Takes a package made before, with its record. */
export async function readPackage(wanted: DesiredFunction, folder: string): Promise<Package> {
  const { key } = wanted
  const file = join(folder, `${key}.zip`)
  const zip = await readFile(file).catch(() => {
    throw new CommandProblem(`${key}: there is no package at ${file}. Run "serverless package".`)
  })
  const text = await readFile(recordFile(key, folder), 'utf8').catch(() => '')
  return { key, file, zip, sha256: digestOf(zip), record: recordIn(text) }
}

function recordIn(text: string): PackageRecord | undefined {
  try {
    return v.parse(PackageRecordSchema, JSON.parse(text))
  } catch {
    return undefined
  }
}
