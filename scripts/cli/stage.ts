/**
 * Where the values of a command come from: one rule for the commands of package.json and for `serverless`. A stage's
 * values stand in `.env.<stage>`; the environment fills in what the file leaves empty. Stage `local` is this machine:
 * it reads no file, and of the environment neither addresses nor secrets.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import type { Environment } from '../../shared/wiring/configuration.ts'
import { projectFolder } from '../build/bundle.ts'
import { type Addresses, dataFolder, runningAddresses } from './data-folder.ts'
import { CommandProblem } from './problem.ts'

/** Variables by name; none is empty. */
export type StageValues = Readonly<Record<string, string>>

export interface Stage {
  name: string
  /** What is printed before anything is done: stage, host of its database, origin of its values. Nothing secret. */
  headline: string
  /** What `$NAME` in serverless.yml stands for. */
  values: StageValues
  /** `.env.<stage>`; local has none. */
  file?: string
  /** What stands in that file. */
  fileValues: StageValues
}

export interface StageOptions {
  /** Where serverless.yml and `.env.<stage>` lie. */
  folder?: string
  env?: Environment
  /** `--database`: an address that stage local works on in place of its own database. */
  database?: string | undefined
  /** Stage local will not do. */
  isDeployed?: boolean
}

export const LOCAL = 'local'

/** The stage that `--stage` names. @throws {CommandProblem} without a name, or without the stage's file */
export async function readStage(name: string | undefined, options: StageOptions): Promise<Stage> {
  const { folder = projectFolder, env = process.env, database, isDeployed = false } = options
  if (name === undefined) {
    const local = isDeployed ? '' : ' This machine is --stage local.'
    throw new CommandProblem(`Which stage? ${filesIn(folder) || copyExample('prod')}${local}`)
  }
  if (name === LOCAL) {
    if (isDeployed) throw new CommandProblem('Stage local is this machine: it is not deployed.')
    return localStage({ env, database, running: await runningAddresses() })
  }
  if (!isDeployedStage(name)) {
    throw new CommandProblem(`--stage takes the STAGE of a file .env.STAGE, not "${name}".`)
  }
  if (database !== undefined) {
    throw new CommandProblem(
      `--database goes with --stage local; that of ${name} stands in .env.${name}.`,
    )
  }
  return deployedStage(name, folder, env)
}

function deployedStage(name: string, folder: string, env: Environment): Stage {
  const file = `.env.${name}`
  if (!existsSync(path.join(folder, file))) {
    throw new CommandProblem(
      [`There is no ${file} beside serverless.yml.`, filesIn(folder), copyExample(name)]
        .filter(Boolean)
        .join(' '),
    )
  }
  const fileValues = withValue(parseEnv(readFileSync(path.join(folder, file), 'utf8')))
  const account = Object.keys(fileValues).filter((each) => each.startsWith('TENCENTCLOUD_'))
  if (account.length > 0) {
    throw new CommandProblem(
      `${file} sets ${account.join(', ')}, which would not be read: the deploying account belongs into the environment.`,
    )
  }
  const values = { ...withValue(env), ...fileValues }
  const overruled = Object.keys(fileValues).filter(
    (each) => env[each] && env[each] !== values[each],
  )
  const source = fileValues.DATABASE_URL || !env.DATABASE_URL ? file : 'the environment'
  const note =
    overruled.length === 0
      ? ''
      : `; of ${overruled.join(', ')} the file’s value is taken, not the environment’s`
  const headline = headlineOf(name, values.DATABASE_URL, `${source}${note}`)
  return { name, headline, values, file, fileValues }
}

/** What a local run takes from the environment: settings that are no secret and lead nowhere. */
export const localSettings: readonly string[] = [
  'ACCESS_TOKEN_SECONDS',
  'ALLOWED_ORIGINS',
  'ANONYMOUS_RATINGS',
  'COMPRESS',
  'DATABASE_CONNECTIONS',
  'HOLDER_DAYS',
  'LIMITS',
  'OPERATORS',
  'SESSION_MAX_DAYS',
  'STORE_SHARDED',
  'TAKEN_OVER_RATINGS',
]

export interface LocalStageOptions {
  env: Environment
  database?: string | undefined
  /** `--wechat`: an address of WeChat's API in place of the offline WeChat. */
  wechat?: string | undefined
  /** Where the database file lies. */
  folder?: string | undefined
  /** The addresses of a running `npm run dev` to join: its database file is open there. */
  running?: Addresses | undefined
}

/** Stage local. @throws {CommandProblem} when `--wechat` lacks its AppID and secret */
export function localStage(options: LocalStageOptions): Stage {
  const { env, database, wechat, folder = dataFolder, running } = options
  const taken = wechat === undefined ? [] : ['WECHAT_APPID', 'WECHAT_SECRET']
  const missing = taken.filter((name) => !env[name])
  if (missing.length > 0) {
    throw new CommandProblem(`--wechat needs ${missing.join(' and ')} in the environment.`)
  }
  const address = database ?? running?.DATABASE_URL ?? `sqlite:${path.join(folder, 'dev.sqlite')}`
  const values = withValue({
    ...Object.fromEntries([...localSettings, ...taken].map((name) => [name, env[name]])),
    DATABASE_URL: address,
    WECHAT_API_URL: wechat ?? running?.WECHAT_API_URL,
  })
  const isJoined = database === undefined && running !== undefined
  const source = database ? '--database' : isJoined ? 'of the running npm run dev' : 'its own'
  const note = env.DATABASE_URL ? '; DATABASE_URL of the environment is not used' : ''
  return {
    name: LOCAL,
    headline: headlineOf(LOCAL, address, `${source}${note}`),
    values,
    fileValues: {},
  }
}

function headlineOf(name: string, address: string | undefined, source: string): string {
  const database = address ? `database ${placeOf(address)}` : 'no DATABASE_URL'
  return `stage ${name} · ${database} (${source})`
}

/** Host and port, or the file; never a user or a password. */
function placeOf(address: string): string {
  if (address === 'sqlite::memory:') return 'in memory'
  if (address.startsWith('sqlite:')) return path.relative(process.cwd(), address.slice(7)) || '?'
  const { host, username } = URL.canParse(address) ? new URL(address) : { host: '', username: '' }
  // Where user and password are not taken for such, they may be taken for the host.
  const isHost = host !== '' && (username !== '' || !address.includes('@'))
  return isHost ? host : 'at an address that is no URL'
}

/** Which stages there are, for somebody who named none or another. */
function filesIn(folder: string): string {
  const files = readdirSync(folder)
  const stages = files
    .filter((file) => file.startsWith('.env.'))
    .map((file) => file.slice('.env.'.length))
    .filter(isDeployedStage)
  if (stages.length > 0) {
    return `There is ${stages.map((name) => `.env.${name} (--stage ${name})`).join(', ')}.`
  }
  return files.includes('.env')
    ? 'There is a .env, which nothing reads any more: rename it to .env.<stage>, such as .env.prod, and say --stage prod.'
    : ''
}

function copyExample(name: string): string {
  return `For a new stage: cp .env.example .env.${name}, fill it in, and say --stage ${name}. The environment may hold what the file leaves empty.`
}

function isDeployedStage(name: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(name) && name !== 'example' && name !== LOCAL
}

function withValue(values: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}
