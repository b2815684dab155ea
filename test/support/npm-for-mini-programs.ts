/**
 * What "构建 npm" of WeChat's DevTools does with the packages a mini program depends on: a folder named by `miniprogram`
 * is copied, else the file at `main` is bundled, and only CommonJS.
 * https://developers.weixin.qq.com/miniprogram/dev/devtools/npm.html
 */

import { access, cp, readFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'

/** Fills `miniprogram_npm/` of a project. @throws {Error} in the words of the tool */
export async function packForMiniProgram(project: string): Promise<void> {
  const { dependencies = {} } = await readManifest(project)
  for (const name of Object.keys(dependencies)) {
    const packed = path.join(project, 'node_modules', name)
    const target = path.join(project, 'miniprogram_npm', name)
    const { miniprogram, main = 'index.js' } = await readManifest(packed)
    if (miniprogram) await cp(path.join(packed, miniprogram), target, { recursive: true })
    else await bundle(name, path.join(packed, main), target)
  }
}

async function bundle(name: string, entry: string, target: string): Promise<void> {
  await access(entry).catch(() => {
    throw new Error(`${name}: entry file is not found`)
  })
  const source = await readFile(entry, 'utf8')
  if (/^(import|export)\b|[;}](import|export)[ {]/m.test(source)) {
    throw new Error(`${name}: the entry is no CommonJS`)
  }
  const outfile = path.join(target, 'index.js')
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'cjs', platform: 'neutral' })
}

async function readManifest(folder: string) {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
    miniprogram?: string
    main?: string
  }
}
