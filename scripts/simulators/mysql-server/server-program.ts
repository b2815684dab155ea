/** A database server's program as it lies on this machine, before anything is started. */

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export const serverKinds = ['MariaDB', 'MySQL'] as const
export type ServerKind = (typeof serverKinds)[number]

export interface ServerProgram {
  kind: ServerKind
  /** What is run, with the options that must stand first. */
  command: readonly [program: string, ...options: string[]]
  /** Options that only this kind of server knows. */
  options: readonly string[]
  /** Makes the data of an empty server in `dataFolder`, which is not there yet. */
  createData(dataFolder: string): Promise<void>
}

/** A database server that root starts refuses to run unless it is told to. */
export const asThisUser: readonly string[] = process.getuid?.() === 0 ? ['--user=root'] : []

/** The file that runs as `name`; Debian keeps servers where a plain user's PATH does not look. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).concat('/usr/sbin', '/usr/local/sbin')
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
