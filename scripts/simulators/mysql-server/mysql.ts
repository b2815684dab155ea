/**
 * Oracle's MySQL, not MariaDB under its name: the one installed on this machine, or else the one that
 * `npm run mysql -- get` unpacked into the project's data folder. Nothing is downloaded here.
 */

import { execFileSync } from 'node:child_process'
import { constants, existsSync, readdirSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataFolder } from '../../cli/data-folder.ts'
import {
  asThisUser,
  findProgram,
  mysqldOptions,
  runProgram,
  type ServerProgram,
} from './server-program.ts'

/** Where MySQL is unpacked to, and an empty server's data are kept; git does not see it. */
export const mySqlFolder = join(dataFolder, 'mysql')
/** Inside of it: the root that packages are unpacked into. */
export const UNPACKED = 'root'

/** The stores lean on nothing older. */
const LEAST_MAJOR_VERSION = 8

export interface MySqlProgram extends ServerProgram {
  kind: 'MySQL'
  version: string
  /** Whose it is: the machine's own, or the one brought into the project's data folder. */
  origin: 'installed' | 'brought'
}

export interface MySqlPlaces {
  /** The `mysqld` that the machine has, if any; it may be MariaDB's. */
  installed: string | undefined
  /** Where another one was brought to, perhaps. */
  folder: string
}

/** @returns undefined when this machine has no MySQL and none was brought */
export function findMySql(
  { installed, folder }: MySqlPlaces = { installed: findProgram('mysqld'), folder: mySqlFolder },
): MySqlProgram | undefined {
  const candidates: [MySqlProgram['origin'], MySqlProgram['command'] | undefined][] = [
    ['installed', installed === undefined ? undefined : [installed, '--no-defaults']],
    ['brought', broughtCommand(join(folder, UNPACKED))],
  ]
  for (const [origin, command] of candidates) {
    const version = command && versionOf(command)
    if (!command || version === undefined) continue
    return {
      kind: 'MySQL',
      command,
      version,
      origin,
      optionsFor: (places) => [...mysqldOptions(places), '--loose-mysqlx=OFF', ...dataOptions],
      async createData(emptyFolder) {
        const kept = join(folder, `data-${version}`)
        if (!existsSync(kept)) await initialise(command, kept, folder)
        await cp(kept, emptyFolder, { recursive: true, mode: constants.COPYFILE_FICLONE })
      },
    }
  }
  return undefined
}

/**
 * The command of a server unpacked under `root`: it needs a newer C library than the machine may
 * have, so it runs by the dynamic linker it came with. @returns undefined when none is there
 */
function broughtCommand(root: string): MySqlProgram['command'] | undefined {
  const server = join(root, 'usr/sbin/mysqld')
  if (!existsSync(server)) return undefined
  const libraries = readdirSync(join(root, 'usr/lib')).find((name) => name.includes('-linux-gnu'))
  const folder = join(root, 'usr/lib', libraries ?? '')
  const linker = readdirSync(folder).find((name) => name.startsWith('ld-linux'))
  if (linker === undefined) return undefined
  const share = join(root, 'usr/share/mysql')
  return [
    join(folder, linker),
    '--library-path',
    [folder, join(root, 'usr/lib/mysql/private')].join(':'),
    server,
    '--no-defaults',
    `--basedir=${join(root, 'usr')}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
  ]
}

/** @returns undefined for MariaDB, which installs itself as `mysqld` too, and for what is too old or does not run */
function versionOf([program, ...options]: MySqlProgram['command']): string | undefined {
  let answer: string
  try {
    const args = [...options, '--version']
    answer = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
  const [, version, major] = /\bVer (([0-9]+)\.[\w.~+-]+)/.exec(answer) ?? []
  if (/mariadb/i.test(answer) || Number(major) < LEAST_MAJOR_VERSION) return undefined
  return version
}

// `loose`: before 8.0.30 the redo log was sized otherwise, and X Plugin need not be compiled in.
const dataOptions = [
  '--loose-innodb-redo-log-capacity=16M',
  '--skip-log-bin',
  '--secure-file-priv=NULL',
]

/** Takes seconds, so it is done once and copied for every server; made aside, so that it is there whole or not at all. */
async function initialise(
  [program, ...options]: MySqlProgram['command'],
  kept: string,
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const aside = await mkdtemp(join(folder, 'making-'))
  try {
    const made = join(aside, 'data')
    const making = ['--initialize-insecure', `--datadir=${made}`, ...dataOptions]
    await runProgram(program, [...options, ...asThisUser, ...making])
    await rename(made, kept).catch((error: unknown) => {
      // Another run made it meanwhile.
      if (!existsSync(kept)) throw error
    })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
