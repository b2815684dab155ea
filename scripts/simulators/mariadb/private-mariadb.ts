/**
 * A MariaDB of the tests' own: a fresh folder, a loopback port and a socket nobody else uses,
 * strict settings, and the means to kill it and bring it back. Needs Debian's
 * `mariadb-server-core` (or `brew install mariadb`); nothing is ever installed or reused.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'

export interface PrivateMariaDb {
  /** `mysql://user:password@127.0.0.1:port/database` of a user who may do everything. */
  readonly url: string
  readonly port: number
  /** False for a server given by `TEST_DATABASE_URL`: it can be neither killed nor restarted. */
  readonly canBeKilled: boolean
  /** Creates an empty database (utf8mb4, utf8mb4_bin) and gives its URL; a random name unless told. */
  createDatabase(name?: string): Promise<string>
  /** SIGKILL, resolved when the process is gone. @throws {Error} when `canBeKilled` is false */
  kill(): Promise<void>
  /** Orderly shutdown, the data stay. @throws {Error} when `canBeKilled` is false */
  stop(): Promise<void>
  /** Starts it again on the same port and data (stopping it first if it runs). @throws {Error} when `canBeKilled` is false */
  restart(): Promise<void>
  /** Ends the server and deletes its data; of a borrowed server, drops the databases made through it. */
  close(): Promise<void>
}

export interface PrivateMariaDbOptions {
  /** True: a server of its own even when `TEST_DATABASE_URL` names another, for drills that kill it. */
  owned?: boolean
  /** Further `mariadbd` options (`--wait-timeout=2`), stronger than the ones given here. */
  serverOptions?: readonly string[]
}

/** A slow machine's first start takes seconds; a server silent for longer has a reason worth reading. */
const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 10_000
/** A Unix socket's path ends at 104 bytes on macOS, 108 on Linux, and folders of `tmpdir()` can be long. */
const LONGEST_SOCKET_PATH = 100

const STRICT_MODES =
  'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'

/**
 * Starts a server, or borrows the one `TEST_DATABASE_URL` names.
 * @returns undefined when MariaDB's programs are not on this machine (outside CI)
 * @throws {Error} when they are absent in CI, or the server does not come up (with its own log)
 */
export async function startPrivateMariaDb(
  options: PrivateMariaDbOptions = {},
): Promise<PrivateMariaDb | undefined> {
  const borrowedUrl = process.env.TEST_DATABASE_URL
  if (borrowedUrl && !options.owned) return borrowServer(borrowedUrl)

  const install = findProgram('mariadb-install-db')
  const server = findProgram('mariadbd')
  if (install === undefined || server === undefined) {
    if (process.env.CI) {
      throw new Error('MariaDB is required in CI: install the package mariadb-server-core')
    }
    return undefined
  }
  return startOwnServer(install, server, options.serverOptions ?? [])
}

/** Creates an empty database on the server that `adminUrl` names and gives its URL. */
export async function createDatabase(
  adminUrl: string,
  name = `miniscore_test_${randomBytes(6).toString('hex')}`,
): Promise<string> {
  await runAsAdmin(
    adminUrl,
    `create database ${quoted(name)} character set utf8mb4 collate utf8mb4_bin`,
  )
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Drops the database that `url` names, if it is there. */
export async function dropDatabase(url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1))
  await runAsAdmin(url, `drop database if exists ${quoted(name)}`)
}

