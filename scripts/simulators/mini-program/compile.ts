/**
 * A native mini program's folder as one page for a browser: WXML by WeChat's own compiler, WXSS by a small rewrite, JS by
 * esbuild, run by glass-easel, WeChat's own component framework. `browser/runtime.ts` is the rest of WeChat.
 */

import { access, readFile } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { TmplGroup } from 'glass-easel-template-compiler'
import { projectFolder } from '../../build/bundle.ts'
import type { CompiledComponent } from './browser/compiled-component.ts'

/** A mini program ready for a browser. */
export interface CompiledMiniProgram {
  html: string
  script: string
}

interface AppConfig {
  pages: string[]
  usingComponents?: Record<string, string>
  window?: { navigationBarTitleText?: string }
}

const browserFolder = path.join(projectFolder, 'scripts/simulators/mini-program/browser')

/** Compiles the mini program in `folder`. @throws {Error} naming the file that cannot be compiled */
export async function compileMiniProgram(folder: string): Promise<CompiledMiniProgram> {
  const app = JSON.parse(await readFile(path.join(folder, 'app.json'), 'utf8')) as AppConfig
  const components = await readComponents(folder, app)
  const lines = [
    `import { startMiniProgram } from ${JSON.stringify(path.join(browserFolder, 'runtime.ts'))}`,
    `startMiniProgram(${JSON.stringify({
      title: app.window?.navigationBarTitleText ?? '',
      firstPage: app.pages[0],
      style: browserStyle(await readOptional(path.join(folder, 'app.wxss')), ''),
    })}, () => require(${JSON.stringify(path.join(folder, 'app.js'))}), [`,
  ]
  for (const component of components) {
    const template = await compileTemplate(folder, component.path)
    const script = JSON.stringify(path.join(folder, `${component.path}.js`))
    lines.push(
      `{ ...${JSON.stringify(component)}, template: ${template}, load: () => require(${script}) },`,
    )
  }
  lines.push('])')
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: projectFolder },
    bundle: true,
    format: 'iife',
    minify: true,
    charset: 'utf8',
    write: false,
    logLevel: 'silent',
    // Its CommonJS build is for Node; this one holds the template runtime too.
    alias: {
      'glass-easel': path.join(
        projectFolder,
        'node_modules/glass-easel/dist/glass_easel.all.es.js',
      ),
    },
    plugins: [
      {
        name: 'miniprogram-npm',
        setup: ({ onResolve }) => {
          onResolve({ filter: /^[a-z@]/ }, async ({ path: name, importer }) => {
            if (!importer.startsWith(folder)) return undefined
            const packed = path.join(folder, 'miniprogram_npm', name, 'index.js')
            await access(packed)
            return { path: packed }
          })
        },
      },
    ],
  })
  const base = await readFile(path.join(browserFolder, 'base.css'), 'utf8')
  return {
    script: outputFiles[0]?.text ?? '',
    html: `<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${app.window?.navigationBarTitleText ?? ''}</title>
<style>${base}</style>
<header id="navigation"><button id="back" aria-label="返回"></button><h1 id="title"></h1></header>
<main id="pages"></main>
<script src="bundle.js"></script>
</html>
`,
  }
}

/** All pages and components, each after those that it uses. */
async function readComponents(folder: string, app: AppConfig): Promise<CompiledComponent[]> {
  const found: CompiledComponent[] = []
  const seen = new Set<string>()
  const add = async (name: string, isPage: boolean): Promise<void> => {
    if (seen.has(name)) return
    seen.add(name)
    const json = JSON.parse((await readOptional(path.join(folder, `${name}.json`))) || '{}') as {
      usingComponents?: Record<string, string>
    }
    const used = Object.entries({ ...app.usingComponents, ...json.usingComponents })
    const usingComponents = Object.fromEntries(
      used.map(([tag, target]) => [
        tag,
        target.startsWith('/') ? target : path.posix.join('/', path.posix.dirname(name), target),
      ]),
    )
    for (const target of Object.values(usingComponents)) await add(target.slice(1), false)
    const classPrefix = isPage ? '' : `${path.posix.basename(name)}--`
    const style = browserStyle(await readOptional(path.join(folder, `${name}.wxss`)), classPrefix)
    found.push({ path: name, isPage, config: { ...json, usingComponents }, style, classPrefix })
  }
  for (const page of app.pages) await add(page, true)
  return found
}

async function compileTemplate(folder: string, name: string): Promise<string> {
  const source = await readFile(path.join(folder, `${name}.wxml`), 'utf8')
  const group = new TmplGroup()
  try {
    const written = source
      // glass-easel knows events by their full spelling only.
      .replace(/\s(bind|catch)(?=[a-z]+\s*=)/g, ' $1:')
      .replace(/\saria-role=/g, ' role=')
    const problems = group.addTmpl(name, written) as { message: string; level: number }[]
    const [problem] = problems
    if (problem) throw new Error(`${name}.wxml: ${problem.message}`)
    const groups = group.getTmplGenObjectGroups()
    return `(() => { const groupList = ${groups}; return { groupList, content: groupList[${JSON.stringify(name)}] } })()`
  } finally {
    group.free()
  }
}

const BUILT_IN_TAG = /(^|[\s,>+~}])(view|text|button|input|textarea|image)(?=[\s,.:#>+~{[])/g

/** WXSS as CSS: rpx as a share of the screen's width, built-in tags and the page by the names they have in the browser. */
export function browserStyle(wxss: string, classPrefix: string): string {
  return wxss
    .replace(/(-?[\d.]+)rpx/g, (_match, length) => `calc(var(--rpx) * ${length})`)
    .replace(/([^{}]+)\{/g, (rule, selector: string) => {
      if (selector.trim().startsWith('@')) return rule
      const renamed = selector
        .replace(BUILT_IN_TAG, '$1wx-$2')
        .replace(/(^|[\s,])page(?=[\s,{:.]|$)/g, '$1body')
      return `${classPrefix ? renamed.replace(/\.([A-Za-z_][\w-]*)/g, `.${classPrefix}$1`) : renamed}{`
    })
}

async function readOptional(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}
