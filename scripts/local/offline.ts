/**
 * Everything on this machine: a database, an offline WeChat and the bundles that would be deployed, each function in
 * processes of its own with its own variables, behind a gateway.
 */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { context, type Plugin } from 'esbuild'
import { storeDoorOf } from '../../shared/store/doors.ts'
import { openDb } from '../../shared/wiring/database.ts'
import { bundleSettings, makeOwnOutdir } from '../build/bundle.ts'
import { startLocalDatabase } from '../database/local-database.ts'
import { migrate, readMigrations } from '../database/migrations.ts'
import { startOfflineWeChat } from '../simulators/wechat/server.ts'
import { announceRunning, dataFolder, localSecrets, pickVariables } from './environment.ts'
import type { EventProfile } from './events.ts'
import { FunctionInstances } from './function-instances.ts'
import { startGateway } from './gateway.ts'
import { type LocalFunction, matchesPath } from './service.ts'

export interface OfflineOptions {
  functions: readonly LocalFunction[]
  /** Variables that are set; local defaults stand in for the others. */
  environment: Record<string, string | undefined>
  profile: EventProfile
  /** Rebuild and restart when a source file changes. */
  isWatching: boolean
  /** First port for debuggers, one a function. */
  inspectPort?: number | undefined
  hasPlatformLog: boolean
  /** Where the database file and local secrets live; `.data` by default. */
  folder?: string | undefined
  print: (line: string) => void
}

export interface Offline {
  close(): Promise<void>
}

/** Starts everything, or nothing: what was started is ended when something fails. @throws {Error} a sentence */
export async function startOffline(options: OfflineOptions): Promise<Offline> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).reverse()) await each()
  }
  try {
    await start(options, closers)
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

type Closers = (() => Promise<unknown>)[]

async function start(options: OfflineOptions, closers: Closers): Promise<void> {
  const { folder = dataFolder, print, profile } = options
  await mkdir(folder, { recursive: true })
  const environment = { ...(await localSecrets(folder)), ...definedOnly(options.environment) }

  const database = await startLocalDatabase(
    environment.DATABASE_URL ?? `sqlite:${path.join(folder, 'dev.sqlite')}`,
  )
  closers.push(database.close)
  const { url: DATABASE_URL } = database
  environment.DATABASE_URL = DATABASE_URL
  const db = await openDb(DATABASE_URL)
  await migrate(db, {
    migrations: await readMigrations(),
    onStep: (step) => print(`migrate ${step}`),
  }).finally(() => db.close())

  let { WECHAT_API_URL } = environment
  if (WECHAT_API_URL === undefined) {
    const wechat = await startOfflineWeChat({
      port: readPort('WECHAT_PORT', environment.WECHAT_PORT, 3001),
      appid: environment.WECHAT_APPID ?? '',
      secret: environment.WECHAT_SECRET ?? '',
    })
    closers.push(wechat.close)
    WECHAT_API_URL = wechat.url
    environment.WECHAT_API_URL = wechat.url
    print(`ready   offline WeChat  ${wechat.url}  (what it can do: GET ${wechat.url}/sim)`)
  }

  closers.push(await announceRunning(folder, { DATABASE_URL, WECHAT_API_URL }))
  const running = await startFunctions(options, environment, closers)
  const gateway = await startGateway({
    port: readPort('PORT', environment.PORT, 3000),
    profile,
    route: (requestPath) => running.find(({ matches }) => matches(requestPath))?.instances,
  })
  closers.push(gateway.close)
  print(`ready   gateway         ${gateway.url}  (${profile}, database: ${database.description})`)
}

interface RunningFunction {
  matches: (requestPath: string) => boolean
  instances: FunctionInstances
}

async function startFunctions(
  options: OfflineOptions,
  environment: Record<string, string>,
  closers: Closers,
): Promise<RunningFunction[]> {
  const { print, inspectPort, hasPlatformLog } = options
  const { outdir, remove } = await makeOwnOutdir('local')
  closers.push(remove)
  const running: RunningFunction[] = []
  for (const [index, declared] of options.functions.entries()) {
    const { name, timeoutMs, memoryMegabytes, variables, handler } = declared
    const settings = bundleSettings(name, {
      storeDoor: storeDoorOf(environment.DATABASE_URL),
      outdir,
      sourcemap: true,
      minify: false,
    })
    const debugging =
      inspectPort === undefined
        ? []
        : [`--inspect=127.0.0.1:${inspectPort === 0 ? 0 : inspectPort + index}`]
    const instances = new FunctionInstances(
      {
        name,
        file: settings.outfile,
        environment: pickVariables(variables, environment),
        timeoutMs,
        memoryMegabytes,
        handler,
        execArgv: ['--enable-source-maps', ...debugging],
        isDebugged: debugging.length > 0,
        onLine: print,
        ...(hasPlatformLog ? { onPlatformLine: print } : {}),
      },
      debugging.length > 0 ? 1 : undefined,
    )
    closers.push(() => instances.stop())
    await bundle(name, settings, { ...options, restart: () => instances.stop() }, closers)
    running.push({ matches: (requestPath) => matchesPath(declared, requestPath), instances })
  }
  return running
}

/** Resolves after the first build. Later ones that fail are printed, and the last good bundle runs on. */
async function bundle(
  name: string,
  settings: ReturnType<typeof bundleSettings>,
  {
    isWatching,
    restart,
    print,
  }: Pick<OfflineOptions, 'isWatching' | 'print'> & { restart: () => Promise<void> },
  closers: Closers,
): Promise<void> {
  let onFirstBuild: (() => void) | undefined
  const firstBuild = new Promise<void>((resolve) => {
    onFirstBuild = resolve
  })
  const restartAfterBuild: Plugin = {
    name: 'restart-after-build',
    setup: ({ onEnd }) =>
      onEnd(async ({ errors }) => {
        if (onFirstBuild) {
          onFirstBuild()
          onFirstBuild = undefined
        } else if (errors.length === 0) {
          await restart()
          print(`rebuilt ${name}`)
        }
      }),
  }
  const plugins = [...(settings.plugins ?? []), restartAfterBuild]
  const bundling = await context({ ...settings, logLevel: 'warning', plugins })
  closers.push(() => bundling.dispose())
  if (isWatching) {
    await bundling.watch()
    await firstBuild
  } else await bundling.rebuild()
}

function definedOnly(environment: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] =>
    Boolean(entry[1]),
  )
  return Object.fromEntries(entries)
}

function readPort(name: string, value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new Error(`${name} should be a port number from 0 to 65535.`)
}
