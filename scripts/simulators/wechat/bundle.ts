import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { CommandProblem } from '../../cli/problem.ts'
import { readPageFiles } from './page-files.ts'

const HEADER = `// The offline WeChat of miniscore: a simulator of api.weixin.qq.com. MIT licence.
// Needs Node 20.19 or later and nothing else. Contains valibot (MIT, Copyright (c) Fabian Hiller).
//   node offline-wechat.cjs --help`

/**
 * Writes the offline WeChat as one CommonJS file that needs nothing beside it, its page included. Gives the size in bytes.
 * @throws {CommandProblem} when the file cannot be CommonJS by its name
 */
export async function bundleOfflineWeChat(file: string): Promise<number> {
  if (!file.endsWith('.cjs')) {
    throw new CommandProblem(`--bundle takes a file that ends in .cjs, not "${file}".`)
  }
  const { build } = await import('esbuild')
  await mkdir(path.dirname(path.resolve(file)), { recursive: true })
  await build({
    entryPoints: [fileURLToPath(new URL('program.ts', import.meta.url))],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    charset: 'utf8',
    banner: { js: HEADER },
    footer: { js: 'if (require.main === module) module.exports.runProgram()' },
    plugins: [ownPage()],
    logLevel: 'silent',
  })
  return (await stat(file)).size
}

/** The page is read from the file itself: there is no folder beside it, and no compiler. */
function ownPage(): Plugin {
  return {
    name: 'own-page',
    setup({ onLoad }) {
      onLoad({ filter: /[/\\]wechat[/\\]page-files\.ts$/ }, async () => ({
        loader: 'js',
        contents: `const files = ${JSON.stringify(await readPageFiles())}
export async function readPageFiles() { return files }`,
      }))
    },
  }
}
