/** Builds `shared/client` to a package: one file for mini programs, the same as an ES module, and types that stand alone. */

import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { type BuildOptions, build } from 'esbuild'
import { prepareOutdir, projectFolder } from './bundle.ts'
import { clientContract } from './client-contract.ts'

const entry = 'shared/client/index.ts'
/** WeChat's npm build wants CommonJS; written like this it needs none of esbuild's help for it. */
const commonJs = `import { ClientError, createAbort, createClient } from './${entry}'
module.exports = { ClientError, createAbort, createClient }`
const contractFile = path.join(projectFolder, 'shared/client/contract.ts')

/** Where the example mini program has the client, as 构建 npm would put it there. */
export const exampleClientFile = path.join(
  projectFolder,
  'test/miniprogram/miniprogram_npm/miniscore-client/index.js',
)

/** What was built. */
export interface BuiltClient {
  folder: string
  /** Size of `index.js`. */
  bytes: number
  /** Committed files that were behind the source and are not any more. */
  refreshed: string[]
}

/** esbuild's options for the client, but for where it goes. */
export function clientBundle(format: 'cjs' | 'esm'): BuildOptions {
  return {
    absWorkingDir: projectFolder,
    ...(format === 'esm'
      ? { entryPoints: [entry] }
      : { stdin: { contents: commonJs, resolveDir: projectFolder } }),
    format,
    bundle: true,
    platform: 'neutral',
    // Base libraries that people still have run on JavaScript engines of 2018.
    target: 'es2018',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
  }
}

/**
 * Writes `<outdir>/client/`. What is committed and follows from the source, the types of the endpoints and the client of the
 * example, is brought up to date with `refreshes`. @throws {Error} with the tool's messages
 */
export async function buildClient({
  outdir,
  refreshes = false,
}: {
  outdir: string
  refreshes?: boolean
}): Promise<BuiltClient> {
  const refreshed: string[] = []
  const refresh = async (file: string, text: string): Promise<void> => {
    if (!refreshes || (await readFile(file, 'utf8').catch(() => '')) === text) return
    await writeFile(file, text)
    refreshed.push(path.relative(projectFolder, file))
  }
  await refresh(contractFile, clientContract())
  const folder = path.resolve(projectFolder, outdir, 'client')
  await rm(folder, { recursive: true, force: true })
  await prepareOutdir(folder)
  await Promise.all([
    build({ ...clientBundle('cjs'), outfile: path.join(folder, 'index.js') }),
    build({ ...clientBundle('esm'), outfile: path.join(folder, 'index.mjs') }),
    writeTypes(folder),
  ])
  await writeFile(path.join(folder, 'package.json'), await manifest())
  const source = await readFile(path.join(folder, 'index.js'), 'utf8')
  await refresh(exampleClientFile, source)
  return { folder, bytes: Buffer.byteLength(source), refreshed }
}

async function writeTypes(folder: string): Promise<void> {
  const tsc = path.join(
    path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  )
  const options = ['--ignoreConfig', '--declaration', '--emitDeclarationOnly', '--strict']
  const language = ['--target', 'es2023', '--module', 'nodenext', '--skipLibCheck']
  const files = ['--allowImportingTsExtensions', '--types', 'node', '--outDir', folder, entry]
  await promisify(execFile)(process.execPath, [tsc, ...options, ...language, ...files], {
    cwd: projectFolder,
  }).catch(({ stdout, message }: { stdout?: string; message: string }) => {
    throw new Error(stdout || message)
  })
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.d.ts')) continue
    const file = path.join(folder, name)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"))
  }
}

/** WeChat's npm build takes the file at `main`, and only CommonJS. */
async function manifest(): Promise<string> {
  const { version, license } = JSON.parse(
    await readFile(path.join(projectFolder, 'package.json'), 'utf8'),
  ) as Record<string, unknown>
  return `${JSON.stringify(
    {
      name: 'miniscore-client',
      version,
      description: 'The client of miniscore for WeChat mini programs, Taro, uni-app and browsers.',
      license,
      type: 'commonjs',
      main: 'index.js',
      module: 'index.mjs',
      types: 'index.d.ts',
      exports: {
        '.': { types: './index.d.ts', import: './index.mjs', require: './index.js' },
        './package.json': './package.json',
      },
      sideEffects: false,
    },
    null,
    2,
  )}\n`
}
