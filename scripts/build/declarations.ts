/** What each function declares to need, in functions/<name>/parts.ts, and whether an environment gives it. */

import { existsSync } from 'node:fs'
import path from 'node:path'
import type { AnyParts } from '../../shared/wiring/compose.ts'
import { faultsOf } from '../../shared/wiring/compose.ts'
import { ConfigurationError } from '../../shared/wiring/configuration.ts'
import { projectFolder } from './bundle.ts'

/** The parts of each function that has a parts.ts, by the function's name. */
export type Declarations = ReadonlyMap<string, AnyParts>

/** The names of timers by the function's name. */
export type AnsweredTimers = ReadonlyMap<string, readonly string[]>

/** What a parts.ts exports. */
interface PartsModule {
  parts: AnyParts
  /** Names of the timers that index.ts gives to `timersOf`. */
  timers?: readonly string[]
}

/** Imports the declarations of these functions, which starts nothing. */
export async function readDeclarations(names: readonly string[]): Promise<Declarations> {
  const modules = await readPartsModules(names)
  return new Map(modules.map(([name, { parts }]) => [name, parts]))
}

/** The names of the timers that each of these functions answers. */
export async function readAnsweredTimers(names: readonly string[]): Promise<AnsweredTimers> {
  const modules = await readPartsModules(names)
  return new Map(modules.map(([name, { timers = [] }]) => [name, timers]))
}

function readPartsModules(names: readonly string[]): Promise<[string, PartsModule][]> {
  const read = names
    .filter((name) => existsSync(path.join(projectFolder, 'functions', name, 'parts.ts')))
    .map(
      async (name): Promise<[string, PartsModule]> => [
        name,
        (await import(`../../functions/${name}/parts.ts`)) as PartsModule,
      ],
    )
  return Promise.all(read)
}

/** What the function would refuse at its start with these variables. @throws {ConfigurationError} */
export async function refuseBadVariables(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const faults = faultsOf((await readDeclarations([name])).get(name) ?? {}, environment)
  if (faults.length > 0) throw new ConfigurationError(faults)
}