async function startOwnServer(
  installProgram: string,
  serverProgram: string,
  serverOptions: readonly string[],
): Promise<PrivateMariaDb> {
  const folder = privateFolder()
  const logPath = join(folder, 'error.log')
  const initPath = join(folder, 'init.sql')
  const password = randomBytes(12).toString('hex')
  const port = await freePort()
  const url = `mysql://miniscore:${password}@127.0.0.1:${port}/miniscore`
  let running: Running | undefined

  const dataOptions = ['--no-defaults', `--datadir=${join(folder, 'data')}`]
  if (process.getuid?.() === 0) dataOptions.push('--user=root')

  const start = async () => {
    const started = launch(serverProgram, folder, logPath, [
      ...dataOptions,
      `--socket=${join(folder, 's')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--init-file=${initPath}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--skip-name-resolve',
      `--sql-mode=${STRICT_MODES}`,
      '--default-time-zone=+00:00',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_bin',
      '--innodb-flush-log-at-trx-commit=1',
      '--innodb-buffer-pool-size=32M',
      '--innodb-log-file-size=16M',
      '--performance-schema=OFF',
      '--max-connections=200',
      ...serverOptions,
    ])
    running = started
    try {
      await untilReady(url, started.process, logPath)
    } catch (error) {
      await started.end('SIGKILL')
      throw error
    }
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const ending = running
    running = undefined
    await ending?.end(signal)
  }

  try {
    await writeFile(
      initPath,
      [
        `create user if not exists 'miniscore'@'%' identified by '${password}';`,
        `grant all privileges on *.* to 'miniscore'@'%' with grant option;`,
        'create database if not exists miniscore character set utf8mb4 collate utf8mb4_bin;\n',
      ].join('\n'),
    )
    await installData(installProgram, dataOptions)
    await start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }

  return {
    url,
    port,
    canBeKilled: true,
    createDatabase: (name) => createDatabase(url, name),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async restart() {
      await end('SIGTERM')
      await start()
    },
    async close() {
      await end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function borrowServer(url: string): PrivateMariaDb {
  const { protocol, port } = new URL(url)
  if (protocol !== 'mysql:') throw new Error('TEST_DATABASE_URL must start with mysql://')
  const created: string[] = []
  const refuse = async () => {
    throw new Error('the server of TEST_DATABASE_URL is not ours to stop (canBeKilled is false)')
  }
  return {
    url,
    port: Number(port || 3306),
    canBeKilled: false,
    async createDatabase(name) {
      const databaseUrl = await createDatabase(url, name)
      created.push(databaseUrl)
      return databaseUrl
    },
    kill: refuse,
    stop: refuse,
    restart: refuse,
    async close() {
      for (const databaseUrl of created.splice(0)) await dropDatabase(databaseUrl)
    },
  }
}

interface Running {
  process: ChildProcess
  /** Sends the signal and waits until the process is gone; SIGTERM becomes SIGKILL when it takes too long. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

function launch(program: string, folder: string, logPath: string, options: string[]): Running {
  const log = openSync(logPath, 'a')
  const child = spawn(program, options, { stdio: ['ignore', log, log] })
  closeSync(log)
  // A test worker can be ended by any signal, and an orphaned server would stay for ever: this shell
  // waits for our end of its pipe to close, by whatever cause, then removes the server and its folder.
  const watcher = spawn(
    'sh',
    ['-c', 'cat; kill -9 "$1"; rm -rf "$2"', 'sh', `${child.pid}`, folder],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  )
  watcher.unref()
  const gone = child.exitCode === null ? once(child, 'exit') : Promise.resolve()
  void gone.then(
    () => watcher.kill('SIGKILL'),
    () => watcher.kill('SIGKILL'),
  )
  return {
    process: child,
    async end(signal) {
      child.kill(signal)
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
      await gone.catch(() => undefined)
      clearTimeout(patience)
    },
  }
}

async function installData(program: string, dataOptions: string[]): Promise<void> {
  const install = spawn(
    program,
    [
      ...dataOptions,
      '--skip-test-db',
      '--skip-name-resolve',
      '--innodb-buffer-pool-size=16M',
      '--innodb-log-file-size=16M',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  install.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  install.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [exitCode] = await once(install, 'close')
  if (exitCode !== 0) throw new Error(`mariadb-install-db failed (${exitCode}):\n${output}`)
}

async function untilReady(url: string, server: ChildProcess, logPath: string): Promise<void> {
  const readyByMs = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      const connection = await createConnection({ uri: url, connectTimeout: 2000 })
      await connection.end()
      return
    } catch (error) {
      const ended = server.exitCode !== null || server.signalCode !== null
      if (ended || Date.now() > readyByMs) {
        const log = readFileSync(logPath, 'utf8').split('\n').slice(-25).join('\n')
        throw new Error(`mariadbd ${ended ? 'ended' : 'is not ready'}; its log says:\n${log}`, {
          cause: error,
        })
      }
      await pause(20)
    }
  }
}

function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ms-maria-'))
  if (Buffer.byteLength(join(folder, 's')) <= LONGEST_SOCKET_PATH) return folder
  rmSync(folder, { recursive: true })
  return mkdtempSync('/tmp/ms-maria-')
}

/** A free loopback port: taken from the system and given back, for a server that must know it beforehand. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no loopback port')
  return address.port
}

function findProgram(name: string): string | undefined {
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

async function runAsAdmin(url: string, sql: string): Promise<void> {
  const connection = await createConnection({ uri: url })
  try {
    await connection.query(sql)
  } finally {
    await connection.end()
  }
}

/** A database name as an identifier; only letters, digits and underscores, so that nothing needs escaping. */
function quoted(name: string): string {
  if (!/^\w{1,64}$/.test(name)) throw new TypeError('a database name is 1 to 64 letters, digits, _')
  return `\`${name}\``
}
