/** Builds `shared/client` to a package: one file for mini programs, the same as an ES module, and types that stand alone. */

import { execFile } from 'node:child_process'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
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

/** What was built. */
export interface BuiltClient {
  folder: string
  /** Size of `index.js`. */
  bytes: number
  /** Whether `contract.ts` had to be written anew. */
  contractChanged: boolean
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

/** Writes `<outdir>/client/`; the types follow the endpoints as they are now. @throws {Error} with the tool's messages */
export async function buildClient({ outdir }: { outdir: string }): Promise<BuiltClient> {
  const contractChanged = await writeContract()
  const folder = path.resolve(projectFolder, outdir, 'client')
  await rm(folder, { recursive: true, force: true })
  await prepareOutdir(folder)
  await Promise.all([
    build({ ...clientBundle('cjs'), outfile: path.join(folder, 'index.js') }),
    build({ ...clientBundle('esm'), outfile: path.join(folder, 'index.mjs') }),
    writeTypes(folder),
  ])
  await writeFile(path.join(folder, 'package.json'), await manifest())
  const { size } = await stat(path.join(folder, 'index.js'))
  return { folder, bytes: size, contractChanged }
}

async function writeContract(): Promise<boolean> {
  const contract = clientContract()
  if ((await readFile(contractFile, 'utf8').catch(() => '')) === contract) return false
  await writeFile(contractFile, contract)
  return true
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
