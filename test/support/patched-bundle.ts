/**
 * The bundles as they are built, run inside the test: with an environment, a clock and a log of their own for each instance,
 * and, for a drill that is tried on a broken build, with one control taken out of the sources as they are bundled.
 */

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { bundleSettings, projectFolder } from '../../scripts/build/bundle.ts'
import type { StoreDoor } from '../../shared/store/doors.ts'
import type { MainHandler } from '../../shared/transport/invocation.ts'

/** A change of one source file, `find` being there once. */
export interface Patch {
  /** From the project's folder, `shared/authority.ts`. */
  file: string
  find: string
  put: string
}

/** What a drill is tried on beside the sources as they stand. */
export interface BrokenBuild {
  /** What was taken out, in words. */
  name: string
  patches: readonly Patch[]
}

/** An instance's surroundings. */
export interface Surroundings {
  environment: Readonly<Record<string, string>>
  onLine?: (line: string) => void
  /** Milliseconds by its clock; the machine's unless told. */
  now?: () => number
}

/** Starts an instance of a bundle. */
export type StartInstance = (surroundings: Surroundings) => { main_handler: MainHandler }

/** Bundles functions with the patches. @throws {Error} when a patch fits nothing any more */
export async function buildFunctions(
  names: readonly string[],
  { storeDoor, patches = [] }: { storeDoor: StoreDoor; patches?: readonly Patch[] },
): Promise<Map<string, StartInstance>> {
  const applied = new Set<Patch>()
  const started = new Map<string, StartInstance>()
  for (const name of names) {
    // As deployed but for the names, which a stack is easier to read with.
    const settings = bundleSettings(name, { storeDoor, outdir: 'dist/drills', minify: false })
    const code = await bundleText({ ...settings, metafile: false }, patches, applied)
    started.set(name, (surroundings) => evaluate(code, surroundings) as never)
  }
  assertApplied(patches, applied)
  return started
}

/**
 * Modules with the patches and everything they import, as one; packages come from where they always do. What `import.meta.url`
 * says is the first module's.
 */
export async function loadPatched<Exports>(
  files: readonly [string, ...string[]],
  patches: readonly Patch[],
): Promise<Exports> {
  const applied = new Set<Patch>()
  const settings: BuildOptions = {
    absWorkingDir: projectFolder,
    stdin: {
      contents: files.map((file) => `export * from './${file}'`).join('\n'),
      resolveDir: projectFolder,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(projectFolder + files[0]).href) },
    logLevel: 'silent',
  }
  const code = await bundleText(settings, patches, applied)
  assertApplied(patches, applied)
  return evaluate(code, { environment: {} }) as Exports
}

async function bundleText(
  settings: BuildOptions,
  patches: readonly Patch[],
  applied: Set<Patch>,
): Promise<string> {
  const plugins = [patchSources(patches, applied), ...(settings.plugins ?? [])]
  const { outputFiles } = await build({ ...settings, plugins, write: false })
  return outputFiles?.[0]?.text ?? ''
}

function patchSources(patches: readonly Patch[], applied: Set<Patch>): Plugin {
  return {
    name: 'patch-sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path: source }) => {
        const file = path.relative(projectFolder, source)
        const own = patches.filter((patch) => patch.file === file)
        if (own.length === 0) return undefined
        let contents = await readFile(source, 'utf8')
        for (const patch of own) {
          const pieces = contents.split(patch.find)
          if (pieces.length !== 2) throw new Error(`${file}: not there once: ${patch.find}`)
          contents = pieces.join(patch.put)
          applied.add(patch)
        }
        return { contents, loader: 'ts' }
      })
    },
  }
}

function assertApplied(patches: readonly Patch[], applied: ReadonlySet<Patch>): void {
  const left = patches.find((patch) => !applied.has(patch))
  if (left) throw new Error(`${left.file} is in none of the bundles`)
}

const requireHere = createRequire(import.meta.url)

function evaluate(code: string, { environment, onLine = () => {}, now }: Surroundings): unknown {
  const own = Object.create(process, { env: { value: { ...environment } } }) as typeof process
  const module = { exports: {} }
  const run = compileFunction(code, ['module', 'exports', 'require', 'process', 'console', 'Date'])
  run(module, module.exports, requireHere, own, { ...console, log: onLine }, now ? by(now) : Date)
  return module.exports
}

/** A `Date` that tells the time of a clock. */
function by(now: () => number): typeof Date {
  return class extends Date {
    constructor(...given: [] | [number]) {
      super(...((given.length === 0 ? [now()] : given) as [number]))
    }
    static override now(): number {
      return now()
    }
  } as typeof Date
}
