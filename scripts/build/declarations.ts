/** What each function declares to need, in functions/<name>/parts.ts, and whether an environment gives it. */

import { existsSync } from 'node:fs'
import path from 'node:path'
import type { AnyParts } from '../../shared/wiring/compose.ts'
import { faultsOf } from '../../shared/wiring/compose.ts'
import { ConfigurationError } from '../../shared/wiring/configuration.ts'
import { projectFolder } from './bundle.ts'

/** The parts of each function that has a parts.ts, by the function's name. */
export type Declarations = ReadonlyMap<string, AnyParts>

/** Imports the declarations of these functions, which starts nothing. */
export async function readDeclarations(names: readonly string[]): Promise<Declarations> {
  const read = names
    .filter((name) => existsSync(path.join(projectFolder, 'functions', name, 'parts.ts')))
    .map(async (name): Promise<[string, AnyParts]> => {
      const { parts } = (await import(`../../functions/${name}/parts.ts`)) as { parts: AnyParts }
      return [name, parts]
    })
  return new Map(await Promise.all(read))
}

/** Before a local run: what the functions would refuse at their start. @throws {ConfigurationError} */
export async function refuseBadVariables(
  functions: readonly { name: string; variables: readonly string[] }[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const declarations = await readDeclarations(functions.map(({ name }) => name))
  const faults = functions.flatMap(({ name, variables }) =>
    faultsOf(
      declarations.get(name) ?? {},
      Object.fromEntries(variables.map((variable) => [variable, environment[variable]])),
    ),
  )
  const distinct = new Map(faults.map((fault) => [fault.variable, fault]))
  if (distinct.size > 0) throw new ConfigurationError([...distinct.values()])
}
