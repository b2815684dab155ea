/** Regular expressions as they stand in the sources, and whether some text makes one of them slow. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { check } from 'recheck'
import { parseAst } from 'vite'
import { projectFolder } from '../../scripts/build/bundle.ts'

export interface Pattern {
  /** From the project's folder. */
  file: string
  source: string
  flags: string
}

/** Every regular expression literal of a TypeScript text. */
export function patternsOf(text: string, file: string): Pattern[] {
  const found: Pattern[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if ('regex' in node) {
      const { pattern, flags } = node.regex as { pattern: string; flags: string }
      found.push({ file, source: pattern, flags })
      return
    }
    for (const each of Object.values(node)) walk(each)
  }
  walk(parseAst(text, { lang: 'ts' }))
  return found
}

/** Those of folders of the project, each pattern once. */
export function patternsIn(folders: readonly string[]): Pattern[] {
  const found = folders.flatMap((folder) =>
    readdirSync(path.join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => {
        const file = path.join(folder, name)
        return patternsOf(readFileSync(path.join(projectFolder, file), 'utf8'), file)
      }),
  )
  return [...new Map(found.map((each) => [`/${each.source}/${each.flags}`, each])).values()]
}

/** Why a pattern is slow, or undefined when it is not. */
export async function slowness({ source, flags }: Pattern): Promise<string | undefined> {
  const result = await check(source, flags, { timeout: 20_000 })
  if (result.status === 'safe') return undefined
  return result.status === 'vulnerable' ? result.complexity.summary : 'cannot be judged'
}
