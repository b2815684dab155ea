/**
 * Everything on this machine with one command: offline PlanetScale, migrations, offline WeChat, the
 * bundles that would be deployed, each in a process of its own, behind a gateway. Run with --help.
 */

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { context, type Plugin } from 'esbuild'
import { openDb } from '../shared/compose.ts'
import { bundleSettings, prepareOutdir, projectFolder, storeDoorOf } from './build.ts'
import { runCommand } from './command.ts'
import { dataFolder, loadDotenv, localSecrets, pickVariables } from './local/environment.ts'
import { FunctionProcess } from './local/function-process.ts'
import { startGateway } from './local/gateway.ts'
import { matchesPath, readService } from './local/service.ts'
import { migrate, readMigrations } from './migrations.ts'
import { startLocalDatabase } from './planetscale/local-database.ts'
import { startOfflineWeChat } from './wechat/server.ts'

const usage = `Usage: npm run dev [-- options]

Starts a database, an offline WeChat and the functions behind a gateway, all on 127.0.0.1.

  --data DIR     where the database file and local secrets live (default: .data)
  --help         this text

Environment, or .env beside package.json; nothing needs to be set:
  PORT           the gateway's port (default 3000, 0 for any free one)
  WECHAT_PORT    the offline WeChat's port (default 3001, 0 for any free one)
  DATABASE_URL   sqlite:FILE (default sqlite:.data/dev.sqlite), sqlite::memory:,
                 mysql://user:password@host:3306/database, or https://user:password@host
  WECHAT_API_URL https://api.weixin.qq.com to talk to the real WeChat
                 (with your WECHAT_APPID and WECHAT_SECRET)`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { data: { type: 'string', default: dataFolder }, help: { type: 'boolean' } },
  })
  if (values.help) return console.log(usage)
  loadDotenv()
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).reverse()) await each()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().then(() => process.exit(0)))
  }
  try {
    await start(values.data, closers)
  } catch (error) {
    await close()
    throw error
  }
}

async function start(data: string, closers: (() => Promise<unknown>)[]): Promise<void> {
  await mkdir(data, { recursive: true })
  const environment: Record<string, string | undefined> = {
    ...(await localSecrets(data)),
    ...process.env,
  }

  const database = await startLocalDatabase(
    environment.DATABASE_URL || `sqlite:${path.join(data, 'dev.sqlite')}`,
  )
  closers.push(database.close)
  environment.DATABASE_URL = database.url
  const db = await openDb(database.url)
  await migrate(db, {
    migrations: await readMigrations(),
    onStep: (step) => console.log(`migrate ${step}`),
  }).finally(() => db.close())

  if (!environment.WECHAT_API_URL) {
    const wechat = await startOfflineWeChat({
      port: readPort('WECHAT_PORT', environment.WECHAT_PORT, 3001),
      appid: environment.WECHAT_APPID ?? '',
      secret: environment.WECHAT_SECRET ?? '',
    })
    closers.push(wechat.close)
    environment.WECHAT_API_URL = wechat.url
    console.log(`ready   offline WeChat  ${wechat.url}  (what it can do: GET ${wechat.url}/sim)`)
  }

  const functions = await startFunctions(environment, closers)
  const gateway = await startGateway({
    port: readPort('PORT', environment.PORT, 3000),
    profile: 'function-url',
    route: (requestPath) => functions.find(({ matches }) => matches(requestPath))?.process,
  })
  closers.push(gateway.close)
  console.log(`ready   gateway         ${gateway.url}  (database: ${database.description})`)
}

interface RunningFunction {
  matches: (requestPath: string) => boolean
  process: FunctionProcess
}

/** Bundles every function, watches its sources, and restarts its process after each rebuild. */
async function startFunctions(
  environment: Record<string, string | undefined>,
  closers: (() => Promise<unknown>)[],
): Promise<RunningFunction[]> {
  const outdir = path.join(projectFolder, 'dist', 'local')
  await prepareOutdir(outdir)
  const running: RunningFunction[] = []
  for (const declared of await readService()) {
    const { name, timeoutMs, memoryMegabytes, variables } = declared
    const settings = bundleSettings(name, {
      storeDoor: storeDoorOf(environment.DATABASE_URL),
      outdir,
      sourcemap: true,
      minify: false,
    })
    const process = new FunctionProcess({
      name,
      file: settings.outfile,
      environment: pickVariables(variables, environment),
      timeoutMs,
      memoryMegabytes,
      execArgv: ['--enable-source-maps'],
      onLine: (line) => console.log(line),
    })
    closers.push(() => process.stop())
    await watch(name, settings, () => process.stop(), closers)
    running.push({ matches: (requestPath) => matchesPath(declared, requestPath), process })
  }
  return running
}

/** Resolves after the first build. Later ones that fail are printed, and the last good bundle runs on. */
async function watch(
  name: string,
  settings: ReturnType<typeof bundleSettings>,
  restart: () => Promise<void>,
  closers: (() => Promise<unknown>)[],
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
          console.log(`rebuilt ${name}`)
        }
      }),
  }
  const plugins = [...(settings.plugins ?? []), restartAfterBuild]
  const bundling = await context({ ...settings, logLevel: 'warning', plugins })
  closers.push(() => bundling.dispose())
  await bundling.watch()
  await firstBuild
}

function readPort(name: string, value: string | undefined, otherwise: number): number {
  if (!value) return otherwise
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port
  throw new Error(`${name} should be a port number from 0 to 65535.`)
}

runCommand(import.meta.url, main)
