/** The endpoints that the functions serve, as data. Importing them starts nothing: only `index.ts` is bound to a process. */

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import type { AnyEndpoint } from '../../shared/endpoint.ts'
import { functionNames, projectFolder } from '../build/bundle.ts'

/** An endpoint, and where it is served. */
export interface ServedEndpoint {
  endpoint: AnyEndpoint<never>
  /** The function whose folder its file lies in. */
  home: string
  /** Every function that serves it, the home first. */
  functions: readonly string[]
}

/** Every endpoint that some function's `endpoints.ts` imports, in the order of functions and imports. */
export async function readEndpoints(): Promise<ServedEndpoint[]> {
  const served = new Map<string, ServedEndpoint>()
  for (const functionName of functionNames) {
    for (const file of await endpointFiles(functionName)) {
      const exports = Object.values(await import(pathToFileURL(file).href))
      const home = path.basename(path.dirname(file))
      for (const endpoint of exports.filter(isEndpoint)) {
        const functions = served.get(endpoint.route)?.functions ?? []
        const all = [...functions, functionName].sort((a) => (a === home ? -1 : 1))
        served.set(endpoint.route, { endpoint, home, functions: all })
      }
    }
  }
  return [...served.values()]
}

/** Files of `functions/` that a function's list of endpoints imports, by esbuild's graph. */
async function endpointFiles(functionName: string): Promise<string[]> {
  const entry = `functions/${functionName}/endpoints.ts`
  const { metafile } = await build({
    absWorkingDir: projectFolder,
    entryPoints: [entry],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return (metafile.inputs[entry]?.imports ?? [])
    .map(({ path: file }) => file)
    .filter((file) => file.startsWith('functions/'))
    .map((file) => path.join(projectFolder, file))
}

function isEndpoint(value: unknown): value is AnyEndpoint<never> {
  return typeof value === 'object' && value !== null && 'route' in value && 'handle' in value
}
