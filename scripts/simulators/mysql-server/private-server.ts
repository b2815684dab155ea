/**
 * A database server of one's own, MariaDB, MySQL or TiDB: a fresh folder, a loopback port and a socket nobody
 * else uses, strict settings, and the means to kill it and bring it back. Uses the programs that are
 * there; nothing is ever installed or reused.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { listen } from '../../../shared/transport/server/listen.ts'
import { findMySql } from './mysql.ts'
import {
  findMariaDb,
  type ServerKind,
  type ServerPlaces,
  type ServerProgram,
  serverKinds,
} from './server-program.ts'
import { findTiDb } from './tidb.ts'

export interface DatabaseServer {
  readonly kind: ServerKind
  /** `mysql://user:password@127.0.0.1:port/database` of a user who may do everything. */
  readonly url: string
  /** Creates an empty database (utf8mb4, utf8mb4_bin) and gives its URL. */
  createDatabase(): Promise<string>
  /** Ends the server and deletes its data; of a borrowed server, drops the databases made through it. */
  close(): Promise<void>
}

/** One of our own, which may be ill-treated. */
export interface PrivateDatabaseServer extends DatabaseServer {
  readonly port: number
  /** SIGKILL, resolved when the process is gone. */
  kill(): Promise<void>
  /** Orderly shutdown, the data stay. */
  stop(): Promise<void>
  /** Starts it again on the same port and data (stopping it first if it runs). */
  restart(): Promise<void>
}

export interface PrivateServerOptions {
  /** Further options of the server (`--wait-timeout=2`), stronger than the ones given here. */
  serverOptions?: readonly string[]
  /** The loopback port; a free one for 0 or none. */
  port?: number | undefined
}

/** A slow machine's first start takes seconds; a server silent for longer has a reason worth reading. */
const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 10_000

/** The program of a kind of server. @returns undefined when this machine has none */
export function findServer(kind: ServerKind): ServerProgram | undefined {
  return { MariaDB: findMariaDb, MySQL: findMySql, TiDB: findTiDb }[kind]()
}

/**
 * Starts a server of the kind.
 * @returns undefined when there is no program for it on this machine (outside CI)
 * @throws {Error} when MariaDB is absent in CI, or the server does not come up (with its own log)
 */
export async function startPrivateServer(
  kind: ServerKind,
  options: PrivateServerOptions = {},
): Promise<PrivateDatabaseServer | undefined> {
  const program = findServer(kind)
  if (program) return startServer(program, options)
  if (kind === 'MariaDB' && process.env.CI) {
    throw new Error('MariaDB is required in CI: install the package mariadb-server-core')
  }
  return undefined
}

/** Creates an empty database on the server that `adminUrl` names and gives its URL. */
export async function createDatabase(adminUrl: string): Promise<string> {
  const name = `miniscore_test_${randomBytes(6).toString('hex')}`
  await ask(adminUrl, `create database ${quoted(name)} character set utf8mb4 collate utf8mb4_bin`)
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Drops the database that `url` names, if it is there. */
export async function dropDatabase(url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1))
  await ask(url, `drop database if exists ${quoted(name)}`)
}

/** Starts the program on data of its own. @throws {Error} with its own log, when it does not come up */
export async function startServer(
  { kind, command, optionsFor, createData }: ServerProgram,
  { serverOptions = [], port: wishedPort }: PrivateServerOptions = {},
): Promise<PrivateDatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'ms-server-'))
  const logPath = join(folder, 'error.log')
  const initPath = join(folder, 'init.sql')
  const password = randomBytes(12).toString('hex')
  const port = wishedPort || (await freePort())
  const url = `mysql://miniscore:${password}@127.0.0.1:${port}/miniscore`
  let running: Running | undefined

  const places: ServerPlaces = {
    dataFolder: join(folder, 'data'),
    temporaryFolder: join(folder, 'tmp'),
    // Relative to the data: its path has to fit into some hundred bytes, and folders of `tmpdir()` can be long.
    socketPath: 's',
    initPath,
    pidPath: join(folder, 'pid'),
    port,
  }

  const start = async () => {
    running = launch(command, folder, logPath, [...optionsFor(places), ...serverOptions])
    await untilReady(url, running.process).catch(async (error: unknown) => {
      await end('SIGKILL')
      const log = readFileSync(logPath, 'utf8').split('\n').slice(-25).join('\n')
      throw new Error(`${kind} does not come up; its log says:\n${log}`, { cause: error })
    })
  }
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const ending = running
    running = undefined
    await ending?.end(signal)
  }

  try {
    await mkdir(places.temporaryFolder)
    await writeFile(
      initPath,
      [
        `create user if not exists 'miniscore'@'%' identified by '${password}';`,
        `grant all privileges on *.* to 'miniscore'@'%' with grant option;`,
        'create database if not exists miniscore character set utf8mb4 collate utf8mb4_bin;\n',
      ].join('\n'),
    )
    await createData(places.dataFolder)
    await start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }

  return {
    kind,
    url,
    port,
    createDatabase: () => createDatabase(url),
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

/** Uses the server that `TEST_DATABASE_URL` names. @throws {Error} when it is no MySQL URL or does not answer */
export async function borrowServer(url: string): Promise<DatabaseServer> {
  if (!url.startsWith('mysql://')) throw new Error('TEST_DATABASE_URL must start with mysql://')
  const created: string[] = []
  return {
    kind: kindOf(await versionOf(url)),
    url,
    async createDatabase() {
      const databaseUrl = await createDatabase(url)
      created.push(databaseUrl)
      return databaseUrl
    },
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

function launch(
  [program, ...leading]: ServerProgram['command'],
  folder: string,
  logPath: string,
  options: readonly string[],
): Running {
  const log = openSync(logPath, 'a')
  const child = spawn(program, [...leading, ...options], { stdio: ['ignore', log, log] })
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

async function versionOf(url: string): Promise<string> {
  const [row] = await ask(url, 'select version() as version')
  return String(row?.version)
}

function kindOf(version: string): ServerKind {
  return serverKinds.find((kind) => version.toLowerCase().includes(kind.toLowerCase())) ?? 'MySQL'
}

/** @throws {Error} when the server has ended, or takes too long */
async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const readyByMs = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      await versionOf(url)
      return
    } catch (error) {
      const ended = server.exitCode !== null || server.signalCode !== null
      if (ended || Date.now() > readyByMs) throw error
      await pause(20)
    }
  }
}

/** A free loopback port: taken from the system and given back, for a server that must know it beforehand. */
async function freePort(): Promise<number> {
  const probe = createServer()
  const { port } = await listen(probe, { port: 0 })
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function ask(url: string, sql: string): Promise<RowDataPacket[]> {
  const connection = await createConnection({ uri: url, connectTimeout: 2000 })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql)
    return rows
  } finally {
    await connection.end()
  }
}

/** A database name as an identifier; only letters, digits and underscores, so that nothing needs escaping. */
function quoted(name: string): string {
  if (!/^\w{1,64}$/.test(name)) throw new TypeError('a database name is 1 to 64 letters, digits, _')
  return `\`${name}\``
}
