/** Says when a file changes that is read only once, at the start. */

import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolder } from '../build/bundle.ts'
import type { Defer } from '../cli/closers.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 100

export async function watchSettings({
  folder = projectFolder,
  print,
  defer,
}: {
  folder?: string
  print: (line: string) => void
  defer: Defer
}): Promise<void> {
  const known = new Map([['serverless.yml', await contentOf(folder, 'serverless.yml')]])
  const timers = new Map<string, NodeJS.Timeout>()
  const look = async (file: string): Promise<void> => {
    const content = await contentOf(folder, file)
    if (known.has(file) && known.get(file) === content) return
    known.set(file, content)
    print(sentenceFor(file))
  }
  const watcher = watch(folder, (_event, file) => {
    if (file !== 'serverless.yml' && !/^\.env(\.|$)/.test(file ?? '')) return
    const name = String(file)
    clearTimeout(timers.get(name))
    timers.set(
      name,
      setTimeout(() => void look(name), SETTLE_MS),
    )
  })
  defer(() => {
    watcher.close()
    for (const timer of timers.values()) clearTimeout(timer)
  })
}

function sentenceFor(file: string): string {
  return file === 'serverless.yml'
    ? 'changed serverless.yml: restart to take it over (Ctrl-C, npm run dev)'
    : `changed ${file}: nothing to restart, stage local reads no .env file; its settings are in the environment npm run dev is started in`
}

async function contentOf(folder: string, file: string): Promise<string | undefined> {
  return readFile(path.join(folder, file), 'utf8').catch(() => undefined)
}
