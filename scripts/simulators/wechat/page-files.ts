/** The files of the page at `/`: from their folder here, from inside the one file when bundled (see `bundle.ts`). */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Content by name. */
export type PageFiles = Record<
  'page.html' | 'page.css' | 'lists.css' | 'page.js' | 'icon.svg',
  string
>

const folder = new URL('browser/', import.meta.url)

/** Reads the page and compiles its script, anew each time, so that a reload shows a change. */
export async function readPageFiles(): Promise<PageFiles> {
  const { build } = await import('esbuild')
  const text = (name: string) => readFile(new URL(name, folder), 'utf8')
  const [html, css, listsCss, icon, { outputFiles }] = await Promise.all([
    text('page.html'),
    text('page.css'),
    text('lists.css'),
    text('icon.svg'),
    build({
      entryPoints: [fileURLToPath(new URL('page.ts', folder))],
      bundle: true,
      format: 'iife',
      target: 'es2022',
      charset: 'utf8',
      write: false,
      logLevel: 'silent',
    }),
  ])
  const script = outputFiles[0]?.text ?? ''
  return {
    'page.html': html,
    'page.css': css,
    'lists.css': listsCss,
    'page.js': script,
    'icon.svg': icon,
  }
}
