/** Broken variants of the real code: a source file with a line of it changed, bundled and imported. */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import {
  type BundleOptions,
  bundleSettings,
  prepareOutdir,
  projectFolder,
} from '../../scripts/build/bundle.ts'

/** What is changed in one file, `shared/session/token.ts`: the first `from` becomes `to`. */
export interface Patch {
  file: string
  from: string | RegExp
  to: string
}

/** Imports `entry` (from the project's folder) as it would be with these changes. Throws when there is nothing to change. */
export async function importPatched<Module>(
  entry: string,
  patches: readonly Patch[],
): Promise<Module> {
  const name = createHash('sha256')
    .update(JSON.stringify([entry, patches.map(spell)]))
    .digest('hex')
  const outfile = path.join(projectFolder, 'dist/drills', `${name.slice(0, 16)}.mjs`)
  await build({
    entryPoints: [path.join(projectFolder, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages are the project's own; a bundled CommonJS one would ask for a require there is not.
    packages: 'external',
    logLevel: 'silent',
    plugins: [patching(patches)],
  })
  return (await import(pathToFileURL(outfile).href)) as Module
}

function spell({ file, from, to }: Patch): string[] {
  return [file, String(from), to]
}

/** Bundles a function as `bundleFunction` does, with these changes. */
export function bundlePatched(patches: readonly Patch[]) {
  return async (name: string, options: BundleOptions): Promise<{ file: string }> => {
    const { plugins = [], ...settings } = bundleSettings(name, options)
    await prepareOutdir(options.outdir)
    await build({ ...settings, plugins: [patching(patches), ...plugins] })
    return { file: settings.outfile }
  }
}

/** For a bundler: the same changes. */
function patching(patches: readonly Patch[]): Plugin {
  return {
    name: 'broken-variant',
    setup({ onLoad }) {
      for (const file of new Set(patches.map((patch) => patch.file))) {
        const full = path.join(projectFolder, file)
        const filter = new RegExp(`${full.replaceAll(/[.\\/]/g, '\\$&')}$`)
        onLoad({ filter }, async () => {
          let contents = await readFile(full, 'utf8')
          for (const { from, to } of patches.filter((patch) => patch.file === file)) {
            const changed = contents.replace(from, () => to)
            if (changed === contents) throw new Error(`${file} has nothing like ${from}`)
            contents = changed
          }
          return { contents, loader: 'ts' }
        })
      }
    },
  }
}
