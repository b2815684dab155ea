/** A database server's program as it lies on this machine, before anything is started. */

import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export const serverKinds = ['MariaDB', 'MySQL', 'TiDB'] as const
export type ServerKind = (typeof serverKinds)[number]

/** What a server is given of its own. */
export interface ServerPlaces {
  dataFolder: string
  temporaryFolder: string
  socketPath: string
  /** SQL that is run before anybody is let in. */
  initPath: string
  pidPath: string
  port: number
}

export interface ServerProgram {
  kind: ServerKind
  /** What is run, with the options that must stand first. */
  command: readonly [program: string, ...options: string[]]
  /** Behind the command: serve these places, on loopback only, strictly. Whoever starts it may add some of their own. */
  optionsFor(places: ServerPlaces): readonly string[]
  /** Makes the data of an empty server in `dataFolder`, which is not there yet. */
  createData(dataFolder: string): Promise<void>
}

const STRICT_MODES =
  'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'

/** What MariaDB's and MySQL's `mysqld` understand alike. */
export function mysqldOptions(places: ServerPlaces): string[] {
  return [
    ...asThisUser,
    `--datadir=${places.dataFolder}`,
    // A server that starts takes away temporary tables it finds, whosever they are.
    `--tmpdir=${places.temporaryFolder}`,
    `--socket=${places.socketPath}`,
    `--pid-file=${places.pidPath}`,
    `--init-file=${places.initPath}`,
    '--bind-address=127.0.0.1',
    `--port=${places.port}`,
    '--skip-name-resolve',
    `--sql-mode=${STRICT_MODES}`,
    '--default-time-zone=+00:00',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=32M',
    '--performance-schema=OFF',
    '--max-connections=200',
  ]
}

/** A database server that root starts refuses to run unless it is told to. */
export const asThisUser: readonly string[] = process.getuid?.() === 0 ? ['--user=root'] : []

/** MariaDB as Debian's `mariadb-server-core` or `brew install mariadb` brings it; undefined where it is not. */
export function findMariaDb(): ServerProgram | undefined {
  const install = findProgram('mariadb-install-db')
  const server = findProgram('mariadbd')
  if (install === undefined || server === undefined) return undefined
  const options = ['--innodb-log-file-size=16M']
  return {
    kind: 'MariaDB',
    command: [server, '--no-defaults'],
    optionsFor: (places) => [...mysqldOptions(places), ...options],
    async createData(dataFolder) {
      const settings = ['--skip-test-db', '--skip-name-resolve', '--innodb-buffer-pool-size=16M']
      const where = ['--no-defaults', ...asThisUser, `--datadir=${dataFolder}`]
      // Several at once, in one folder for temporary files, take each other's tables away.
      const temporary = `${dataFolder}-making`
      await mkdir(temporary, { recursive: true })
      await runProgram(install, [...where, ...settings, ...options, `--tmpdir=${temporary}`])
      await rm(temporary, { recursive: true, force: true })
    },
  }
}

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

/** How much of a failed program's words is worth repeating. */
const LAST_LINES = 12

/**
 * Runs a program to its end; `onLine` hears each line it prints.
 * @returns what it printed. @throws {Error} with its last words, when it fails or cannot be started
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  onLine: (line: string) => void = () => {},
): Promise<string> {
  const running = promisify(execFile)(program, args, {
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (running.child.stdout) createInterface(running.child.stdout).on('line', onLine)
  try {
    return (await running).stdout
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      code,
      message,
    } = error as NodeJS.ErrnoException & {
      stdout?: string
      stderr?: string
    }
    const words = `${stdout}${stderr}`.trim() || message
    const lastWords = words.split('\n').slice(-LAST_LINES).join('\n')
    throw new Error(`${program} failed (${code ?? 'ended by a signal'}):\n${lastWords}`)
  }
}
