/** Bundles each function to one CommonJS file, `<outdir>/<name>/index.js`, and all of them to a server. */

import { readdirSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import type { StoreDoor } from '../../shared/store/doors.ts'
import { compileAhead, type RuntimeNode } from './code-cache.ts'
import { checkedRatingForm } from './rating-form.ts'
import { slimMysql2 } from './slim-mysql2.ts'

export const projectFolder = fileURLToPath(new URL('../..', import.meta.url))

/** Every folder in functions/ is a function. */
export const functionNames: readonly string[] = readdirSync(path.join(projectFolder, 'functions'), {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

export interface BundleOptions {
  storeDoor: StoreDoor
  /** Receives `<name>/index.js`. */
  outdir: string
  sourcemap?: boolean
  minify?: boolean
  /** The file of another rating form. */
  ratingForm?: string
  /** For this machine alone: its log says in words what went wrong. */
  isLocalRun?: boolean
  /** What it is deployed as; an `event` function is left without the server it never starts. Default: for both. */
  functionType?: 'event' | 'web'
  /** Compiles it ahead as well, by the Node that it will run on; only for a bundle that is deployed. */
  codeCacheBy?: RuntimeNode | undefined
  /** What the function may use, MB. */
  memorySizeMb?: number
}

/** Up to here V8 keeps its young objects in little space: a third less memory, the same time per request. */
const SMALL_MEMORY_MB = 256

export interface Bundle {
  name: string
  file: string
  /** What is uploaded: names in the folder of `file`, which comes first. */
  files: readonly string[]
  bytes: number
  metafile: Metafile
}

/** esbuild's options for one function; the platform's entry must be CommonJS. */
export function bundleSettings(
  name: string,
  options: BundleOptions,
): BuildOptions & { outfile: string } {
  const {
    storeDoor,
    outdir,
    sourcemap = false,
    minify = true,
    ratingForm,
    isLocalRun = false,
    functionType,
    memorySizeMb,
  } = options
  const isSmall = memorySizeMb !== undefined && memorySizeMb <= SMALL_MEMORY_MB
  return {
    absWorkingDir: projectFolder,
    entryPoints: [`functions/${name}/index.ts`],
    outfile: path.resolve(projectFolder, outdir, name, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    conditions: ['import', 'module', 'node'],
    define: {
      'globalThis.STORE_DOOR': JSON.stringify(storeDoor),
      'globalThis.IS_LOCAL_RUN': String(isLocalRun),
      'globalThis.FUNCTION_TYPE': JSON.stringify(functionType ?? 'any'),
    },
    ...(isSmall ? { banner: { js: HOLD_SEMI_SPACE } } : {}),
    // `node index.js` is a server; `require('index.js')` starts nothing.
    footer: functionType === 'event' ? {} : { js: RUN_AS_PROGRAM },
    plugins: [checkedRatingForm(ratingForm), ...(storeDoor === 'mysql' ? [slimMysql2()] : [])],
    minify,
    // Drops the import of the other database driver, which `define` made dead code.
    minifySyntax: true,
    sourcemap,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  }
}

/** Makes a folder for bundles whose files Node takes for CommonJS, whatever folder it lies in. */
export async function prepareOutdir(outdir: string): Promise<void> {
  const folder = path.resolve(projectFolder, outdir)
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'package.json'), '{ "type": "commonjs" }\n')
}

const RUN_AS_PROGRAM = 'if (require.main === module) module.exports.main_handler.runWeb()'
const HOLD_SEMI_SPACE = "require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');"

/** Bundles one function. @throws {Error} with esbuild's messages */
export async function bundleFunction(name: string, options: BundleOptions): Promise<Bundle> {
  if (!functionNames.includes(name)) {
    throw new Error(`There is no function "${name}". There are: ${functionNames.join(', ')}.`)
  }
  const settings = bundleSettings(name, options)
  await prepareOutdir(options.outdir)
  const { metafile } = await build({ ...settings, metafile: true })
  const file = settings.outfile
  const { size: bytes } = await stat(file)
  const files = options.codeCacheBy ? await compileAhead(file, options.codeCacheBy) : ['index.js']
  return { name, file, files, bytes, metafile }
}

/** Bundles all functions as one server, `<outdir>/server/index.js`. @throws {Error} with esbuild's messages */
export async function bundleServer(options: BundleOptions): Promise<Bundle> {
  const { entryPoints, footer, ...settings } = bundleSettings(SERVER, options)
  const stdin = { contents: serverEntry(), sourcefile: 'server.js', resolveDir: projectFolder }
  await prepareOutdir(options.outdir)
  const { metafile } = await build({ ...settings, stdin, metafile: true })
  const file = settings.outfile
  const { size: bytes } = await stat(file)
  return { name: SERVER, file, files: ['index.js'], bytes, metafile }
}

const SERVER = 'server'

/** The only list of all functions is their folder. */
function serverEntry(): string {
  const declared = functionNames.map((name, index) => ({
    imports: ['parts', 'endpoints'].map(
      (what) => `import { ${what} as ${what}${index} } from './functions/${name}/${what}.ts'`,
    ),
    declaration: `{ parts: parts${index}, endpoints: endpoints${index} }`,
  }))
  return [
    "import { runAllFunctions } from './shared/transport/server/all-functions.ts'",
    ...declared.flatMap(({ imports }) => imports),
    `runAllFunctions([${declared.map(({ declaration }) => declaration).join(', ')}])`,
  ].join('\n')
}

/** What a bundle holds: bytes by package, own code under `miniscore`, largest first. */
export function contentsOf({ metafile }: Bundle): { part: string; bytes: number }[] {
  const sizes = new Map<string, number>()
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const part = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? 'miniscore'
      sizes.set(part, (sizes.get(part) ?? 0) + bytesInOutput)
    }
  }
  return [...sizes]
    .map(([part, bytes]) => ({ part, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
}
