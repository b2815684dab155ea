/** What every command gets: the configuration as data, the options of the command line, and where to write. */
import { join, resolve } from 'node:path'
import { type AnsweredTimers, readAnsweredTimers } from '../../build/declarations.ts'
import { runningAddresses } from '../../cli/data-folder.ts'
import { CommandProblem } from '../../cli/problem.ts'
import { LOCAL, localStage, readStage, type Stage } from '../../cli/stage.ts'
import type { StageMigrations } from '../../database/stage-migrations.ts'
import {
  type DesiredFunction,
  type DesiredService,
  desiredService,
  functionCalled,
} from '../../service/service.ts'
import { type CloudClient, createCloudClient } from '../cloud/client.ts'
import { credentialsFrom } from '../cloud/credentials.ts'
import type {
  CliOptions,
  CommandDefinition,
  CommandOption,
  Framework,
  Writers,
} from '../framework.ts'

export interface CommandContext {
  stage: Stage
  service: DesiredService
  options: CliOptions
  serviceDir: string
  /** Where packages lie. */
  packageFolder: string
  /** What was asked for: stdout. */
  print: (line: string) => void
  /** What is going on: stderr. */
  tell: (line: string) => void
  /** The functions the command is about: the one of `--function`, or all. */
  chosen: () => readonly DesiredFunction[]
  /** Tells the framework, which packs whatever has no package yet, that this function has one. */
  markPackaged: (key: string, file: string) => void
  /** Which timers these functions answer. */
  answeredTimers: (keys: readonly string[]) => Promise<AnsweredTimers>
  /** The stage's tables. */
  migrations: () => Promise<StageMigrations>
  /** What the command ends with when it does not fail; 0 unless it is set. */
  endWith: (exitCode: number) => void
  /** Throws `CommandProblem` without credentials. */
  connect: () => Promise<CloudClient>
}

/** One command of the framework: which of its moments it takes part in, and what it does there. */
export interface Command {
  /** Lifecycle event → work. */
  hooks: Readonly<Record<string, (context: CommandContext) => Promise<void>>>
  /** It works on this machine alone; every other asks for `--stage`. */
  stage?: typeof LOCAL
  /** Options and commands the framework does not have itself. */
  definitions?: Readonly<Record<string, CommandDefinition>>
}

/** The option as text, `undefined` when it was not given. */
export function textOption(options: CliOptions, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The stage a command works on; says which. @throws {CommandProblem} */
export async function openStage(
  { stage: kind }: Command,
  { processedInput, serviceDir }: Framework,
  writers: Writers,
): Promise<Stage> {
  const { options, command } = processedInput
  const name = textOption(options, 'stage')
  const stage =
    kind === LOCAL
      ? await localStageOf(command, options, name)
      : await readStage(name, { folder: serviceDir, isDeployed: true })
  writers.log.notice(stage.headline)
  return stage
}

async function localStageOf(
  command: string,
  options: CliOptions,
  name: string | undefined,
): Promise<Stage> {
  if (name !== undefined && name !== LOCAL)
    throw new CommandProblem(
      `serverless ${command} is stage local, whatever else is deployed. For another database: --database URL.`,
    )
  return localStage({
    env: process.env,
    database: textOption(options, 'database'),
    wechat: textOption(options, 'wechat'),
    folder: textOption(options, 'data-folder'),
    // One that starts has a database of its own.
    running: command === 'offline' ? undefined : await runningAddresses(),
  })
}

export function contextFor(framework: Framework, writers: Writers, stage: Stage): CommandContext {
  const { options } = framework.processedInput
  const { service: name, provider, functions, package: packaging } = framework.service
  const service = desiredService({ service: name, provider, functions }, stage.values)
  const given = textOption(options, 'package') ?? packaging.path
  return {
    stage,
    service,
    options,
    serviceDir: framework.serviceDir,
    packageFolder: given
      ? resolve(framework.serviceDir, given)
      : join(framework.serviceDir, '.serverless'),
    print: (line) => writers.writeText(line),
    tell: (line) => writers.log.notice(line),
    chosen: () => {
      const key = textOption(options, 'function')
      return key ? [functionCalled(service, key)] : service.functions
    },
    markPackaged: (key, file) => {
      const block = functions[key]
      if (block) block.package = { artifact: file }
    },
    answeredTimers: (keys) => loaded(() => readAnsweredTimers(keys)),
    migrations: async () => {
      const { migrationsOf } = await loaded(() => import('../../database/stage-migrations.ts'))
      return migrationsOf(stage)
    },
    endWith: (exitCode) => {
      process.exitCode = exitCode
    },
    connect: () =>
      createCloudClient({
        credentials: credentialsFrom(process.env),
        region: service.region,
        namespace: service.namespace,
        endpoint: process.env.TENCENTCLOUD_API_ENDPOINT,
      }),
  }
}

/** An error in a list of several: a sentence for a person, or a fault of this program with its stack. */
export function sentenceFor(error: unknown): string {
  if (error instanceof CommandProblem) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Of every command that calls the cloud. */
export const regionOption: Record<string, CommandOption> = {
  region: { usage: 'Region of the service', type: 'string', shortcut: 'r' },
}

/**
 * Loads what a command needs beside the cloud: the functions' own code, a database, a WeChat. Only when it is asked for,
 * and through tsx: the shim that loads this plugin covers require(), import() needs its own.
 */
export async function loaded<Module>(load: () => Promise<Module>): Promise<Module> {
  const { register } = await import('tsx/esm/api')
  register()
  return load()
}
