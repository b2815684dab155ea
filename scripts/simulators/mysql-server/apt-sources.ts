/** Reads the machine's apt sources, in both notations, for the mirrors it already uses. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface AptMirror {
  uri: string
  /** The keyring file that its entry names; otherwise apt's trusted keys decide. */
  keyring: string | undefined
}

export interface AptSourceFile {
  name: string
  text: string
}

interface Entry extends AptMirror {
  type: string
  components: string[]
  isEnabled: boolean
}

/** The files that apt itself would read below its `folder`. */
export async function readAptSources(folder: string): Promise<AptSourceFile[]> {
  const parts = join(folder, 'sources.list.d')
  const names = await readdir(parts).catch(() => [])
  const paths = [join(folder, 'sources.list'), ...names.sort().map((name) => join(parts, name))]
  const files = await Promise.all(
    paths
      .filter((path) => /\.(?:list|sources)$/.test(path))
      .map(async (name) => ({ name, text: await readFile(name, 'utf8').catch(() => '') })),
  )
  return files.filter(({ text }) => text !== '')
}

/**
 * The archives of packages among the sources, each once, in their order. Which of them are Debian's is
 * not to be seen from here; only those have a suite `sid`.
 */
export function mirrorsIn(files: readonly AptSourceFile[]): AptMirror[] {
  const entries = files.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? stanzas(text) : lines(text),
  )
  const mirrors = new Map<string, AptMirror>()
  for (const { type, uri, keyring, components, isEnabled } of entries) {
    if (type !== 'deb' || !isEnabled || !components.includes('main')) continue
    if (/^[a-z+]+:/.test(uri) && !uri.startsWith('cdrom:') && !mirrors.has(uri)) {
      mirrors.set(uri, { uri, keyring })
    }
  }
  return [...mirrors.values()]
}

/** `deb [signed-by=… arch=…] URI suite component…`, https://manpages.debian.org/sources.list.5 */
function lines(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const [, type, options = '', uri, words = ''] =
      /^\s*(\S+)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+([^#]*)/.exec(line) ?? []
    if (type === undefined || uri === undefined || type.startsWith('#')) return []
    const [, signedBy] = /(?:^|\s)signed-by=(\S+)/i.exec(options) ?? []
    const [, ...components] = words.trim().split(/\s+/)
    return [{ type, uri, keyring: keyringFile(signedBy), components, isEnabled: true }]
  })
}

/** Paragraphs of `Field: value`, where a line that begins with a blank goes on with the one before. */
function stanzas(text: string): Entry[] {
  const withoutComments = text.replace(/^#.*\n?/gm, '')
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>()
    for (const field of stanza.split(/\n(?!\s)/)) {
      const [, name, value] = /^([\w-]+):(.*)$/s.exec(field.trim()) ?? []
      if (name !== undefined && value !== undefined) fields.set(name.toLowerCase(), value.trim())
    }
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter(Boolean)
    const shared = {
      keyring: keyringFile(fields.get('signed-by')),
      components: words('components'),
      isEnabled: !/^(?:no|false|off|0)$/i.test(fields.get('enabled') ?? ''),
    }
    return words('types').flatMap((type) => words('uris').map((uri) => ({ type, uri, ...shared })))
  })
}

/** `signed-by` may also be a fingerprint or the key itself, which a file of ours need not repeat. */
function keyringFile(signedBy: string | undefined): string | undefined {
  return signedBy?.startsWith('/') && !/\s/.test(signedBy) ? signedBy : undefined
}
